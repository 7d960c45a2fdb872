"""A voice whose words can be read back from its sound, so that tests prove what was heard, not what was sent.

Each of 64 symbols is a dual tone (8 low x 8 high frequencies, multiples of 50 Hz, so 20 ms of it is orthogonal to every
other) lasting 60 ms = 3 frames of mu-law at 8000 Hz. Any frame alignment leaves 2 to 4 recognisable frames per symbol,
so a run of n equal frames is round(n / 3) symbols: the listener needs no clock and survives cuts, gaps, gain and noise.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from deploy.simulator import mulaw
from deploy.simulator.riff import read_stereo

ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz0123456789 .,?!'-:;/@#$%&()+=*_\"<>[]{}"
SYMBOL_MS: Final = 60
SYMBOL_BYTES: Final = SYMBOL_MS * mulaw.BYTES_PER_MS
LOW_HZ: Final = tuple(range(400, 1600, 150))
HIGH_HZ: Final = tuple(range(1750, 3350, 200))
WORD_GAP_MS: Final = 100

_FRAMES_PER_SYMBOL: Final = SYMBOL_BYTES // mulaw.FRAME_BYTES
_TONE_PEAK: Final = 8192.0
_RAMP_SAMPLES: Final = 24
_FAINTEST_ENERGY: Final = 40.0**2 * mulaw.FRAME_BYTES
_TONAL_SHARE: Final = 0.3
_WEAKER_TONE_SHARE: Final = 0.06
_REPLACEMENTS: Final = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u2013": "-",
        "\u2014": "-",
        "\u2026": "...",
        "`": "'",
    }
)


def canonical(text: str) -> str:
    """Return the text as it will be heard: lower case, known symbols, single spaces; an unknown letter is `*`."""
    plain = unicodedata.normalize("NFKD", text.translate(_REPLACEMENTS)).lower()
    known = (c if c in ALPHABET else " " if c.isspace() else "*" for c in plain if not unicodedata.combining(c))
    return " ".join("".join(known).split())


def _symbol_sounds() -> dict[str, bytes]:
    at_s = np.arange(SYMBOL_BYTES) / mulaw.SAMPLE_RATE_HZ
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(_RAMP_SAMPLES) + 0.5) / _RAMP_SAMPLES)
    envelope = np.ones(SYMBOL_BYTES)
    envelope[:_RAMP_SAMPLES] = rise
    envelope[-_RAMP_SAMPLES:] = rise[::-1]
    sounds = {}
    for index, symbol in enumerate(ALPHABET):
        low, high = LOW_HZ[index // 8], HIGH_HZ[index % 8]
        tone = np.sin(2 * np.pi * low * at_s) + np.sin(2 * np.pi * high * at_s)
        sounds[symbol] = mulaw.encode((tone * envelope * _TONE_PEAK).astype(np.int16))
    return sounds


_SOUNDS: Final = _symbol_sounds()


def speak(text: str) -> bytes:
    """Return the text as speech: mono mu-law, 8000 Hz, 480 bytes a symbol of `canonical(text)`."""
    return b"".join(_SOUNDS[symbol] for symbol in canonical(text))


def speech_ms(text: str) -> int:
    """Return how long `speak(text)` sounds, in ms."""
    return len(canonical(text)) * SYMBOL_MS


def silence(duration_ms: int) -> bytes:
    """Return mu-law silence of that length."""
    return bytes([mulaw.SILENCE_BYTE]) * (duration_ms * mulaw.BYTES_PER_MS)


def _tone_matrix() -> NDArray[np.float32]:
    at_s = np.arange(mulaw.FRAME_BYTES) / mulaw.SAMPLE_RATE_HZ
    columns = [f(2 * np.pi * hz * at_s) for f in (np.cos, np.sin) for hz in (*LOW_HZ, *HIGH_HZ)]
    return np.stack(columns, axis=1).astype(np.float32)


_TONES: Final = _tone_matrix()


def _classify(samples: NDArray[np.float32]) -> list[int]:
    """Return the symbol index of each 20 ms frame of an (n, 160) array, or -1 where no symbol sounds."""
    parts = samples @ _TONES
    energies = (parts[:, :16] ** 2 + parts[:, 16:] ** 2).tolist()
    totals = np.einsum("ij,ij->i", samples, samples).tolist()
    return [_symbol_index(energy, total) for energy, total in zip(energies, totals, strict=True)]


def _symbol_index(energy: list[float], total: float) -> int:
    if total < _FAINTEST_ENERGY:
        return -1
    lows, highs = energy[:8], energy[8:]
    low, high = max(lows), max(highs)
    # A pure tone of frame energy E yields E * 80 in its bin.
    scale = total * (mulaw.FRAME_BYTES / 2)
    if low + high < _TONAL_SHARE * scale or min(low, high) < _WEAKER_TONE_SHARE * scale:
        return -1
    return lows.index(low) * 8 + highs.index(high)


@dataclass(frozen=True, slots=True)
class DecodedSymbol:
    """One character heard, with its place in the stream in ms."""

    symbol: str
    start_ms: int
    end_ms: int


class Decoder:
    """Hear a mu-law stream in pieces of any size and write down what it says.

    `symbols` grows as characters are recognised, 40 ms after they begin to sound. Up to the last whole frame,
    `voiced_ms` is how long the voice has sounded without a pause and `quiet_ms` how long it has been silent.
    """

    def __init__(self) -> None:
        self.symbols: list[DecodedSymbol] = []
        self.heard_ms = 0
        self.voiced_ms = 0
        self.quiet_ms = 0
        self._rest = b""
        self._run_index = -1
        self._run_frames = 0

    @property
    def text(self) -> str:
        """Everything heard so far; a gap of 100 ms or more reads as a space."""
        return text_of(self.symbols)

    def feed(self, mulaw_bytes: bytes) -> list[DecodedSymbol]:
        """Hear the next bytes and return the symbols they completed."""
        data = self._rest + mulaw_bytes if self._rest else mulaw_bytes
        frames = len(data) // mulaw.FRAME_BYTES
        if frames == 0:
            self._rest = data
            return []
        whole = frames * mulaw.FRAME_BYTES
        self._rest = data[whole:]
        if data.count(mulaw.SILENCE_BYTE, 0, whole) == whole:
            self._quiet(frames)
            return []
        samples = mulaw.decode_float(data[:whole]).reshape(frames, mulaw.FRAME_BYTES)
        known = len(self.symbols)
        for index in _classify(samples):
            if index < 0:
                self._quiet(1)
            else:
                self._voiced(index)
        return self.symbols[known:]

    def _quiet(self, frames: int) -> None:
        self.heard_ms += frames * mulaw.FRAME_MS
        self.quiet_ms += frames * mulaw.FRAME_MS
        self._run_index = -1
        self._run_frames = 0
        # One unclear frame between two symbols is a boundary, not a pause.
        if self.quiet_ms > mulaw.FRAME_MS:
            self.voiced_ms = 0

    def _voiced(self, index: int) -> None:
        self.heard_ms += mulaw.FRAME_MS
        self.voiced_ms += mulaw.FRAME_MS
        self.quiet_ms = 0
        self._run_frames = self._run_frames + 1 if index == self._run_index else 1
        self._run_index = index
        if self._run_frames % _FRAMES_PER_SYMBOL == 2:
            start_ms = self.heard_ms - 2 * mulaw.FRAME_MS
            self.symbols.append(DecodedSymbol(ALPHABET[index], start_ms, start_ms + SYMBOL_MS))


def text_of(symbols: Iterable[DecodedSymbol]) -> str:
    """Return the characters as text; a gap of 100 ms or more reads as a space."""
    written: list[str] = []
    end_ms: int | None = None
    for heard in symbols:
        if end_ms is not None and heard.start_ms - end_ms >= WORD_GAP_MS:
            written.append(" ")
        written.append(heard.symbol)
        end_ms = heard.end_ms
    return " ".join("".join(written).split())


def decode_mulaw(mulaw_bytes: bytes) -> str:
    """Return the words in a piece of mono mu-law at 8000 Hz."""
    decoder = Decoder()
    decoder.feed(mulaw_bytes)
    return decoder.text


def decode_pcm16(samples: NDArray[np.int16], rate_hz: int = mulaw.SAMPLE_RATE_HZ) -> str:
    """Return the words in mono 16-bit samples.

    Raises:
        ValueError: the rate is no multiple of 8000 Hz.
    """
    if rate_hz % mulaw.SAMPLE_RATE_HZ:
        raise ValueError(f"rate must be a multiple of {mulaw.SAMPLE_RATE_HZ} Hz, not {rate_hz}")
    # The voice ends below 3400 Hz, so plain decimation aliases nothing that matters to it.
    return decode_mulaw(mulaw.encode(samples[:: rate_hz // mulaw.SAMPLE_RATE_HZ]))


def decode_wav_stereo(path: Path | str) -> tuple[str, str]:
    """Return the words in the left and in the right channel of a WAV file (16-bit PCM or mu-law).

    Raises:
        ValueError: the file is no stereo WAV of such samples.
    """
    left, right, rate_hz = read_stereo(Path(path))
    return decode_pcm16(left, rate_hz), decode_pcm16(right, rate_hz)
