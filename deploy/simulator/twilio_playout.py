"""The buffer of one media stream as Twilio keeps it: audio plays in real time, marks return when played, clear empties.

No clock and no I/O: each `take_frame` is 20 ms. Source: Twilio, Media Streams, WebSocket messages (media, mark, clear).
"""

from collections import deque

from deploy.simulator import mulaw

_COMPACT_BYTES = 64 * 1024


class Playout:
    """Audio waiting to be heard by the callee, with the marks between."""

    def __init__(self) -> None:
        self.played_bytes = 0
        self.cleared_bytes = 0
        self._buffer = bytearray()
        self._at = 0
        self._received_bytes = 0
        self._marks: deque[tuple[int, str]] = deque()

    @property
    def waiting_bytes(self) -> int:
        """Audio not played yet."""
        return len(self._buffer) - self._at

    def add(self, audio: bytes) -> None:
        """Append audio of any length, mono mu-law 8000 Hz."""
        self._buffer += audio
        self._received_bytes += len(audio)

    def mark(self, name: str) -> tuple[str, ...]:
        """Place a mark behind the audio received so far and return it at once when nothing is waiting."""
        self._marks.append((self._received_bytes, name))
        return self._passed_marks()

    def clear(self) -> tuple[str, ...]:
        """Drop all audio and return every pending mark, in order."""
        self.cleared_bytes += self.waiting_bytes
        self._buffer.clear()
        self._at = 0
        returned = tuple(name for _, name in self._marks)
        self._marks.clear()
        return returned

    def take_frame(self) -> tuple[bytes | None, tuple[str, ...]]:
        """Play 20 ms: the frame (None when nothing waits; a short end is padded) and the marks that it reached."""
        waiting = self.waiting_bytes
        if waiting <= 0:
            return None, ()
        frame = bytes(self._buffer[self._at : self._at + mulaw.FRAME_BYTES])
        self._at += len(frame)
        self.played_bytes += len(frame)
        if self._at >= len(self._buffer) or self._at > _COMPACT_BYTES:
            del self._buffer[: self._at]
            self._at = 0
        if len(frame) < mulaw.FRAME_BYTES:
            frame += mulaw.SILENCE_FRAME[len(frame) :]
        return frame, self._passed_marks() if self._marks else ()

    def _passed_marks(self) -> tuple[str, ...]:
        gone = self._received_bytes - self.waiting_bytes
        passed = []
        while self._marks and self._marks[0][0] <= gone:
            passed.append(self._marks.popleft()[1])
        return tuple(passed)
