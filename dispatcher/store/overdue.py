"""Calls whose lease ran out, and accepted calls nobody could start: what the rescue looks at, the oldest first.

Reads only; each call is locked and judged again before anything is done to it.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from dispatcher.store.db import Tx
from dispatcher.store.live import FRESH_HEARTBEAT
from dispatcher.store.sql import sql

_UNTAKEN = sql("""
    select id from calls where phase in $live and phase = 'claimed' and lease_until < :before
    order by lease_until limit :at_most
    """)
_ORPHANED = sql("""
    select id from calls
    where phase in $live and phase in ('dialing', 'ringing', 'answered') and lease_until < :before
    order by lease_until limit :at_most
    """)
_UNSTARTED = sql("""
    select id from calls where phase = 'scheduled' and enrolment_id is null and due_at < :before
    order by due_at, id limit :at_most
    """)
_ANY_WORKER = sql("select exists (select 1 from media_workers where heartbeat_at > :since)")


def untaken(tx: Tx, at_most: int) -> Sequence[UUID]:
    """List claimed calls no media worker took within the lease."""
    return tuple(tx.connection.execute(_UNTAKEN, {"before": tx.now, "at_most": at_most}).scalars())


def orphaned(tx: Tx, silent_for: timedelta, at_most: int) -> Sequence[UUID]:
    """List dialled calls whose lease ran out so long ago."""
    return tuple(tx.connection.execute(_ORPHANED, {"before": tx.now - silent_for, "at_most": at_most}).scalars())


def unstarted(tx: Tx, waited_for: timedelta, at_most: int) -> Sequence[UUID]:
    """List accepted calls outside campaigns that have been due for so long."""
    return tuple(tx.connection.execute(_UNSTARTED, {"before": tx.now - waited_for, "at_most": at_most}).scalars())


def any_worker_alive(tx: Tx) -> bool:
    """Say whether there is a media worker to hear a bell."""
    return bool(tx.connection.execute(_ANY_WORKER, {"since": tx.now - FRESH_HEARTBEAT}).scalar_one())
