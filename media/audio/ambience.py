"""Background sound under a conversation, made by this file alone and the same on every machine.

`office` is a loop of air-conditioning noise, a distant murmur and now and then a keyboard. Gains are applied to that
master: low -10 dB, medium -4 dB, high 0 dB; at high its loudest moments reach the level of telephone speech. Source:
the create-call contract, `background_audio` and `background_audio_gain`.
"""

import hashlib
from functools import cache
from typing import Literal

from media.audio.mulaw import SAMPLE_RATE_HZ, add, decode, encode, mix, peak, rms, scale
from media.ports import FRAME_BYTES

GAIN_DB = {"low": -10.0, "medium": -4.0, "high": 0.0}
LOOP_S = 16
MASTER_PEAK = 5200
"""About -16 dB below full scale."""

_SAMPLES = LOOP_S * SAMPLE_RATE_HZ
_KEY_STROKES = 46
_MURMUR_STEP_SAMPLES = 1000


class Ambience:
    """One call's place in the endless loop. Mono mu-law, 8000 Hz."""

    __slots__ = ("_at", "_pcm", "_ulaw")

    def __init__(self, ulaw: bytes, pcm: bytes) -> None:
        self._ulaw = ulaw
        self._pcm = pcm
        self._at = 0

    def alone(self, frames: int) -> bytes:
        """Return the next frames of background sound."""
        begin = self._advance(frames * FRAME_BYTES)
        return self._ulaw[begin : begin + frames * FRAME_BYTES]

    def under(self, audio: bytes) -> bytes:
        """Return the audio, at most one second, with the next background sound mixed under it."""
        begin = self._advance(len(audio))
        return mix(audio, self._pcm[2 * begin : 2 * (begin + len(audio))])

    def _advance(self, size: int) -> int:
        begin = self._at
        self._at = (begin + size) % _SAMPLES
        return begin


def ambience_of(background_audio: Literal["office", "none"], gain: str) -> Ambience | None:
    """Return a call's background sound, or None for silence. The first use of a gain computes the loop."""
    if background_audio == "none":
        return None
    return Ambience(*_loop(GAIN_DB[gain]))


@cache
def _loop(gain_db: float) -> tuple[bytes, bytes]:
    """Return the loop as mu-law and as PCM16, each a second longer than the loop so that a slice never wraps."""
    ulaw = encode(scale(office(), 10 ** (gain_db / 20)))
    ulaw += ulaw[:SAMPLE_RATE_HZ]
    return ulaw, decode(ulaw)


@cache
def office() -> bytes:
    """Compose the master loop, PCM16 mono 8000 Hz, `LOOP_S` long and seamless."""
    air = _at_level(_smooth(_noise("air", _SAMPLES), 32), 240)
    hum = _at_level(_smooth(_smooth(_noise("hum", _SAMPLES), 64), 16), 260)
    composed = add(add(air, hum), add(_at_level(_murmur(), 300), _keyboard()))
    return scale(composed, MASTER_PEAK / peak(composed))


def _at_level(pcm: bytes, level: int) -> bytes:
    return scale(pcm, level / rms(pcm))


def _noise(name: str, samples: int) -> bytes:
    """Return white noise, PCM16, the same for the same name, at a quarter of full scale."""
    return scale(hashlib.shake_256(f"trunkline ambience {name}".encode()).digest(2 * samples), 0.25)


def _smooth(pcm: bytes, width: int) -> bytes:
    """Low-pass by a circular running mean over `width` samples, a power of two."""
    step = 1
    while step < width:
        pcm = add(scale(pcm, 0.5), scale(_rotate(pcm, step), 0.5))
        step *= 2
    return pcm


def _rotate(pcm: bytes, samples: int) -> bytes:
    return pcm[2 * samples :] + pcm[: 2 * samples]


def _murmur() -> bytes:
    """Return speech-band noise whose level wanders like people talking in the next room."""
    low = _smooth(_noise("murmur", _SAMPLES), 8)
    band = add(low, scale(_smooth(low, 16), -0.8))
    levels = hashlib.shake_256(b"trunkline ambience levels").digest(_SAMPLES // _MURMUR_STEP_SAMPLES)
    size = 2 * _MURMUR_STEP_SAMPLES
    return b"".join(
        scale(band[index * size : (index + 1) * size], 0.1 + 0.25 * (levels[index] + levels[index - 1]) / 510)
        for index in range(len(levels))
    )


def _keyboard() -> bytes:
    """Return single key strokes at uneven distances, each a short burst of bright noise that dies away."""
    sound = bytearray(2 * _SAMPLES)
    draws = hashlib.shake_256(b"trunkline ambience keys").digest(3 * _KEY_STROKES)
    for stroke in range(_KEY_STROKES):
        where = int.from_bytes(draws[3 * stroke : 3 * stroke + 2], "big") / 65536
        begin = 2 * int(where * (_SAMPLES - 400))
        burst = _noise(f"key {stroke}", 240)
        bright = add(burst, scale(_rotate(burst, 1), -1.0))
        loudness = 0.25 + draws[3 * stroke + 2] / 512
        for part in range(6):
            piece = scale(bright[part * 80 : (part + 1) * 80], loudness * 0.6 * 0.5**part)
            sound[begin + part * 80 : begin + (part + 1) * 80] = piece
    return bytes(sound)
