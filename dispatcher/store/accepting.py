"""Taking a call in: hold, call row, ledger and first event in one statement, or nothing at all.

The statement also says what kept a call out, and whether there might be room to start it at once. It may stand in a
transaction, or alone, being one by itself: then the balance is locked for no longer than the statement takes, so
callers of one account hardly wait for each other. How much to hold is decided in `dispatcher.rules.quota`, who may
start in `dispatcher.services.claim`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select

from dispatcher.store.db import Database, Tx
from dispatcher.store.live import FRESH_HEARTBEAT
from dispatcher.store.sql import sql
from schema.states import CallPhase
from schema.tables import calls


@dataclass(frozen=True, slots=True)
class NewCall:
    """A call to be taken in.

    Attributes:
        config: JSON text, as is `lead_context`.
        hold_s: seconds held for it.
        due_at: not to be dialled before; None means at once.
    """

    call_id: UUID
    account_id: UUID
    phone_number: str
    from_number: str
    config: str
    lead_context: str
    hold_s: int
    due_at: datetime | None = None
    campaign_id: UUID | None = None
    lead_id: UUID | None = None
    enrolment_id: UUID | None = None
    policy_version_id: UUID | None = None
    attempt_number: int | None = None
    execution_key: str | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of it.

    Attributes:
        accepted: the call exists and its seconds are held; otherwise nothing was written.
        suppressed: the number is on the do-not-call list, or its person opted out; that kept the call out.
        available_s: what the account had before.
        later: it is not due yet.
        room: a media slot and the account's own caps may have room for it now.
    """

    accepted: bool
    suppressed: bool
    available_s: int
    later: bool
    room: bool


@dataclass(frozen=True, slots=True)
class KnownCall:
    """A call found under its execution key."""

    call_id: UUID
    phase: CallPhase
    outcome: str | None
    due_at: datetime
    provider_call_id: str | None
    phone_number: str
    campaign_id: UUID | None
    lead_id: UUID | None
    enrolment_id: UUID | None
    attempt_number: int | None


_TAKE = """
    with blocked as (
        select 1 from suppressions
        where account_id = :account_id and phone_number = :phone_number and (until is null or until > $now)
        union all
        select 1 from leads
        where account_id = :account_id and phone_number = :phone_number
            and (do_not_call or status = 'Unsubscribed')
    ), held as (
        update quota_accounts set available_s = available_s - :hold_s, held_s = held_s + :hold_s, updated_at = $now
        where account_id = :account_id and available_s >= :hold_s and not exists (select 1 from blocked)
        returning 1
    ), made as (
        insert into calls (id, account_id, campaign_id, lead_id, enrolment_id, policy_version_id, attempt_number,
            execution_key, phone_number, from_number, config, lead_context, due_at, hold_s, created_at)
        select :call_id, :account_id, cast(:campaign_id as uuid), cast(:lead_id as uuid), cast(:enrolment_id as uuid),
            cast(:policy_version_id as uuid), cast(:attempt_number as int), cast(:execution_key as text),
            :phone_number, :from_number, cast(:config as jsonb), cast(:lead_context as jsonb),
            greatest(cast(:due_at as timestamptz), $now), :hold_s, $now
        from held
        returning id, due_at
    ), entry as (
        insert into quota_entries (account_id, campaign_id, call_id, kind, amount_s, created_at)
        select :account_id, cast(:campaign_id as uuid), id, 'hold', :hold_s, $now from made
    ), spend as (
        insert into campaign_spend as spend (campaign_id, held_s)
        select cast(:campaign_id as uuid), :hold_s from made where cast(:campaign_id as uuid) is not null
        on conflict (campaign_id) do update set held_s = spend.held_s + excluded.held_s
    ), event as (
        insert into call_events (call_id, account_id, kind, at) select id, :account_id, 'accepted', $now from made
    )
    select exists (select 1 from made) as accepted, exists (select 1 from blocked) as suppressed,
        coalesce((select available_s from quota_accounts where account_id = :account_id), 0) as available_s,
        exists (select 1 from made where due_at > $now) as later,
        exists (select 1 from media_workers where heartbeat_at > $now - $fresh and not draining)
            and (select count(*) from calls where account_id = :account_id and phase in $live)
                < (select max_concurrent_calls from accounts where id = :account_id)
            as room
    """
_FRESH = f"interval '{FRESH_HEARTBEAT.total_seconds()} s'"
_TAKE_WITHIN = sql(_TAKE, now="cast(:now as timestamptz)", fresh=_FRESH)
_TAKE_ALONE = sql(_TAKE, now="now()", fresh=_FRESH)


def take_in(tx: Tx, call: NewCall) -> Taken:
    """Take a call in as `scheduled`, as a part of the transaction."""
    return _taken(tx.connection.execute(_TAKE_WITHIN, {**_parameters(call), "now": tx.now}).one())


def take_in_alone(db: Database, call: NewCall) -> Taken:
    """Take a call in as `scheduled`, in a transaction that is this statement; its instant is the server's."""
    with db.engine.connect() as connection:
        alone = connection.execution_options(isolation_level="AUTOCOMMIT")
        return _taken(alone.execute(_TAKE_ALONE, _parameters(call)).one())


def _parameters(call: NewCall) -> dict[str, object]:
    return {name: getattr(call, name) for name in NewCall.__dataclass_fields__}


def _taken(row: Row[Any]) -> Taken:
    return Taken(row.accepted, row.suppressed, row.available_s, row.later, row.room)


def hold_execution_key(tx: Tx, account_id: UUID, key: str) -> None:
    """Let one transaction at a time take in a call under this key; the others wait for it."""
    tx.connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"execution:{account_id}:{key}", 0))))


def find_by_execution_key(tx: Tx, account_id: UUID, key: str) -> KnownCall | None:
    """Read the account's call of that key."""
    row = tx.connection.execute(
        select(calls).where(calls.c.account_id == account_id, calls.c.execution_key == key)
    ).one_or_none()
    if row is None:
        return None
    return KnownCall(
        call_id=row.id,
        phase=CallPhase(row.phase),
        outcome=row.outcome,
        due_at=row.due_at,
        provider_call_id=row.provider_call_id,
        phone_number=row.phone_number,
        campaign_id=row.campaign_id,
        lead_id=row.lead_id,
        enrolment_id=row.enrolment_id,
        attempt_number=row.attempt_number,
    )
