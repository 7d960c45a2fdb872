"""Taking in a call: checked, paid for by a hold, written down, and started at once when there is room.

A call that was answered for exists and its seconds are held, whatever breaks afterwards. Where nothing else has to be
read or kept with it, taking it in is one statement; starting it is tried next and left to the tick when it fails. The
bell is rung after the commit; when nobody hears it the tick finds the call.
"""

import json
from functools import partial
from uuid import UUID, uuid4

from dispatcher.announce import Announcer
from dispatcher.crash_points import CrashPoint, crash_point
from dispatcher.refusals import Conflict, Faulty, Missing, OutOfQuota, Suppressed
from dispatcher.rules.numbers import dialable
from dispatcher.rules.quota import hold_for
from dispatcher.rules.templates import lead_context
from dispatcher.services.call_record import public_status
from dispatcher.services.campaigns import found
from dispatcher.services.claim import claim_direct
from dispatcher.services.lead_rows import number_fault
from dispatcher.services.prompts import check_call
from dispatcher.store.accepting import (
    KnownCall,
    NewCall,
    Taken,
    find_by_execution_key,
    hold_execution_key,
    take_in,
    take_in_alone,
)
from dispatcher.store.attempts import attempt
from dispatcher.store.db import Database, Tx
from dispatcher.store.leads import find_lead
from schema.call_config import CallConfig
from schema.calls import CreatedCall, DirectCall
from schema.outcomes import Outcome
from schema.problems import FieldFault, ProblemCode
from schema.states import CallStatus

_CONFIG_FIELDS = set(CallConfig.model_fields)


def stands_alone(body: DirectCall) -> bool:
    """Say whether a call can be taken in without reading or keeping anything else."""
    return body.lead_id is None and body.campaign_id is None and body.idempotency_key is None


def accept_alone(
    db: Database, announcer: Announcer, account_id: UUID, body: DirectCall, default_from: str | None
) -> CreatedCall:
    """Take in a call that stands alone.

    Raises:
        Faulty: a number cannot exist, there is no caller id, or a variable has no value.
        OutOfQuota: fewer seconds are left than the call must hold.
        Suppressed: the number must not be called.
    """
    call = _new_call(account_id, body, _checked_numbers(body, default_from))
    check_call(body, body.lead_context)
    taken = take_in_alone(db, call)
    if not taken.accepted:
        raise refusal(taken, call)
    crash_point(CrashPoint.ACCEPT_COMMITTED)
    if taken.room and not taken.later:
        with attempt(db) as tx:
            _start(tx, announcer, call)
    return taken_in(call, taken)


def accept_call(
    tx: Tx, announcer: Announcer, account_id: UUID, body: DirectCall, default_from: str | None
) -> tuple[CreatedCall, bool]:
    """Take in a call; False when its idempotency_key names one that is there already.

    Raises:
        Faulty: a number cannot exist, there is no caller id, or a variable has no value.
        Missing: the account has no such lead or campaign.
        OutOfQuota: fewer seconds are left than the call must hold.
        Suppressed: the number must not be called.
        Conflict: the idempotency_key belongs to a call to another number.
    """
    from_number = _checked_numbers(body, default_from)
    if body.idempotency_key is not None:
        hold_execution_key(tx, account_id, body.idempotency_key)
        known = find_by_execution_key(tx, account_id, body.idempotency_key)
        if known is not None:
            return _same(tx, known, body), False
    if body.campaign_id is not None:
        found(tx, account_id, body.campaign_id)
    check_call(body, _context(tx, account_id, body))
    call = _new_call(account_id, body, from_number)
    taken = take_in(tx, call)
    if not taken.accepted:
        raise refusal(taken, call)
    tx.on_commit(partial(crash_point, CrashPoint.ACCEPT_COMMITTED))
    if taken.room and not taken.later:
        _start(tx, announcer, call)
    return taken_in(call, taken), True


def taken_in(call: NewCall, taken: Taken) -> CreatedCall:
    """Answer with a call that was just taken in."""
    status = CallStatus.PENDING if taken.later else CallStatus.QUEUED
    return CreatedCall(call_id=call.call_id, provider_call_id=None, status=status)


def created(tx: Tx, known: KnownCall) -> CreatedCall:
    """Answer with a call that is there already."""
    outcome = Outcome(known.outcome) if known.outcome else None
    return CreatedCall(
        call_id=known.call_id,
        provider_call_id=known.provider_call_id,
        status=public_status(known.phase, outcome, known.due_at, tx.now),
    )


def refusal(taken: Taken, call: NewCall) -> OutOfQuota | Suppressed:
    """Tell what kept a call out."""
    if taken.suppressed:
        return Suppressed(
            f"{call.phone_number} is on this account's do-not-call list or its person opted out; "
            "only their new consent can lift that"
        )
    return OutOfQuota(required_s=call.hold_s, remaining_s=taken.available_s)


def _checked_numbers(body: DirectCall, default_from: str | None) -> str:
    from_number = body.from_number or default_from
    if from_number is None:
        message = "No caller id: give from_number, or set a default number for the account"
        raise Faulty(FieldFault(path="from_number", message=message, code="no_caller_id"))
    if dialable(body.phone_number) is not None or (body.from_number and dialable(body.from_number) is not None):
        faults = (number_fault(body.phone_number), number_fault(from_number, "from_number"))
        raise Faulty(*(fault for fault in faults if fault is not None))
    return from_number


def _same(tx: Tx, known: KnownCall, body: DirectCall) -> CreatedCall:
    if known.enrolment_id is not None or known.phone_number != body.phone_number:
        raise Conflict(
            "This idempotency_key belongs to another call; use a new key for a new call",
            created(tx, known).status.value,
            ProblemCode.DUPLICATE_ATTEMPT,
        )
    return created(tx, known)


def _context(tx: Tx, account_id: UUID, body: DirectCall) -> dict[str, object]:
    """Say what the agent will be told about the lead; the worker that takes the call reads the lead again."""
    if body.lead_id is None:
        return body.lead_context
    lead = find_lead(tx, account_id, body.lead_id)
    if lead is None:
        raise Missing("Lead")
    return lead_context(
        name=lead.name,
        email=lead.email,
        notes=lead.notes,
        status=lead.status.value,
        metadata=lead.metadata,
        given=body.lead_context,
    )


def _start(tx: Tx, announcer: Announcer, call: NewCall) -> None:
    claim = claim_direct(tx, call.account_id, call.call_id)
    if claim is not None:
        tx.on_commit(partial(announcer.media, claim))


def _new_call(account_id: UUID, body: DirectCall, from_number: str) -> NewCall:
    return NewCall(
        call_id=uuid4(),
        account_id=account_id,
        phone_number=body.phone_number,
        from_number=from_number,
        config=body.model_dump_json(include=_CONFIG_FIELDS, exclude_unset=True),
        lead_context=json.dumps(body.lead_context),
        hold_s=hold_for(body.max_duration),
        due_at=body.scheduled_at,
        campaign_id=body.campaign_id,
        lead_id=body.lead_id,
        attempt_number=body.attempt_number,
        execution_key=body.idempotency_key,
    )
