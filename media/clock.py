"""The two clocks of a session, passed in so that tests own time.

Durations and deadlines are measured on the monotonic clock; the wall clock only stamps records.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """Monotonic seconds and the wall clock in UTC. The event loop's timers must run on the same monotonic seconds."""

    now: Callable[[], float] = time.monotonic
    utc: Callable[[], datetime] = _utc_now


SYSTEM_CLOCK = Clock()
