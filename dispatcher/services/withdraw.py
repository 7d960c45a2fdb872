"""Taking back a call that nobody has dialled: put back in line, or called off for good. Nothing is spent.

A call made up by the claim tick is dropped and its enrolment waits again; a call somebody asked for waits itself.
Callers hold the locks in the order campaign, call, lead; the enrolment and the balance follow here.
"""

from datetime import datetime
from uuid import UUID

from dispatcher.services.events import emit_call_event
from dispatcher.store import calls, quota
from dispatcher.store.calls import HeldCall
from dispatcher.store.db import Tx
from dispatcher.store.enrolments import Closed, Postponed, close_from_call, return_unspent
from schema.events import EventType
from schema.outcomes import EndReason, Outcome
from schema.reasons import ReasonCode
from schema.states import CallPhase, EnrolmentState

UNDIALLED = frozenset({CallPhase.SCHEDULED, CallPhase.CLAIMED})


def put_back(tx: Tx, call: HeldCall, end_reason: EndReason, waits: Postponed | None = None) -> None:
    """Let a claimed call, or its enrolment, wait again; `waits` says until when and why, None means it is due still."""
    due_at = None if waits is None else waits.next_due_at
    if call.was_accepted:
        calls.mark_scheduled(tx, call.call_id, due_at)
        calls.add_event(tx, call.call_id, call.account_id, "put_back", _why(waits))
    else:
        _end(tx, call, CallPhase.CANCELLED, Outcome.CANCELLED, end_reason)
        emit_call_event(tx, call.call_id, EventType.CALL_CANCELLED)
    if call.enrolment_id is not None:
        return_unspent(
            tx,
            call.enrolment_id,
            asked_for=call.was_accepted,
            next_due_at=due_at,
            reason=None if waits is None else waits.reason,
            until=None if waits is None else waits.until,
        )


def call_off(
    tx: Tx,
    call: HeldCall,
    end_reason: EndReason,
    *,
    enrolment: EnrolmentState = EnrolmentState.CANCELLED,
    reason: ReasonCode = ReasonCode.CAMPAIGN_ENDED,
) -> None:
    """End a call that was never dialled, and with it what its enrolment waits for."""
    _end(tx, call, CallPhase.CANCELLED, Outcome.CANCELLED, end_reason)
    if call.enrolment_id is not None:
        close_from_call(tx, Closed(call.enrolment_id, enrolment, reason))
    emit_call_event(tx, call.call_id, EventType.CALL_CANCELLED)


def expire(tx: Tx, call: HeldCall) -> None:
    """End an accepted call whose time ran out before it could be dialled."""
    _end(tx, call, CallPhase.EXPIRED, Outcome.EXPIRED, EndReason.NEVER_TAKEN)
    emit_call_event(tx, call.call_id, EventType.CALL_FAILED)


def withdraw(tx: Tx, call_id: UUID, end_reason: EndReason) -> bool:
    """Call off a call for a person's sake; False when it has been dialled or is over."""
    call = calls.lock_call(tx, call_id)
    if call is None or call.phase not in UNDIALLED:
        return False
    call_off(tx, call, end_reason)
    return True


def _end(tx: Tx, call: HeldCall, phase: CallPhase, outcome: Outcome, end_reason: EndReason) -> None:
    calls.mark_undialled(tx, call.call_id, phase, outcome, end_reason)
    calls.add_event(tx, call.call_id, call.account_id, phase.value, {"end_reason": end_reason.value})
    if call.hold_s:
        quota.end_hold(tx, quota.Ending(call.account_id, call.campaign_id, call.call_id, call.hold_s, 0))


def _why(waits: Postponed | None) -> dict[str, object]:
    if waits is None:
        return {}
    until: datetime | None = waits.until
    return {"reason": waits.reason.value, "until": until.isoformat() if until else None}
