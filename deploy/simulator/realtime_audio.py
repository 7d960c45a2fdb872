"""Audio formats of a realtime session, to and from mu-law: audio/pcmu at 8000 Hz and audio/pcm at 24000 Hz, mono.

The voice ends below 3400 Hz, so taking every third sample loses nothing of it.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from deploy.simulator import mulaw

PCMU: Final = "audio/pcmu"
PCM: Final = "audio/pcm"
FORMATS: Final = (PCMU, PCM)
_PCM_STEP: Final = 3
_PCM_SAMPLE_BYTES: Final = 2


def to_mulaw(audio: bytes, kind: str) -> bytes:
    """Return mu-law of audio in a session's format; an odd last byte of PCM is dropped."""
    if kind == PCMU:
        return audio
    samples = np.frombuffer(audio[: len(audio) // _PCM_SAMPLE_BYTES * _PCM_SAMPLE_BYTES], dtype="<i2")
    return mulaw.encode(samples[::_PCM_STEP].astype(np.int16))


def from_mulaw(audio: bytes, kind: str) -> bytes:
    """Return audio in a session's format of mu-law."""
    return audio if kind == PCMU else np.repeat(mulaw.decode(audio), _PCM_STEP).astype("<i2").tobytes()


def format_fault(value: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a format, in words; None when it can be used."""
    kind = value.get("type")
    if kind not in FORMATS:
        return f"Invalid value: '{kind}'. Supported values are: {', '.join(repr(each) for each in FORMATS)}."
    if kind == PCM and value.get("rate", 24000) != 24000:
        return "Invalid value for rate: only 24000 is supported for audio/pcm."
    return None
