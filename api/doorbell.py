"""Ringing without waiting: announcements go out on a thread of their own, so a broker that hangs delays no answer.

The line of waiting rings is bounded; when it is full a ring is dropped, as a broker might drop it: the next sweep finds
the work in the database.
"""

import queue
import threading
from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

import structlog

from dispatcher.announce import Announcer
from schema.callspec import Claim

log = structlog.get_logger()

MAX_WAITING = 1_000


class BackgroundAnnouncer:
    """Rings through another announcer. Safe to share between threads.

    Its own thread starts with the first ring, and again with the next one should a ring break it.
    """

    def __init__(self, bell: Announcer) -> None:
        self._bell = bell
        self._waiting: queue.Queue[Callable[[], None]] = queue.Queue(MAX_WAITING)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def media(self, claim: Claim) -> None:
        """Ring for a claimed call."""
        self._ring(partial(self._bell.media, claim))

    def media_many(self, claims: Sequence[Claim]) -> None:
        """Ring for several claimed calls."""
        self._ring(partial(self._bell.media_many, claims))

    def settle(self, call_id: UUID) -> None:
        """Ring for a call that lost its worker."""
        self._ring(partial(self._bell.settle, call_id))

    def analyse(self, call_id: UUID, token: int) -> None:
        """Ring for a conversation that ended."""
        self._ring(partial(self._bell.analyse, call_id, token))

    def deliver(self, delivery_id: UUID, token: int) -> None:
        """Ring for a webhook to be sent."""
        self._ring(partial(self._bell.deliver, delivery_id, token))

    def tick(self, job: str) -> None:
        """Ring for a periodic job."""
        self._ring(partial(self._bell.tick, job))

    def _ring(self, ring: Callable[[], None]) -> None:
        self._start()
        try:
            self._waiting.put_nowait(ring)
        except queue.Full:
            log.warning("announcement_dropped", waiting=MAX_WAITING)

    def _start(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            return
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="doorbell", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._waiting.get()()
