"""What of one utterance was received, put on the wire and heard.

Heard is never more than played, played never more than sent, sent never more than received. Played is what the pace
clock proves; the carrier's mark may prove more. Bytes are mono mu-law, 8000 Hz, 8 bytes a millisecond.
"""

from media.ports.audio import BYTES_PER_MS

BYTES_PER_S = 1000 * BYTES_PER_MS


class Playout:
    """The account of one agent utterance.

    Attributes:
        received_bytes: audio the provider gave.
        sent_bytes: audio on the wire, without padding.
        ends_at: monotonic instant at which the last sent byte will have been played.
        first_sent_at: instant of the first byte on the wire.
        complete: the provider has given everything.
        cut: the utterance was interrupted; nothing more is heard of it.
    """

    __slots__ = ("_heard_bytes", "complete", "cut", "ends_at", "first_sent_at", "received_bytes", "sent_bytes")

    def __init__(self) -> None:
        self.received_bytes = 0
        self.sent_bytes = 0
        self.ends_at = 0.0
        self.first_sent_at: float | None = None
        self.complete = False
        self.cut = False
        self._heard_bytes = 0

    def received(self, size_bytes: int) -> None:
        """Count audio from the provider; ignored after a cut."""
        if not self.cut:
            self.received_bytes += size_bytes

    def sent(self, size_bytes: int, *, now: float, ends_at: float) -> None:
        """Count audio put on the wire, which the carrier will have played at `ends_at`."""
        if self.cut:
            return
        if self.first_sent_at is None:
            self.first_sent_at = now
        self.sent_bytes = min(self.received_bytes, self.sent_bytes + size_bytes)
        self.ends_at = ends_at

    def heard_bytes(self, now: float) -> int:
        """Return how much the callee has heard at the instant; never less than at an earlier one."""
        if not self.cut:
            still_to_play = max(0.0, self.ends_at - now) * BYTES_PER_S
            self._heard_bytes = max(self._heard_bytes, self.sent_bytes - round(still_to_play))
        return self._heard_bytes

    def confirm(self) -> None:
        """The carrier says that everything sent so far has been played; ignored after a cut."""
        if not self.cut:
            self._heard_bytes = self.sent_bytes

    def interrupt(self, now: float) -> None:
        """Freeze the account at what has been heard."""
        self.heard_bytes(now)
        self.cut = True

    def heard_ms(self, now: float) -> int:
        """Return min(played, received) in whole milliseconds, rounded down."""
        return self.heard_bytes(now) // BYTES_PER_MS

    @property
    def received_ms(self) -> int:
        """What the provider gave, in whole milliseconds, rounded down."""
        return self.received_bytes // BYTES_PER_MS

    def fully_heard(self, now: float) -> bool:
        """Tell whether the callee has heard all of a complete utterance."""
        return self.complete and not self.cut and self.heard_bytes(now) >= self.received_bytes
