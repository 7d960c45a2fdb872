"""Measurements with their baselines in the same run. Timings live here, never in tests."""
