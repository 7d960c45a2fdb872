"""Where each enrolment stands: what waits, what is claimed, what is closed. One statement per batch.

Which state follows which is decided in `dispatcher.rules`; this module writes it. Entering a campaign is
`dispatcher.store.enrolling`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dispatcher.rules.plan import NextStep
from dispatcher.store.db import Tx
from dispatcher.store.sql import sql
from schema.outcomes import Outcome
from schema.reasons import ReasonCode
from schema.states import EnrolmentState


@dataclass(frozen=True, slots=True)
class Postponed:
    """An enrolment that waits: looked at again at `next_due_at`; `until` is what is shown, None when nobody knows."""

    enrolment_id: UUID
    next_due_at: datetime
    reason: ReasonCode
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Closed:
    """An enrolment that will not be called here."""

    enrolment_id: UUID
    state: EnrolmentState
    reason: ReasonCode


_CLAIMED = sql("""
    update enrolments e set state = 'claimed', last_call_id = x.call_id, blocked_by = null, blocked_until = null,
        updated_at = :now
    from unnest(cast(:ids as uuid[]), cast(:call_ids as uuid[])) as x (id, call_id) where e.id = x.id
    """)
_POSTPONE = sql("""
    update enrolments e set next_due_at = x.next_due_at, blocked_by = x.reason, blocked_until = x.until,
        updated_at = :now
    from unnest(cast(:ids as uuid[]), cast(:dues as timestamptz[]), cast(:reasons as text[]),
                cast(:untils as timestamptz[])) as x (id, next_due_at, reason, until)
    where e.id = x.id
    """)
_CLOSE = sql("""
    update enrolments e set state = x.state, blocked_by = null, blocked_until = null,
        callback_at = null, updated_at = :now,
        skip_reason = case x.state when 'skipped' then x.reason end
    from unnest(cast(:ids as uuid[]), cast(:states as text[]), cast(:reasons as text[])) as x (id, state, reason)
    where e.id = x.id
    """)
_LOCK = sql("select state from enrolments where id = :id for update")
_IN_CALL = sql("update enrolments set state = 'in_call', updated_at = :now where id = :id")
_RETURN = sql("""
    update enrolments set blocked_by = :reason, blocked_until = :until, updated_at = :now,
        next_due_at = coalesce(:next_due_at, next_due_at),
        state = case when :asked_for then 'due' when last_ended_at is null then 'pending' else 'retry_wait' end
    where id = :id and state in ('claimed', 'in_call')
    """)
_CLOSE_FROM_CALL = sql("""
    update enrolments set state = :state, skip_reason = :skip_reason, blocked_by = null, blocked_until = null,
        callback_at = null, updated_at = :now
    where id = :id and state in ('due', 'claimed', 'in_call')
    """)
_NEXT = sql("""
    update enrolments set state = :state, skip_reason = :skip_reason, next_due_at = coalesce(:next_due_at, next_due_at),
        callback_at = :callback_at, attempts_used = :attempts_used, refusals_used = :refusals_used,
        last_outcome = :outcome, last_ended_at = :ended_at, blocked_by = null, blocked_until = null,
        updated_at = :now
    where id = :id
    """)
_EXPIRE = sql("""
    update enrolments set state = 'expired', updated_at = :now
    where campaign_id = :campaign_id and state in $waiting
    """)
_STANDING = sql("""
    select exists (select 1 from enrolments where campaign_id = :id) as any_,
        exists (select 1 from enrolments where campaign_id = :id and state = 'pending')
        or exists (select 1 from enrolments where campaign_id = :id and state in ('due', 'retry_wait'))
        or exists (select 1 from enrolments where campaign_id = :id and state in ('claimed', 'in_call')) as open
    """)


def mark_claimed(tx: Tx, claimed: Sequence[tuple[UUID, UUID]]) -> None:
    """Mark enrolments claimed for their calls, given as (enrolment id, call id)."""
    if claimed:
        ids, call_ids = [list(column) for column in zip(*claimed, strict=True)]
        tx.connection.execute(_CLAIMED, {"ids": ids, "call_ids": call_ids, "now": tx.now})


def postpone(tx: Tx, postponed: Sequence[Postponed]) -> None:
    """Move waiting enrolments out of the due index, with the reason shown to people."""
    if postponed:
        parameters = {
            "ids": [one.enrolment_id for one in postponed],
            "dues": [one.next_due_at for one in postponed],
            "reasons": [one.reason.value for one in postponed],
            "untils": [one.until for one in postponed],
            "now": tx.now,
        }
        tx.connection.execute(_POSTPONE, parameters)


def close(tx: Tx, closed: Sequence[Closed]) -> None:
    """Close enrolments that will not be called."""
    if closed:
        parameters = {
            "ids": [one.enrolment_id for one in closed],
            "states": [one.state.value for one in closed],
            "reasons": [one.reason.value for one in closed],
            "now": tx.now,
        }
        tx.connection.execute(_CLOSE, parameters)


def lock_enrolment(tx: Tx, enrolment_id: UUID) -> EnrolmentState:
    """Keep one enrolment from changing until the commit and return its state."""
    return EnrolmentState(tx.connection.execute(_LOCK, {"id": enrolment_id}).scalar_one())


def mark_in_call(tx: Tx, enrolment_id: UUID) -> None:
    """Mark an enrolment as being dialled or on the line."""
    tx.connection.execute(_IN_CALL, {"id": enrolment_id, "now": tx.now})


def return_unspent(
    tx: Tx,
    enrolment_id: UUID,
    *,
    asked_for: bool,
    next_due_at: datetime | None,
    reason: ReasonCode | None,
    until: datetime | None,
) -> None:
    """Put an enrolment whose call was not dialled back to waiting, no attempt spent; None keeps its due time.

    An enrolment that meanwhile was taken out of the campaign stays out.
    """
    parameters = {
        "id": enrolment_id,
        "asked_for": asked_for,
        "next_due_at": next_due_at,
        "reason": reason.value if reason else None,
        "until": until,
        "now": tx.now,
    }
    tx.connection.execute(_RETURN, parameters)


def close_from_call(tx: Tx, closed: Closed) -> None:
    """Close an enrolment whose call was called off; one that meanwhile was taken out stays as it is."""
    parameters = {
        "id": closed.enrolment_id,
        "state": closed.state.value,
        "skip_reason": closed.reason.value if closed.state is EnrolmentState.SKIPPED else None,
        "now": tx.now,
    }
    tx.connection.execute(_CLOSE_FROM_CALL, parameters)


def take_next_step(tx: Tx, enrolment_id: UUID, step: NextStep, *, outcome: Outcome, ended_at: datetime) -> None:
    """Write what follows a call that ended."""
    parameters = {
        "id": enrolment_id,
        "state": step.state.value,
        "skip_reason": step.reason.value if step.reason and step.state is EnrolmentState.SKIPPED else None,
        "next_due_at": step.next_due_at,
        "callback_at": step.callback_at,
        "attempts_used": step.attempts_used,
        "refusals_used": step.refusals_used,
        "outcome": outcome.value,
        "ended_at": ended_at,
        "now": tx.now,
    }
    tx.connection.execute(_NEXT, parameters)


def expire_waiting(tx: Tx, campaign_id: UUID) -> int:
    """Close every waiting enrolment of a campaign whose time is over; return how many."""
    return tx.connection.execute(_EXPIRE, {"campaign_id": campaign_id, "now": tx.now}).rowcount


def is_done(tx: Tx, campaign_id: UUID) -> bool:
    """Say whether a campaign has enrolments and none of them is open."""
    row = tx.connection.execute(_STANDING, {"id": campaign_id}).one()
    return bool(row.any_ and not row.open)


def has_open(tx: Tx, campaign_id: UUID) -> bool:
    """Say whether somebody in a campaign still waits or is on a call."""
    return bool(tx.connection.execute(_STANDING, {"id": campaign_id}).one().open)
