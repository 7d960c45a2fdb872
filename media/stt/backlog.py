"""Audio kept back while a provider's socket does not take it: the latest seconds, and a count of what was given up."""

from collections import deque


class Backlog:
    """Frames waiting for the socket, mono mu-law 8000 Hz; the oldest goes first when it is full.

    Attributes:
        dropped_frames: how many were given up.
    """

    __slots__ = ("_frames", "dropped_frames")

    def __init__(self, frames_max: int) -> None:
        self._frames: deque[bytes] = deque(maxlen=frames_max)
        self.dropped_frames = 0

    def keep(self, audio: bytes) -> None:
        """Keep a frame for later."""
        self.dropped_frames += len(self._frames) == self._frames.maxlen
        self._frames.append(audio)

    def before(self, audio: bytes) -> bytes:
        """Take everything kept, followed by the frame, as one piece."""
        if not self._frames:
            return audio
        joined = b"".join((*self._frames, audio))
        self._frames.clear()
        return joined
