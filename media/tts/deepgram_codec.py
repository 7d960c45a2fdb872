"""Frames of Deepgram's streaming voice (speak v1, Aura-2), and which audio belongs to the current utterance. No I/O.

Audio frames carry no utterance id: after a Clear everything is old until Cleared, and Flushed ends an utterance. At
most 20 Flush go out in 60 s, or Deepgram refuses them. Source: Deepgram, text to speech WebSocket.
"""

from collections import deque

import orjson
import structlog

from media.errors import ProviderError
from media.stt.deepgram_socket import PROVIDER
from schema.outcomes import EndReason

FLUSH = '{"type":"Flush"}'
CLEAR = '{"type":"Clear"}'
CLOSE = '{"type":"Close"}'
FLUSHES_MAX = 20
FLUSH_WINDOW_S = 60.0

_log = structlog.get_logger()


class SpeakCodec:
    """The client's side of one voice socket.

    Attributes:
        is_busy: an utterance has begun and neither ended nor been cancelled.
    """

    __slots__ = ("_clears_owed", "_flush_owed", "_flushed_at", "is_busy")

    def __init__(self) -> None:
        self.is_busy = False
        self._flush_owed = False
        self._clears_owed = 0
        self._flushed_at: deque[float] = deque(maxlen=FLUSHES_MAX)

    @property
    def is_owed(self) -> bool:
        """Whether the server owes an answer: the end of a flushed utterance, or of a clear."""
        return self._flush_owed or self._clears_owed > 0

    def speak(self, text: str) -> str:
        """Encode one sentence of the utterance, kept apart from the next one."""
        self.is_busy = True
        return orjson.dumps({"type": "Speak", "text": f"{text.rstrip()} "}).decode()

    def flush_wait_s(self, now_s: float) -> float:
        """Say how long the next Flush must wait for the budget."""
        if len(self._flushed_at) < FLUSHES_MAX:
            return 0.0
        return max(0.0, self._flushed_at[0] + FLUSH_WINDOW_S - now_s)

    def flush(self, now_s: float) -> str | None:
        """Encode the end of the utterance; None when there is nothing to end."""
        if not self.is_busy or self._flush_owed:
            return None
        self._flush_owed = True
        self._flushed_at.append(now_s)
        return FLUSH

    def clear(self) -> str | None:
        """Encode forgetting the utterance; None when there is none."""
        if not self.is_busy:
            return None
        self.is_busy = self._flush_owed = False
        self._clears_owed += 1
        return CLEAR

    def receive(self, message: str | bytes) -> tuple[bytes | None, ...]:
        """Read one frame: audio of the current utterance, or None at its end.

        Raises:
            ProviderError: It is an error report.
        """
        if isinstance(message, bytes):
            return () if self._clears_owed or not self.is_busy else (message,)
        try:
            frame = orjson.loads(message)
            kind = frame["type"]
        except (KeyError, TypeError, ValueError) as error:
            _log.warning("tts.malformed_frame", fault=type(error).__name__)
            return ()
        if kind == "Error":
            detail = str(frame.get("description") or frame.get("message"))[:200]
            raise ProviderError(PROVIDER, detail, EndReason.PROVIDER_ERROR)
        return self._control(kind, frame)

    def _control(self, kind: str, frame: dict[str, object]) -> tuple[None, ...]:
        if kind == "Cleared":
            self._clears_owed = max(0, self._clears_owed - 1)
        elif kind == "Warning":
            _log.warning("tts.warned", code=frame.get("code"))
        elif kind == "Flushed" and self._flush_owed and not self._clears_owed:
            self.is_busy = self._flush_owed = False
            return (None,)
        return ()
