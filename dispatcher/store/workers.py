"""Media workers' heartbeats, the leases they renew and what they report of their live calls.

One statement per batch, rows locked in the order of their ids. Only the holder of a call's fence moves it, and only
onwards: a report that arrives late or twice changes nothing.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from dispatcher.store.db import Tx
from dispatcher.store.sql import sql
from schema.callspec import Claim, Progress, WorkerPulse
from schema.states import CallPhase
from schema.tables import media_workers

LEASE = timedelta(seconds=15)
"""Three heartbeats."""

_RENEW = sql("""
    with held as (
        select c.id from calls c
        join unnest(cast(:ids as uuid[]), cast(:tokens as bigint[])) as x (id, token)
            on c.id = x.id and c.lease_token = x.token
        where c.lease_owner = :worker_id and c.phase in $live
        order by c.id for no key update of c
    )
    update calls c set lease_until = :lease_until from held where c.id = held.id
    returning c.id, c.stop_requested
    """)
_DIALLED = sql("""
    update calls c set provider_call_id = x.provider_call_id
    from unnest(cast(:ids as uuid[]), cast(:tokens as bigint[]), cast(:provider_ids as text[]))
        as x (id, token, provider_call_id)
    where c.id = x.id and c.lease_token = x.token and c.phase in ('dialing', 'ringing', 'answered')
      and x.provider_call_id is not null and c.provider_call_id is distinct from x.provider_call_id
    """)
_MOVED_ON = {
    CallPhase.RINGING: sql("""
        update calls c set phase = case c.phase when 'dialing' then 'ringing' else c.phase end, ringing_at = x.at
        from unnest(cast(:ids as uuid[]), cast(:tokens as bigint[]), cast(:ats as timestamptz[])) as x (id, token, at)
        where c.id = x.id and c.lease_token = x.token and c.phase in ('dialing', 'ringing', 'answered')
          and c.ringing_at is null
        returning c.id, c.account_id, x.at
        """),
    CallPhase.ANSWERED: sql("""
        update calls c set phase = 'answered', answered_at = x.at
        from unnest(cast(:ids as uuid[]), cast(:tokens as bigint[]), cast(:ats as timestamptz[])) as x (id, token, at)
        where c.id = x.id and c.lease_token = x.token and c.phase in ('dialing', 'ringing')
        returning c.id, c.account_id, x.at
        """),
}
_ANSWERED_BY = sql("""
    update calls c set answered_by = x.answered_by
    from unnest(cast(:ids as uuid[]), cast(:tokens as bigint[]), cast(:answered_by as text[]))
        as x (id, token, answered_by)
    where c.id = x.id and c.lease_token = x.token and c.phase in ('dialing', 'ringing', 'answered')
      and x.answered_by is not null
    """)
_EVENTS = sql("""
    insert into call_events (call_id, account_id, kind, at)
    select x.id, x.account_id, :kind, x.at
    from unnest(cast(:ids as uuid[]), cast(:accounts as uuid[]), cast(:ats as timestamptz[])) as x (id, account_id, at)
    """)


def beat(tx: Tx, pulse: WorkerPulse) -> None:
    """Write that a worker lives, with its slots and whether it still takes calls."""
    values = {
        "address": pulse.address,
        "slots": pulse.slots,
        "draining": pulse.draining,
        "heartbeat_at": tx.now,
    }
    statement = insert(media_workers).values(id=pulse.worker_id, started_at=tx.now, **values)
    tx.connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


def forget(tx: Tx, worker_id: str) -> None:
    """Strike a worker that has gone in good order."""
    tx.connection.execute(delete(media_workers).where(media_workers.c.id == worker_id))


def renew(tx: Tx, worker_id: str, leases: Sequence[Claim]) -> dict[UUID, bool]:
    """Renew leases under their fences; return those still held, with whether the call is to be ended."""
    if not leases:
        return {}
    parameters = {
        "worker_id": worker_id,
        "lease_until": tx.now + LEASE,
        "ids": [lease.call_id for lease in leases],
        "tokens": [lease.lease_token for lease in leases],
    }
    return {row.id: row.stop_requested for row in tx.connection.execute(_RENEW, parameters)}


def apply_progress(tx: Tx, progress: Sequence[Progress]) -> None:
    """Move live calls on as reported, each report at most once and never backwards."""
    latest = _once_per_call([one for one in progress if one.provider_call_id is not None])
    if latest:
        provider_ids = [one.provider_call_id for one in latest]
        tx.connection.execute(_DIALLED, {**_fences(latest), "provider_ids": provider_ids})
    for phase, statement in _MOVED_ON.items():
        reported = _once_per_call([one for one in progress if one.phase is phase])
        if reported:
            parameters = {**_fences(reported), "ats": [one.at for one in reported]}
            moved = tx.connection.execute(statement, parameters).all()
            _add_events(tx, phase, [(row.id, row.account_id, row.at) for row in moved])
    told = _once_per_call([one for one in progress if one.answered_by is not None])
    if told:
        tx.connection.execute(_ANSWERED_BY, {**_fences(told), "answered_by": [one.answered_by for one in told]})


def _once_per_call(progress: Sequence[Progress]) -> list[Progress]:
    """Keep one report per call and fence, in the order of call ids, so that two batches never wait for each other."""
    last = {(one.call_id, one.lease_token): one for one in progress}
    return [last[key] for key in sorted(last)]


def _fences(progress: Sequence[Progress]) -> dict[str, object]:
    return {"ids": [one.call_id for one in progress], "tokens": [one.lease_token for one in progress]}


def _add_events(tx: Tx, phase: CallPhase, moved: Sequence[tuple[object, ...]]) -> None:
    if moved:
        ids, accounts, ats = [list(column) for column in zip(*moved, strict=True)]
        parameters = {"kind": phase.value, "ids": ids, "accounts": accounts, "ats": ats}
        tx.connection.execute(_EVENTS, parameters)
