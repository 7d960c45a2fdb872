"""Reads a stereo WAV file (16-bit PCM or mu-law) without trusting its chunk order.

The standard library's `wave` knows no mu-law, and streamed recordings may carry a data size of 0 or 0xFFFFFFFF.
"""

import struct
from pathlib import Path
from typing import Final

import numpy as np

from deploy.simulator import mulaw

_PCM: Final = 1
_MULAW: Final = 7
_EXTENSIBLE: Final = 0xFFFE


def read_stereo(path: Path) -> tuple[mulaw.Pcm, mulaw.Pcm, int]:
    """Return left samples, right samples and the rate in Hz.

    Raises:
        ValueError: the file is no stereo WAV of 16-bit PCM or mu-law.
    """
    data = path.read_bytes()
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise ValueError(f"{path} is no WAV file")
    chunks = _chunks(data)
    coding, channels, rate_hz, _, _, bits = struct.unpack("<HHIIHH", chunks[b"fmt "][:16])
    if coding == _EXTENSIBLE:
        coding = struct.unpack("<H", chunks[b"fmt "][24:26])[0]
    if channels != 2 or (coding, bits) not in {(_PCM, 16), (_MULAW, 8)}:
        raise ValueError(f"{path} holds {channels} channels of {bits}-bit coding {coding}")
    sound = chunks[b"data"]
    sound = sound[: len(sound) // (bits // 4) * (bits // 4)]
    samples = np.frombuffer(sound, dtype="<i2").astype(np.int16) if coding == _PCM else mulaw.decode(sound)
    return samples[0::2], samples[1::2], rate_hz


def _chunks(data: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {b"data": b"", b"fmt ": b""}
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack("<I", data[at + 4 : at + 8])[0]
        body_at = at + 8
        if name == b"data" and (size == 0 or body_at + size > len(data)):
            size = len(data) - body_at
        found[name] = data[body_at : body_at + size]
        at = body_at + size + (size & 1)
    return found
