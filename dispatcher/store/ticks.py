"""Beat's ticks as unique rows: of all workers and beats that see a tick, one gets it."""

from datetime import UTC, datetime

from sqlalchemy.dialects.postgresql import insert

from dispatcher.store.db import Tx
from schema.tables import ticks


def slot_at(now: datetime, interval_s: int) -> datetime:
    """Return the instant at which the tick that holds `now` began."""
    seconds = int(now.timestamp())
    return datetime.fromtimestamp(seconds - seconds % interval_s, UTC)


def take_slot(tx: Tx, job: str, interval_s: int) -> bool:
    """Take the job's present tick; False when it has been taken."""
    statement = insert(ticks).values(job=job, tick_at=slot_at(tx.now, interval_s), ran_at=tx.now)
    taken = tx.connection.execute(statement.on_conflict_do_nothing().returning(ticks.c.job))
    return taken.first() is not None
