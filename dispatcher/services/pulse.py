"""A media worker's heartbeat: it lives, these are its calls, this happened to them; in return, which it has lost.

One batched transaction per worker process. A fenced worker learns here that a call is no longer its own and hangs up.
"""

from dataclasses import dataclass
from uuid import UUID

import structlog

from dispatcher.store import workers
from dispatcher.store.db import Database
from schema.callspec import Progress, WorkerPulse

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PulseAnswer:
    """What the worker must do: drop the `lost` calls, for another has them; end the `stop` calls."""

    lost: frozenset[UUID]
    stop: frozenset[UUID]


def pulse(db: Database, pulse: WorkerPulse, progress: tuple[Progress, ...]) -> PulseAnswer:
    """Renew a worker's leases and write what it reports."""
    with db.transaction() as tx:
        workers.beat(tx, pulse)
        held = workers.renew(tx, pulse.worker_id, pulse.leases)
        workers.apply_progress(tx, progress)
    lost = frozenset(lease.call_id for lease in pulse.leases) - held.keys()
    for call_id in lost:
        log.warning("lease_lost", call_id=str(call_id), worker_id=pulse.worker_id)
    return PulseAnswer(lost, frozenset(call_id for call_id, stop in held.items() if stop))


def retire(db: Database, worker_id: str) -> None:
    """Strike a worker that has drained; calls it may still hold are rescued when their leases run out."""
    with db.transaction() as tx:
        workers.forget(tx, worker_id)
