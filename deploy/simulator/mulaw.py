"""Mu-law as telephones carry it: mono, 8000 Hz, one byte a sample, 20 ms = 160 bytes.

Decides the two conversions to and from 16-bit PCM and nothing else. Follows ITU-T G.711.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ: Final = 8000
FRAME_MS: Final = 20
FRAME_BYTES: Final = 160
BYTES_PER_MS: Final = 8
SILENCE_BYTE: Final = 0xFF
SILENCE_FRAME: Final = bytes([SILENCE_BYTE]) * FRAME_BYTES

_BIAS: Final = 0x84
_CLIP: Final = 32635

Pcm = NDArray[np.int16]


def _decoding_table() -> Pcm:
    codes = ~np.arange(256, dtype=np.uint8) & 0xFF
    magnitude = (((codes & 0x0F).astype(np.int32) << 3) + _BIAS) << ((codes >> 4) & 0x07).astype(np.int32)
    magnitude -= _BIAS
    return np.where(codes & 0x80, -magnitude, magnitude).astype(np.int16)


PCM_OF_BYTE: Final[Pcm] = _decoding_table()
_FLOAT_OF_BYTE: Final[NDArray[np.float32]] = PCM_OF_BYTE.astype(np.float32)


def _encode_slowly(pcm: NDArray[np.int32]) -> NDArray[np.uint8]:
    sign = np.where(pcm < 0, 0x80, 0)
    magnitude = np.minimum(np.abs(pcm), _CLIP) + _BIAS
    exponent = np.floor(np.log2(magnitude)).astype(np.int32) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    codes: NDArray[np.uint8] = (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8)
    return codes


_BYTE_OF_PCM: Final[NDArray[np.uint8]] = _encode_slowly(np.arange(-32768, 32768, dtype=np.int32))


def encode(pcm: Pcm) -> bytes:
    """Return the mu-law bytes of mono 16-bit samples."""
    return _BYTE_OF_PCM[pcm.astype(np.int32) + 32768].tobytes()


def decode(mulaw: bytes) -> Pcm:
    """Return mono 16-bit samples of mu-law bytes."""
    return PCM_OF_BYTE[np.frombuffer(mulaw, dtype=np.uint8)]


def decode_float(mulaw: bytes) -> NDArray[np.float32]:
    """Return the samples on the 16-bit scale as floats, for arithmetic."""
    return _FLOAT_OF_BYTE[np.frombuffer(mulaw, dtype=np.uint8)]


def loudness(mulaw: bytes) -> float:
    """Return the root mean square of one frame on the 16-bit scale; 0.0 for digital silence."""
    if not mulaw or mulaw.count(SILENCE_BYTE) == len(mulaw):
        return 0.0
    samples = decode_float(mulaw)
    return float(np.sqrt(np.dot(samples, samples) / samples.size))
