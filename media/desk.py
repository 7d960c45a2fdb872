"""The one door from media to the dispatcher: take a call, keep its lease, report it, settle an orphan.

Synchronous; called from Celery's task threads and the heartbeat thread, never from the event loop. Nothing else in
`media` knows that a dispatcher exists.
"""

from uuid import UUID

from celery import Celery
from tenacity import retry, retry_if_exception, stop_after_delay, wait_random_exponential

from dispatcher.announce import CeleryAnnouncer
from dispatcher.celery_app import make_app
from dispatcher.errors import is_database_outage
from dispatcher.log import configure_logging
from dispatcher.services.pulse import PulseAnswer, pulse, retire
from dispatcher.services.record import record_call
from dispatcher.services.rescue import adopt_orphan, leave_in_doubt, settle_orphan
from dispatcher.services.take import take_call
from dispatcher.store.db import Database
from dispatcher.task_names import MEDIA_RUN, MEDIA_SETTLE
from schema.callspec import CallResult, CallSpec, Claim, Orphan, OrphanFinding, Progress, WorkerPulse
from schema.settings import ProcessSettings

__all__ = ["MEDIA_RUN", "MEDIA_SETTLE", "Desk", "PulseAnswer", "configure_logging", "make_app"]

RECORD_RETRY_S = 60

_riding_out_an_outage = retry(
    retry=retry_if_exception(is_database_outage),
    stop=stop_after_delay(RECORD_RETRY_S),
    wait=wait_random_exponential(multiplier=0.2, max=5),
    reraise=True,
)
"""For what is known of a call: fenced, so that writing it late or twice changes nothing."""


class Desk:
    """The dispatcher as a media worker sees it."""

    def __init__(self, settings: ProcessSettings, app: Celery, *, connections: int) -> None:
        self._db = Database(settings.database_url, pool_size=connections)
        self._announcer = CeleryAnnouncer(app)

    def take(self, claim: Claim, worker_id: str) -> CallSpec | None:
        """Take a claimed call for dialling; None when it is not ours to dial any more."""
        return take_call(self._db, self._announcer, claim, worker_id)

    def pulse(self, pulse_: WorkerPulse, progress: tuple[Progress, ...]) -> PulseAnswer:
        """Renew this worker's leases and report progress; learn which calls are lost or to be stopped."""
        return pulse(self._db, pulse_, progress)

    @_riding_out_an_outage
    def record(self, result: CallResult) -> bool:
        """Write the terminal record; False when another worker owns the call. Rides out a short database outage."""
        return record_call(self._db, self._announcer, result)

    @_riding_out_an_outage
    def leave_in_doubt(self, result: CallResult) -> None:
        """Leave a call of which nobody knows whether it was placed to the rescue, which asks the carrier."""
        leave_in_doubt(self._db, result.call_id, result.lease_token, result.error_message or "")

    def adopt(self, call_id: UUID, worker_id: str) -> Orphan | None:
        """Take over a call whose worker is gone; None when it is none any more."""
        return adopt_orphan(self._db, call_id, worker_id)

    @_riding_out_an_outage
    def settle(self, finding: OrphanFinding) -> None:
        """Write what the carrier said about an orphan. Rides out a short database outage."""
        settle_orphan(self._db, self._announcer, finding)

    def retire(self, worker_id: str) -> None:
        """Tell the dispatcher that this worker is gone."""
        retire(self._db, worker_id)

    def close(self) -> None:
        """Close the database connections."""
        self._db.dispose()
