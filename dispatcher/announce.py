"""Doorbell messages: something is to be done; the database says what, and whether it still is.

A lost or doubled message changes nothing, so a failing broker is logged and forgotten: the next sweep rings again.
After a failure the bell keeps silent for a moment, so that a dead broker delays no batch. Follows ARCHITECTURE.md,
"Truth, doorbell, cache".
"""

import time
from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import UUID

import structlog
from celery import Celery
from kombu.exceptions import BatchPublishError, LimitExceeded, OperationalError
from kombu.pools import producers

from dispatcher.task_names import (
    DELIVER_QUEUE,
    DELIVER_SEND,
    DISPATCH_QUEUE,
    MEDIA_QUEUE,
    MEDIA_RUN,
    MEDIA_SETTLE,
    POST_ANALYSE,
    POST_QUEUE,
    TICK,
)
from schema.callspec import Claim

log = structlog.get_logger()

QUIET_S = 1.0
ACQUIRE_S = 1.0
_TRY_ONCE = {"max_retries": 0, "retry_on_timeout": False}
"""Source: kombu otherwise tries to connect for the whole connection time-out, and never batches what it may repeat."""
STALE_S = 15
"""A bell nobody answered for so long is rung again by a sweep; the old message is dropped unread."""


class Announcer(Protocol):
    """Rings workers. Never raises, never blocks for long."""

    def media(self, claim: Claim) -> None:
        """A call is claimed and waits for a media worker."""

    def media_many(self, claims: Sequence[Claim]) -> None:
        """Several calls are claimed."""

    def settle(self, call_id: UUID) -> None:
        """A call lost its worker; ask the carrier about it."""

    def analyse(self, call_id: UUID, token: int) -> None:
        """A conversation ended and waits for its summary."""

    def deliver(self, delivery_id: UUID, token: int) -> None:
        """A webhook is leased to be sent."""

    def tick(self, job: str) -> None:
        """A periodic job has something to do now."""


class SilentAnnouncer:
    """Rings nobody; every sweep still finds its work."""

    def media(self, claim: Claim) -> None:
        """Say nothing."""

    def media_many(self, claims: Sequence[Claim]) -> None:
        """Say nothing."""

    def settle(self, call_id: UUID) -> None:
        """Say nothing."""

    def analyse(self, call_id: UUID, token: int) -> None:
        """Say nothing."""

    def deliver(self, delivery_id: UUID, token: int) -> None:
        """Say nothing."""

    def tick(self, job: str) -> None:
        """Say nothing."""


class CeleryAnnouncer:
    """Rings through the broker. Safe to share between threads."""

    def __init__(self, app: Celery, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._monotonic = monotonic
        self._quiet_until = 0.0
        self._producers = producers[app.connection_for_write(transport_options=_TRY_ONCE)]

    def media(self, claim: Claim) -> None:
        """Send `media.run`; it is dropped unread once the claim's lease is over."""
        self.media_many((claim,))

    def media_many(self, claims: Sequence[Claim]) -> None:
        """Send `media.run` for each in one go."""
        self._send(MEDIA_RUN, MEDIA_QUEUE, [(str(claim.call_id), claim.lease_token) for claim in claims])

    def settle(self, call_id: UUID) -> None:
        """Send `media.settle`."""
        self._send(MEDIA_SETTLE, MEDIA_QUEUE, [(str(call_id),)])

    def analyse(self, call_id: UUID, token: int) -> None:
        """Send `post.analyse`."""
        self._send(POST_ANALYSE, POST_QUEUE, [(str(call_id), token)], stale_s=None)

    def deliver(self, delivery_id: UUID, token: int) -> None:
        """Send `deliver.send`."""
        self._send(DELIVER_SEND, DELIVER_QUEUE, [(str(delivery_id), token)], stale_s=None)

    def tick(self, job: str) -> None:
        """Send `dispatch.tick`."""
        self._send(TICK, DISPATCH_QUEUE, [(job,)])

    def _send(
        self, name: str, queue: str, messages: Sequence[tuple[str | int, ...]], *, stale_s: int | None = STALE_S
    ) -> None:
        if self._monotonic() < self._quiet_until:
            return
        try:
            with self._producers.acquire(block=True, timeout=ACQUIRE_S) as producer, producer.batch():
                options = {"queue": queue, "expires": stale_s, "retry": False, "producer": producer}
                for args in messages:
                    self._app.send_task(name, args=args, ignore_result=True, **options)
        except (OperationalError, BatchPublishError, LimitExceeded, OSError) as error:
            self._quiet_until = self._monotonic() + QUIET_S
            log.warning("announcement_failed", task=name, error=type(error).__name__)
