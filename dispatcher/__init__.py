"""Who is called, when, what it may cost and what a result means.

Knows no audio, no carrier wire format and no HTTP request.
"""
