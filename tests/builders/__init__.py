"""Builders with defaults: a clock to move, an announcer that remembers, rows written straight into the tables."""
