"""A clock that stands still until it is moved."""

from datetime import UTC, datetime, timedelta

MONDAY_MORNING = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
"""10:00 in New York."""


class Clock:
    """What `Database(url, clock=...)` takes."""

    def __init__(self, now: datetime = MONDAY_MORNING) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> datetime:
        """Move on by timedelta's words and return the new instant."""
        self.now += timedelta(**by)
        return self.now
