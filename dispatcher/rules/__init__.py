"""Who may be called, when, how often and by whose turn: pure functions from facts to values.

No I/O, no clock, no randomness but a seeded hash: `now` is an argument, and the same facts give the same answer.
Where the facts come from and what is done with an answer is decided in `dispatcher.services`.
"""
