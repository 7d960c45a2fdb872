"""Callee audio that no final transcript covers yet, to be sent again when a recogniser's socket is lost. No I/O.

Positions are bytes of the current socket's audio: mono mu-law, 8000 bytes a second.
"""

from collections import deque

BYTES_PER_S = 8000


class Replay:
    """The unheard tail of the audio, bounded: beyond the limit the oldest is forgotten."""

    __slots__ = ("_first_byte", "_frames", "_kept_bytes", "_limit_bytes")

    def __init__(self, limit_s: float) -> None:
        self._limit_bytes = int(limit_s * BYTES_PER_S)
        self._frames: deque[bytes] = deque()
        self._kept_bytes = 0
        self._first_byte = 0

    def keep(self, audio: bytes) -> None:
        """Keep audio that was, or would have been, sent."""
        self._frames.append(audio)
        self._kept_bytes += len(audio)
        if self._kept_bytes > self._limit_bytes:
            self._forget()

    def heard_until(self, position_s: float) -> None:
        """Forget what final transcripts cover."""
        last_byte = int(position_s * BYTES_PER_S)
        while self._frames and self._first_byte + len(self._frames[0]) <= last_byte:
            self._forget()

    def restart(self) -> bytes:
        """Give everything unheard, which a new socket gets first and counts from zero."""
        self._first_byte = 0
        return b"".join(self._frames)

    def _forget(self) -> None:
        size = len(self._frames.popleft())
        self._kept_bytes -= size
        self._first_byte += size
