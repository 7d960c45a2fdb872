"""Cut provider audio of any chunk size into whole 20 ms frames, keeping the remainder for the next chunk."""

from media.audio.mulaw import SILENCE
from media.ports import FRAME_BYTES


class FrameBuffer:
    """Mono mu-law, 8000 Hz, first in first out; bytes leave it in whole frames of 160 only.

    Args:
        limit_bytes: most it holds; what comes beyond is dropped and counted.
    """

    __slots__ = ("_bytes", "dropped_bytes", "limit_bytes")

    def __init__(self, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.dropped_bytes = 0
        self._bytes = bytearray()

    def __len__(self) -> int:
        return len(self._bytes)

    def append(self, audio: bytes) -> int:
        """Add audio and return how many bytes were kept."""
        room = self.limit_bytes - len(self._bytes)
        if len(audio) > room:
            self.dropped_bytes += len(audio) - room
            audio = audio[:room]
        self._bytes += audio
        return len(audio)

    def take(self, frames: int) -> bytes:
        """Remove and return at most this many whole frames; empty when less than one is there."""
        held = self._bytes
        size = min(frames, len(held) // FRAME_BYTES) * FRAME_BYTES
        audio = bytes(held[:size])
        del held[:size]
        return audio

    def pad(self) -> int:
        """Fill the last frame up with silence and return how many bytes that took."""
        missing = -len(self._bytes) % FRAME_BYTES
        self._bytes += SILENCE * missing
        return missing
