"""What a session waits for, and how long. Pure; instants are monotonic seconds.

A deadline exists only while what it waits for is outstanding, so there is never a call without one.
"""

from enum import StrEnum

from schema.callspec import CallSpec

RING_GRACE_S = 10.0
"""How much longer than the ring timeout the carrier's own report may take."""
STREAM_S = 10.0
"""How long the media socket may take after the answer."""
LEG_LOST_S = 3.0
"""How long a lost media socket waits for the carrier to say that the callee hung up."""
LINGER_S = 1.0
"""How long the media socket of a call that the carrier calls over may take to say how it ended."""
GOODBYE_LEAD_S = 15.0
"""How long before the hard stop the agent begins to say goodbye at the latest."""


class Due(StrEnum):
    """What has run out: ringing, the media socket's coming, absence, lingering, the time to talk, the time there is."""

    RING = "ring"
    STREAM = "stream"
    LEG_LOST = "leg_lost"
    LINGER = "linger"
    GOODBYE = "goodbye"
    HARD_STOP = "hard_stop"


class Deadlines:
    """The running deadlines of one call."""

    def __init__(self, spec: CallSpec, now: float) -> None:
        hold_s = float(spec.hold_s)
        self._hold_s = hold_s
        self._talk_s = min(spec.config.max_duration * 60, max(hold_s - GOODBYE_LEAD_S, hold_s / 2))
        self._due: dict[Due, float] = {Due.RING: now + spec.config.ring_timeout + RING_GRACE_S}

    def answered(self, now: float) -> None:
        """Somebody picked up; the media socket must come now."""
        self._due.pop(Due.RING, None)
        self._due[Due.STREAM] = now + STREAM_S
        self._due[Due.GOODBYE] = now + self._talk_s
        self._due[Due.HARD_STOP] = now + self._hold_s

    def joined(self) -> None:
        """The media socket is up."""
        self._due.pop(Due.STREAM, None)

    def leg_lost(self, now: float) -> None:
        """The media socket is gone."""
        self._due[Due.LEG_LOST] = now + LEG_LOST_S

    def carrier_done(self, now: float) -> None:
        """The carrier says that the call is over, but its media socket is still up."""
        self._due.setdefault(Due.LINGER, now + LINGER_S)

    def next_in_s(self, now: float) -> float | None:
        """Return the seconds until the next deadline."""
        return max(0.0, min(self._due.values()) - now) if self._due else None

    def passed(self, now: float) -> Due | None:
        """Take the earliest deadline that has passed, or None."""
        due = min(self._due, key=lambda kind: self._due[kind], default=None)
        if due is None or self._due[due] > now:
            return None
        del self._due[due]
        return due
