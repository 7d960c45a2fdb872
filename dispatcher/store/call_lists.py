"""Calls as lists: which ones match a filter, and what happened to one of them in order.

Public statuses are translated to phases and outcomes here, by the same facts that translate them back. Reads only.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, or_, select

from dispatcher.store.db import Tx
from dispatcher.store.slices import Position, Slice, Sliced, newest_first, sliced
from schema.outcomes import OUTCOMES, AnsweredBy, TelephonyStatus
from schema.states import CallPhase, CallStatus
from schema.tables import call_events, calls

UP_PHASES = (CallPhase.DIALING.value, CallPhase.RINGING.value, CallPhase.ANSWERED.value)
LOST_PHASES = (CallPhase.EXPIRED.value, CallPhase.AMBIGUOUS.value)


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls to list; None matches all. `created_to` is exclusive."""

    status: CallStatus | None = None
    call_status: TelephonyStatus | None = None
    disposition: str | None = None
    answered_by: AnsweredBy | None = None
    campaign_id: UUID | None = None
    lead_id: UUID | None = None
    phone_number: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened to a call."""

    event_id: int
    kind: str
    at: datetime
    data: dict[str, object]


def list_calls(tx: Tx, account_id: UUID, which: CallFilter, slice_: Slice) -> Sliced[Position]:
    """Read which calls of the account match, newest first; a position names each by its id."""
    query = select(calls.c.created_at, calls.c.id).where(calls.c.account_id == account_id, *_matches(which, tx.now))
    rows = tx.connection.execute(newest_first(query, calls, slice_)).mappings()
    return sliced([Position(row["created_at"], row["id"]) for row in rows], slice_.limit)


def find_recording(tx: Tx, account_id: UUID, call_id: UUID) -> str | None:
    """Read where the recording of the account's call is kept; None when it has none."""
    query = select(calls.c.recording_path).where(calls.c.account_id == account_id, calls.c.id == call_id)
    path: str | None = tx.connection.execute(query).scalar_one_or_none()
    return path


def timeline(tx: Tx, account_id: UUID, call_id: UUID) -> tuple[TimelineEntry, ...]:
    """Read everything that happened to a call of the account, in order."""
    query = (
        select(call_events)
        .where(call_events.c.account_id == account_id, call_events.c.call_id == call_id)
        .order_by(call_events.c.id)
    )
    return tuple(TimelineEntry(row.id, row.kind, row.at, row.data) for row in tx.connection.execute(query))


def _matches(which: CallFilter, now: datetime) -> list[ColumnElement[bool]]:
    equal: tuple[tuple[ColumnElement[str | UUID | None], object], ...] = (
        (calls.c.disposition, which.disposition),
        (calls.c.answered_by, which.answered_by),
        (calls.c.campaign_id, which.campaign_id),
        (calls.c.lead_id, which.lead_id),
        (calls.c.phone_number, which.phone_number),
    )
    found = [column == value for column, value in equal if value is not None]
    if which.created_from is not None:
        found.append(calls.c.created_at >= which.created_from)
    if which.created_to is not None:
        found.append(calls.c.created_at < which.created_to)
    if which.status is not None:
        found.append(_has_status(which.status, now))
    if which.call_status is not None:
        found.append(_has_call_status(which.call_status))
    return found


def _has_status(status: CallStatus, now: datetime) -> ColumnElement[bool]:
    scheduled = calls.c.phase == CallPhase.SCHEDULED
    also: dict[CallStatus, ColumnElement[bool]] = {
        CallStatus.PENDING: and_(scheduled, calls.c.due_at > now),
        CallStatus.QUEUED: or_(and_(scheduled, calls.c.due_at <= now), calls.c.phase == CallPhase.CLAIMED),
        CallStatus.IN_PROGRESS: calls.c.phase.in_(UP_PHASES),
        CallStatus.COMPLETED: false(),
        CallStatus.FAILED: or_(calls.c.phase.in_(LOST_PHASES), _ended_unexplained()),
        CallStatus.CANCELLED: calls.c.phase == CallPhase.CANCELLED,
    }
    outcomes = [outcome.value for outcome, facts in OUTCOMES.items() if facts.status is status]
    return or_(and_(calls.c.phase == CallPhase.ENDED, calls.c.outcome.in_(outcomes)), also[status])


def _has_call_status(call_status: TelephonyStatus) -> ColumnElement[bool]:
    also: dict[TelephonyStatus, ColumnElement[bool]] = {
        TelephonyStatus.IN_PROGRESS: calls.c.phase.in_(UP_PHASES),
        TelephonyStatus.FAILED: or_(calls.c.phase.in_(LOST_PHASES), _ended_unexplained()),
        TelephonyStatus.CANCELLED: calls.c.phase == CallPhase.CANCELLED,
    }
    outcomes = [outcome.value for outcome, facts in OUTCOMES.items() if facts.call_status is call_status]
    ended = and_(calls.c.phase == CallPhase.ENDED, calls.c.outcome.in_(outcomes))
    return or_(ended, also.get(call_status, false()))


def _ended_unexplained() -> ColumnElement[bool]:
    return and_(calls.c.phase == CallPhase.ENDED, calls.c.outcome.is_(None))
