"""Ending calls for a person's sake: calling off what was not dialled, hanging up what is live.

A call that is over already keeps its end; asking to end it again changes nothing.
"""

from uuid import UUID

import structlog

from dispatcher.refusals import Conflict, Missing
from dispatcher.services.call_record import call_record
from dispatcher.services.withdraw import UNDIALLED, call_off
from dispatcher.store.calls import HeldCall, add_event, lock_call
from dispatcher.store.db import Tx
from dispatcher.store.stopping import hang_up
from schema.calls import CallMoved
from schema.outcomes import EndReason
from schema.problems import ProblemCode
from schema.states import TERMINAL_PHASES, CallPhase, CallStatus

log = structlog.get_logger()

STOP_REQUESTED = "stop_requested"
"""The event of a call that somebody asked to end by itself, not with its campaign."""


def cancel_call(tx: Tx, account_id: UUID, call_id: UUID) -> CallMoved:
    """Call off a call that has not been dialled.

    Raises:
        Missing: the account has no such call.
        Conflict: it has been dialled.
    """
    call = _locked(tx, account_id, call_id)
    if call.phase is CallPhase.CANCELLED:
        return CallMoved(call_id=call_id, status=CallStatus.CANCELLED)
    if call.phase not in UNDIALLED:
        raise _conflict(tx, call, "cannot be cancelled any more; stop it instead")
    call_off(tx, call, EndReason.API_CANCEL)
    log.info("call_cancelled", call_id=str(call_id))
    return CallMoved(call_id=call_id, status=CallStatus.CANCELLED)


def stop_call(tx: Tx, account_id: UUID, call_id: UUID) -> CallMoved:
    """End a call, whether it waits or is live; a live one ends with its worker's next heartbeat.

    Raises:
        Missing: the account has no such call.
        Conflict: it is over, other than by being cancelled.
    """
    call = _locked(tx, account_id, call_id)
    if call.phase in UNDIALLED or call.phase is CallPhase.CANCELLED:
        return cancel_call(tx, account_id, call_id)
    if call.phase in TERMINAL_PHASES or not hang_up(tx, call_id):
        raise _conflict(tx, call, "is over already")
    add_event(tx, call_id, account_id, STOP_REQUESTED)
    log.info("call_stop_requested", call_id=str(call_id))
    return CallMoved(call_id=call_id, status=CallStatus.IN_PROGRESS)


def _locked(tx: Tx, account_id: UUID, call_id: UUID) -> HeldCall:
    call = lock_call(tx, call_id)
    if call is None or call.account_id != account_id:
        raise Missing("Call")
    return call


def _conflict(tx: Tx, call: HeldCall, why: str) -> Conflict:
    record = call_record(tx, call.call_id)
    status = call.phase.value if record is None else record.status.value
    return Conflict(f"The call is {status} and {why}", status, ProblemCode.INVALID_STATE_TRANSITION)
