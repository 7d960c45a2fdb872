"""The execution of a campaign's next attempt: a known lead's enrolment becomes due, with its call already there.

The call waits like any enrolment that is due and takes the same road: window, caps and do-not-call list are judged by
the tick. Its number must be the next one, so that two senders never make two calls of one attempt.
"""

import json
from uuid import UUID, uuid4

from dispatcher.refusals import Conflict, Faulty, Missing
from dispatcher.rules.callers import choose_caller_id
from dispatcher.rules.quota import hold_for
from dispatcher.services.accept import created, refusal, taken_in
from dispatcher.services.campaigns import found
from dispatcher.services.enrol import new_enrolment
from dispatcher.services.prompts import check_campaign
from dispatcher.store.accepting import KnownCall, NewCall, find_by_execution_key, hold_execution_key, take_in
from dispatcher.store.campaigns import Keep, StoredCampaign, stored_config
from dispatcher.store.db import Tx
from dispatcher.store.enrolling import NextAttempt, ask_for, enrol, next_attempt
from dispatcher.store.leads import find_lead
from schema.calls import CampaignExecution, CreatedCall
from schema.problems import FieldFault, ProblemCode
from schema.states import CAMPAIGN_MOVES, EnrolmentState


def execute(tx: Tx, account_id: UUID, body: CampaignExecution, default_from: str | None) -> tuple[CreatedCall, bool]:
    """Ask for the lead's next attempt; False when the same key asked for it before.

    Raises:
        Missing: the account has no such campaign or lead.
        Conflict: the campaign is over, the lead is on the phone, or the attempt number is not the next one.
        Faulty: a variable of the campaign's texts has no value for the lead, or there is no caller id.
        OutOfQuota: fewer seconds are left than the call must hold.
        Suppressed: the number must not be called.
    """
    hold_execution_key(tx, account_id, body.idempotency_key)
    known = find_by_execution_key(tx, account_id, body.idempotency_key)
    if known is not None:
        return _same(tx, known, body), False
    campaign = found(tx, account_id, body.campaign_id, keep=Keep.STATUS)
    if not CAMPAIGN_MOVES[campaign.status]:
        raise Conflict(
            f"The campaign is {campaign.status.value}; nobody is called in it any more",
            campaign.status.value,
            ProblemCode.INVALID_STATE_TRANSITION,
        )
    attempt = _attempt(tx, campaign, body)
    call = _new_call(campaign, attempt, body, default_from)
    taken = take_in(tx, call)
    if not taken.accepted:
        raise refusal(taken, call)
    ask_for(tx, attempt.enrolment_id, max(body.scheduled_at or tx.now, tx.now))
    return taken_in(call, taken), True


def _attempt(tx: Tx, campaign: StoredCampaign, body: CampaignExecution) -> NextAttempt:
    lead = find_lead(tx, campaign.account_id, body.lead_id)
    if lead is None:
        raise Missing("Lead")
    enrol(tx, campaign.account_id, campaign.campaign_id, (new_enrolment(lead, campaign.body.schedule),))
    attempt = next_attempt(tx, campaign.campaign_id, lead.lead_id)
    check_campaign(tx, campaign.campaign_id, campaign.body.call_config, (lead.lead_id,), body.lead_context)
    busy = attempt.asked_for or attempt.state in {EnrolmentState.CLAIMED, EnrolmentState.IN_CALL}
    if busy or body.attempt_number != attempt.number:
        why = "is under way already" if busy else f"is not the next one, which is {attempt.number}"
        raise Conflict(
            f"Attempt {body.attempt_number} of this lead {why}", attempt.state.value, ProblemCode.DUPLICATE_ATTEMPT
        )
    return attempt


def _new_call(
    campaign: StoredCampaign, attempt: NextAttempt, body: CampaignExecution, default_from: str | None
) -> NewCall:
    config = campaign.body.call_config
    own = config.from_number or default_from
    pool = campaign.body.from_numbers or (() if own is None else (own,))
    seed = f"{campaign.campaign_id}|{body.lead_id}|{attempt.number}"
    from_number = choose_caller_id(pool, campaign.body.from_strategy, attempt.phone_number, {}, seed)
    if from_number is None:
        message = "No caller id: give the campaign from_numbers, or set a default number for the account"
        raise Faulty(FieldFault(path="campaign_id", message=message, code="no_caller_id"))
    return NewCall(
        call_id=uuid4(),
        account_id=campaign.account_id,
        phone_number=attempt.phone_number,
        from_number=from_number,
        config=json.dumps(stored_config(config)),
        lead_context=json.dumps(body.lead_context),
        hold_s=hold_for(config.max_duration),
        due_at=body.scheduled_at,
        campaign_id=campaign.campaign_id,
        lead_id=body.lead_id,
        enrolment_id=attempt.enrolment_id,
        policy_version_id=campaign.policy_version_id,
        attempt_number=attempt.number,
        execution_key=body.idempotency_key,
    )


def _same(tx: Tx, known: KnownCall, body: CampaignExecution) -> CreatedCall:
    asked = (body.campaign_id, body.lead_id, body.attempt_number)
    if (known.campaign_id, known.lead_id, known.attempt_number) != asked:
        raise Conflict(
            "This idempotency_key belongs to another call; use a new key for a new attempt",
            created(tx, known).status.value,
            ProblemCode.DUPLICATE_ATTEMPT,
        )
    return created(tx, known)
