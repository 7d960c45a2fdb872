"""Align both sides of a call for a stereo recording: callee left, agent as heard right.

Works on the call clock: what arrives late is put where it belongs, gaps become silence, what the callee never heard is
taken back. Emits one second of both sides at a time, so a call holds less than 50 KB. Knows nothing of files.
"""

from typing import Protocol

from media.audio.mulaw import SAMPLE_RATE_HZ, SILENCE

CHUNK_BYTES = SAMPLE_RATE_HZ
JITTER_BYTES = SAMPLE_RATE_HZ // 2
"""Callee audio may run this far behind or ahead of the call clock before silence is filled in or audio dropped."""
MIN_GAP_BYTES = 16
"""Differences below 2 ms are rounding, not gaps."""
_HOLD_BYTES = JITTER_BYTES + 2000
"""How far the clock must be past a second before it is emitted; more than either side may still change."""


class RecordingSink(Protocol):
    """Where finished seconds go."""

    def write(self, position: int, callee: bytes, agent: bytes) -> None:
        """Take equal lengths of both sides, mu-law; `position` is the sample at which they begin. Must not block."""


class StereoRecorder:
    """One call's recording in the making.

    Args:
        began_at: monotonic instant of the recording's first sample.

    Attributes:
        dropped_bytes: callee audio that came too far ahead of the clock.
    """

    __slots__ = ("_agent", "_base", "_began_at", "_callee", "_flush_at", "_sink", "dropped_bytes")

    def __init__(self, sink: RecordingSink, began_at: float) -> None:
        self.dropped_bytes = 0
        self._sink = sink
        self._began_at = began_at
        self._base = 0
        self._flush_at = CHUNK_BYTES + _HOLD_BYTES
        self._callee = bytearray()
        self._agent = bytearray()

    def callee(self, audio: bytes, now: float) -> None:
        """Add callee audio that has just arrived, mono mu-law 8000 Hz."""
        clock = round((now - self._began_at) * SAMPLE_RATE_HZ)
        if clock >= self._flush_at:
            self._flush(clock)
        lag = clock - self._base - len(self._callee) - len(audio)
        if lag > JITTER_BYTES:
            self._callee += SILENCE * lag
        elif lag < -JITTER_BYTES:
            self.dropped_bytes += len(audio)
            return
        self._callee += audio

    def agent(self, audio: bytes, plays_at: float) -> None:
        """Add agent audio that the callee will hear from the instant on."""
        position = round((plays_at - self._began_at) * SAMPLE_RATE_HZ)
        if position >= self._flush_at:
            self._flush(position)
        gap = position - self._base - len(self._agent)
        if gap > MIN_GAP_BYTES:
            self._agent += SILENCE * gap
        self._agent += audio

    def cut_agent(self, now: float) -> None:
        """Take back agent audio that would have been heard after the instant."""
        heard = round((now - self._began_at) * SAMPLE_RATE_HZ) - self._base
        del self._agent[max(0, heard) :]

    def close(self, now: float) -> None:
        """Emit what is left, both sides filled up to the instant."""
        self.cut_agent(now)
        clock = round((now - self._began_at) * SAMPLE_RATE_HZ)
        if clock >= self._flush_at:
            self._flush(clock)
        self._emit(max(len(self._callee), len(self._agent), clock - self._base))

    def _flush(self, clock: int) -> None:
        while clock >= self._flush_at:
            self._emit(CHUNK_BYTES)

    def _emit(self, size: int) -> None:
        if size <= 0:
            return
        for side in (self._callee, self._agent):
            if len(side) < size:
                side.extend(SILENCE * (size - len(side)))
        self._sink.write(self._base, bytes(self._callee[:size]), bytes(self._agent[:size]))
        del self._callee[:size]
        del self._agent[:size]
        self._base += size
        self._flush_at = self._base + CHUNK_BYTES + _HOLD_BYTES
