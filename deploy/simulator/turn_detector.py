"""Server-side turn detection of a realtime session over the audio's own clock: when speech began, ended, what it said.

Time is the position in the stream, so that the same audio always gives the same turns. Speech is loudness above the
threshold (0.5 = RMS 1200 of 32768); its words are read from the voice. No I/O.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from deploy.simulator import mulaw
from deploy.simulator.voice import Decoder, text_of

_RMS_AT_FULL_THRESHOLD: Final = 2400.0
_ONSET_FRAMES: Final = 2
_EAGERNESS_MS: Final = {"low": 8000, "medium": 4000, "auto": 4000, "high": 2000}
_FINISHED_MS: Final = 300
_CANNED_TEXT: Final = "yes, i see."


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Speech began at `at_ms` of the stream, prefix padding included."""

    at_ms: int


@dataclass(frozen=True, slots=True)
class SpeechStopped:
    """Speech ended: `at_ms` includes the silence that proved it; `text` is what was said since `start_ms`."""

    at_ms: int
    start_ms: int
    text: str


TurnEvent = SpeechStarted | SpeechStopped


class TurnDetector:
    """Follows one input audio stream.

    Attributes:
        position_ms: audio received so far.
        speaking: whether speech is going on.
        last_voice_ms: end of the latest loud frame.
    """

    def __init__(self, *, canned: bool = False) -> None:
        self.position_ms = 0
        self.speaking = False
        self.last_voice_ms = 0
        self._canned = canned
        self._decoder = Decoder()
        self._rest = b""
        self._loud_frames = 0
        self._start_ms = 0
        self._taken_symbols = 0
        self._buffered_from_ms = 0

    @property
    def buffered_ms(self) -> int:
        """Audio since the last commit or clear."""
        return self.position_ms - self._buffered_from_ms

    def feed(self, audio: bytes, settings: Mapping[str, Any] | None) -> list[TurnEvent]:
        """Take mu-law audio under the session's `turn_detection`; None detects nothing."""
        data = self._rest + audio if self._rest else audio
        whole = len(data) // mulaw.FRAME_BYTES * mulaw.FRAME_BYTES
        self._rest = data[whole:]
        events: list[TurnEvent] = []
        for at in range(0, whole, mulaw.FRAME_BYTES):
            event = self._frame(data[at : at + mulaw.FRAME_BYTES], settings)
            if event is not None:
                events.append(event)
        return events

    def take(self) -> str:
        """Return what was said since the last commit, and begin a new buffer."""
        text = _CANNED_TEXT if self._canned else text_of(self._decoder.symbols[self._taken_symbols :])
        self.clear()
        return text

    def clear(self) -> None:
        """Begin a new buffer."""
        self._taken_symbols = len(self._decoder.symbols)
        self._buffered_from_ms = self.position_ms
        self.speaking = False
        self._loud_frames = 0

    def _frame(self, frame: bytes, settings: Mapping[str, Any] | None) -> TurnEvent | None:
        self.position_ms += mulaw.FRAME_MS
        loud = self._is_loud(frame, settings)
        if not self._canned:
            self._decoder.feed(frame if loud else mulaw.SILENCE_FRAME)
        if loud:
            self.last_voice_ms = self.position_ms
            self._loud_frames += 1
            return self._maybe_started(settings)
        self._loud_frames = 0
        return self._maybe_stopped(settings)

    def _is_loud(self, frame: bytes, settings: Mapping[str, Any] | None) -> bool:
        if frame == mulaw.SILENCE_FRAME:
            return False
        threshold = 0.5 if settings is None else float(settings.get("threshold", 0.5))
        return self._canned or mulaw.loudness(frame) > threshold * _RMS_AT_FULL_THRESHOLD

    def _maybe_started(self, settings: Mapping[str, Any] | None) -> SpeechStarted | None:
        if settings is None or self.speaking or self._loud_frames < _ONSET_FRAMES:
            return None
        self.speaking = True
        padding_ms = int(settings.get("prefix_padding_ms", 300))
        self._start_ms = max(self._buffered_from_ms, self.position_ms - _ONSET_FRAMES * mulaw.FRAME_MS - padding_ms)
        return SpeechStarted(self._start_ms)

    def _maybe_stopped(self, settings: Mapping[str, Any] | None) -> SpeechStopped | None:
        if settings is None or not self.speaking:
            return None
        if self.position_ms - self.last_voice_ms < self._silence_ms(settings):
            return None
        start_ms = self._start_ms
        return SpeechStopped(self.position_ms, start_ms, self.take())

    def _silence_ms(self, settings: Mapping[str, Any]) -> int:
        if settings["type"] == "server_vad":
            return int(settings["silence_duration_ms"])
        said = text_of(self._decoder.symbols[self._taken_symbols :])
        return _FINISHED_MS if said.endswith((".", "?", "!")) else _EAGERNESS_MS[settings["eagerness"]]
