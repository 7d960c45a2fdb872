"""Telephone companies: per carrier a codec without I/O and a thin shell that keeps the `Carrier` and `Leg` promises."""
