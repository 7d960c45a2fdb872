"""G.711 mu-law and 16-bit PCM, mono, 8000 Hz: the one place that knows which library does the arithmetic.

The standard library's audioop up to Python 3.12, its continuation audioop-lts from 3.13 on; both are C.
"""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

SAMPLE_RATE_HZ = 8000
SILENCE = b"\xff"
"""One sample of mu-law silence."""

_WIDTH_BYTES = 2


def decode(ulaw: bytes) -> bytes:
    """Turn mu-law into little-endian PCM16, two bytes a sample."""
    return audioop.ulaw2lin(ulaw, _WIDTH_BYTES)


def encode(pcm: bytes) -> bytes:
    """Turn PCM16 into mu-law, one byte a sample."""
    return audioop.lin2ulaw(pcm, _WIDTH_BYTES)


def mix(ulaw: bytes, pcm: bytes) -> bytes:
    """Add PCM16 to mu-law of the same length in samples; loud sums are clipped."""
    return audioop.lin2ulaw(audioop.add(audioop.ulaw2lin(ulaw, _WIDTH_BYTES), pcm, _WIDTH_BYTES), _WIDTH_BYTES)


def add(first: bytes, second: bytes) -> bytes:
    """Add two PCM16 fragments of equal length, clipped."""
    return audioop.add(first, second, _WIDTH_BYTES)


def scale(pcm: bytes, factor: float) -> bytes:
    """Multiply PCM16 by a factor, clipped."""
    return audioop.mul(pcm, _WIDTH_BYTES, factor)


def interleave(left: bytes, right: bytes) -> bytes:
    """Turn two mu-law channels of equal length into interleaved stereo PCM16."""
    return audioop.add(
        audioop.tostereo(decode(left), _WIDTH_BYTES, 1, 0),
        audioop.tostereo(decode(right), _WIDTH_BYTES, 0, 1),
        _WIDTH_BYTES,
    )


def rms(pcm: bytes) -> int:
    """Return the root mean square of PCM16, 0 to 32767."""
    return audioop.rms(pcm, _WIDTH_BYTES)


def peak(pcm: bytes) -> int:
    """Return the largest absolute sample of PCM16."""
    return audioop.max(pcm, _WIDTH_BYTES)
