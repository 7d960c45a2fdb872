"""Pure rules: they take `now` and return values. No I/O, no clock, no randomness but a seeded hash."""
