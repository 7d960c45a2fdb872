"""Rows nobody needs any more: past ticks, replies kept for repeated requests, workers that went silent."""

from datetime import timedelta

from sqlalchemy import delete

from dispatcher.store.db import Tx
from schema.tables import idempotency_keys, media_workers, ticks

TICKS_KEPT = timedelta(hours=1)
SILENT_WORKERS_KEPT = timedelta(hours=1)


def delete_leftovers(tx: Tx) -> int:
    """Delete what is past its time; return how many rows."""
    conditions = (
        delete(ticks).where(ticks.c.tick_at < tx.now - TICKS_KEPT),
        delete(idempotency_keys).where(idempotency_keys.c.expires_at < tx.now),
        delete(media_workers).where(media_workers.c.heartbeat_at < tx.now - SILENT_WORKERS_KEPT),
    )
    return sum(tx.connection.execute(condition).rowcount for condition in conditions)
