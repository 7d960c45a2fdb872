"""Ringing in the background: in order, bounded, never in the way."""

import threading
from uuid import UUID, uuid4

from api.doorbell import MAX_WAITING, BackgroundAnnouncer
from schema.callspec import Claim
from tests.builders.announcer import RecordingAnnouncer


class _Bell(RecordingAnnouncer):
    """Rings only once it is let go, and tells when it has rung as often as expected."""

    def __init__(self, expected: int) -> None:
        super().__init__()
        self.let_go = threading.Event()
        self.done = threading.Event()
        self._expected = expected

    def settle(self, call_id: UUID) -> None:
        self.let_go.wait()
        super().settle(call_id)
        if len(self.settles) == self._expected:
            self.done.set()


def test_rings_are_passed_on_in_order() -> None:
    bell = _Bell(expected=3)
    background = BackgroundAnnouncer(bell)
    calls = [uuid4() for _ in range(3)]
    claim = Claim(uuid4(), 1)
    background.media(claim)
    background.media_many((claim, claim))
    background.analyse(calls[0], 2)
    background.deliver(calls[1], 3)
    background.tick("claim")
    for call_id in calls:
        background.settle(call_id)
    bell.let_go.set()
    assert bell.done.wait(timeout=60)
    assert bell.settles == calls
    assert (bell.claims, bell.analyses, bell.deliveries, bell.ticks) == (
        [claim, claim, claim],
        [(calls[0], 2)],
        [(calls[1], 3)],
        ["claim"],
    )


def test_a_full_line_drops_rings_instead_of_waiting() -> None:
    bell = _Bell(expected=MAX_WAITING)
    background = BackgroundAnnouncer(bell)
    for _ in range(MAX_WAITING + 100):
        background.settle(uuid4())
    bell.let_go.set()
    assert bell.done.wait(timeout=60)
