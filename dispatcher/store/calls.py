"""Calls on their way: locked, moved from phase to phase, ended. Every move of a live call carries its fence.

Which move is right is decided in the services; claiming is `dispatcher.store.claims`, reading for people is
`dispatcher.store.call_facts`. A terminal phase is never left.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update

from dispatcher.store.db import Tx
from dispatcher.store.transcripts import save_turns, storable
from schema.callspec import CallResult
from schema.outcomes import AnsweredBy, EndReason, Outcome
from schema.states import CallPhase
from schema.tables import call_events, calls


@dataclass(frozen=True, slots=True)
class HeldCall:
    """A call as its services see it; `config` and `lead_context` are JSON as stored."""

    call_id: UUID
    account_id: UUID
    campaign_id: UUID | None
    lead_id: UUID | None
    enrolment_id: UUID | None
    policy_version_id: UUID | None
    execution_key: str | None
    phone_number: str
    from_number: str
    phase: CallPhase
    lease_token: int
    lease_owner: str | None
    lease_until: datetime | None
    provider_call_id: str | None
    answered_by: AnsweredBy | None
    dialing_at: datetime | None
    answered_at: datetime | None
    stop_requested: bool
    hold_s: int
    config: dict[str, object]
    lead_context: dict[str, object]

    @property
    def was_accepted(self) -> bool:
        """Whether somebody asked for this very call, so that it is put back rather than dropped."""
        return self.enrolment_id is None or self.execution_key is not None


@dataclass(frozen=True, slots=True)
class Taking:
    """What is written when a worker takes a call for dialling."""

    worker_id: str
    lease_until: datetime
    stream_token_hash: bytes
    gate: dict[str, object]


@dataclass(frozen=True, slots=True)
class Ending:
    """The terminal record of a dialled call."""

    phase: CallPhase
    outcome: Outcome
    end_reason: EndReason
    answered_by: AnsweredBy | None
    provider_call_id: str | None
    talked_s: float
    billed_s: int
    answered_at: datetime | None
    ended_at: datetime
    attempt_spent: bool
    disposition: str
    error_message: str | None = None
    post_due_at: datetime | None = None


_COLUMNS = [calls.c.id if name == "call_id" else calls.c[name] for name in HeldCall.__dataclass_fields__]


def find_call(tx: Tx, call_id: UUID) -> HeldCall | None:
    """Read one call without locking it."""
    return _one(tx, call_id, lock=False)


def lock_call(tx: Tx, call_id: UUID) -> HeldCall | None:
    """Read one call and keep it from changing until the commit."""
    return _one(tx, call_id, lock=True)


def mark_dialing(tx: Tx, call_id: UUID, taking: Taking) -> None:
    """Write the intent to dial, before the carrier is asked."""
    values = {
        "phase": CallPhase.DIALING,
        "dialing_at": tx.now,
        "lease_owner": taking.worker_id,
        "lease_until": taking.lease_until,
        "stream_token_hash": taking.stream_token_hash,
        "gate": taking.gate,
    }
    tx.connection.execute(update(calls).where(calls.c.id == call_id).values(values))


def mark_scheduled(tx: Tx, call_id: UUID, due_at: datetime | None) -> None:
    """Put an accepted call that was not dialled back in line, later when `due_at` says so."""
    values: dict[str, object] = {"phase": CallPhase.SCHEDULED, "lease_owner": None, "lease_until": None}
    if due_at is not None:
        values["due_at"] = due_at
    tx.connection.execute(update(calls).where(calls.c.id == call_id).values(values))


def mark_undialled(tx: Tx, call_id: UUID, phase: CallPhase, outcome: Outcome, end_reason: EndReason) -> None:
    """End a call that was never dialled; its attempt is not spent."""
    values = {
        "phase": phase,
        "outcome": outcome,
        "end_reason": end_reason,
        "attempt_spent": False,
        "ended_at": tx.now,
        "lease_owner": None,
        "lease_until": None,
        "completed": True,
    }
    tx.connection.execute(update(calls).where(calls.c.id == call_id).values(values))


def mark_ended(tx: Tx, call_id: UUID, ending: Ending) -> None:
    """Write the terminal record of a dialled call; without post-processing it is complete at once."""
    values = {
        "phase": ending.phase,
        "outcome": ending.outcome,
        "end_reason": ending.end_reason,
        "answered_by": ending.answered_by,
        "provider_call_id": ending.provider_call_id,
        "talked_s": ending.talked_s,
        "billed_s": ending.billed_s,
        "answered_at": ending.answered_at,
        "ended_at": ending.ended_at,
        "attempt_spent": ending.attempt_spent,
        "disposition": ending.disposition,
        "error_message": storable(ending.error_message) if ending.error_message else None,
        "post_due_at": ending.post_due_at,
        "completed": ending.post_due_at is None,
        "lease_owner": None,
        "lease_until": None,
    }
    tx.connection.execute(update(calls).where(calls.c.id == call_id).values(values))


def keep_conversation(tx: Tx, result: CallResult) -> None:
    """Write what was said and done in a call, beside its terminal record."""
    values = {
        "recording_path": result.recording_path,
        "latency_ms": result.latency_ms,
        "tool_calls": [_storable(asdict(one)) for one in result.tool_calls],
    }
    tx.connection.execute(update(calls).where(calls.c.id == result.call_id).values(values))
    save_turns(tx, result.call_id, result.turns)


def adopt(tx: Tx, call_id: UUID, worker_id: str, lease: timedelta) -> int:
    """Give a call whose worker is gone to another under a fresh fence, and return the fence."""
    statement = (
        update(calls)
        .where(calls.c.id == call_id)
        .values(lease_token=calls.c.lease_token + 1, lease_owner=worker_id, lease_until=tx.now + lease)
        .returning(calls.c.lease_token)
    )
    token: int = tx.connection.execute(statement).scalar_one()
    return token


def give_lease_back(tx: Tx, call_id: UUID) -> None:
    """Let a lease run out now, so that the call is looked at again."""
    tx.connection.execute(update(calls).where(calls.c.id == call_id).values(lease_until=tx.now))


def known_provider_ids(tx: Tx, call: HeldCall, since: datetime) -> tuple[str, ...]:
    """List the carrier's ids of all other calls to the same number since an instant; accounts may share a carrier."""
    query = select(calls.c.provider_call_id).where(
        calls.c.phone_number == call.phone_number,
        calls.c.dialing_at >= since,
        calls.c.provider_call_id.is_not(None),
        calls.c.id != call.call_id,
    )
    return tuple(tx.connection.execute(query).scalars())


def add_event(tx: Tx, call_id: UUID, account_id: UUID, kind: str, data: dict[str, object] | None = None) -> None:
    """Add a line to a call's timeline."""
    row = {"call_id": call_id, "account_id": account_id, "kind": kind, "data": data or {}, "at": tx.now}
    tx.connection.execute(insert(call_events).values(row))


def first_event_at(tx: Tx, call_id: UUID, kind: str) -> datetime | None:
    """Return when a kind of event first happened to a call."""
    query = select(call_events.c.at).where(call_events.c.call_id == call_id, call_events.c.kind == kind)
    at: datetime | None = tx.connection.execute(query.order_by(call_events.c.id).limit(1)).scalar_one_or_none()
    return at


def _one(tx: Tx, call_id: UUID, *, lock: bool) -> HeldCall | None:
    query = select(*_COLUMNS).where(calls.c.id == call_id)
    row = tx.connection.execute(query.with_for_update(key_share=True) if lock else query).one_or_none()
    return None if row is None else _held(row)


def _held(row: Row[Any]) -> HeldCall:
    return HeldCall(
        call_id=row.id,
        account_id=row.account_id,
        campaign_id=row.campaign_id,
        lead_id=row.lead_id,
        enrolment_id=row.enrolment_id,
        policy_version_id=row.policy_version_id,
        execution_key=row.execution_key,
        phone_number=row.phone_number,
        from_number=row.from_number,
        phase=CallPhase(row.phase),
        lease_token=row.lease_token,
        lease_owner=row.lease_owner,
        lease_until=row.lease_until,
        provider_call_id=row.provider_call_id,
        answered_by=AnsweredBy(row.answered_by) if row.answered_by else None,
        dialing_at=row.dialing_at,
        answered_at=row.answered_at,
        stop_requested=row.stop_requested,
        hold_s=row.hold_s,
        config=row.config,
        lead_context=row.lead_context,
    )


def _storable(value: object) -> object:
    """Drop, at any depth, what Postgres cannot hold."""
    match value:
        case str():
            return storable(value)
        case dict():
            return {storable(str(key)): _storable(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_storable(inner) for inner in value]
        case _:
            return value
