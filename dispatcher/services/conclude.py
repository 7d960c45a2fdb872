"""What the end of a dialled call means: terminal record, money, the lead, the next attempt, who is told.

All in the caller's transaction, which holds the campaign's shared lock and the call's own, under its fence. The order
of locks goes on with suppression, lead, enrolment, balance. A call that connected is told of after its
post-processing, any other at once.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from dispatcher.announce import Announcer
from dispatcher.rules.dispositions import disposition_of
from dispatcher.rules.plan import NextStep, after_call
from dispatcher.rules.quota import billed
from dispatcher.services.events import emit_call_event
from dispatcher.services.policies import policy_of
from dispatcher.store import callees, calls, enrolments, quota
from dispatcher.store.accounts import find_account
from dispatcher.store.calls import HeldCall
from dispatcher.store.db import Tx
from dispatcher.store.due import candidate_of
from dispatcher.store.leads import opt_out_number
from dispatcher.store.policies import CampaignNow, campaign_now
from dispatcher.store.suppressions import suppress
from schema.events import EventType
from schema.outcomes import OUTCOMES, AnsweredBy, EndReason, Outcome
from schema.states import OPEN_ENROLMENTS, CallPhase, CallStatus, CampaignStatus, EnrolmentState

log = structlog.get_logger()

DIALLED = frozenset({CallPhase.DIALING, CallPhase.RINGING, CallPhase.ANSWERED})
RING_AGAIN = timedelta(seconds=5)
"""When the sweep looks whether post-processing, rung for at once, has begun."""
_FIRST_POST_TOKEN = 0
_OPT_OUT_SOURCE = "call"
_CLOSED_BY_CAMPAIGN = {
    CampaignStatus.CANCELLED: EnrolmentState.CANCELLED,
    CampaignStatus.COMPLETED: EnrolmentState.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class End:
    """How a dialled call ended."""

    outcome: Outcome
    end_reason: EndReason
    answered_by: AnsweredBy | None
    provider_call_id: str | None
    talked_s: float
    answered_at: datetime | None
    ended_at: datetime
    error_message: str | None = None
    opted_out: bool = False


def lock_dialled(tx: Tx, call_id: UUID, lease_token: int) -> tuple[HeldCall, CampaignNow | None] | None:
    """Lock a dialled call under its fence, its campaign before it; None when the fence is old or the call is over."""
    seen = calls.find_call(tx, call_id)
    if seen is None:
        return None
    campaign = None
    if seen.enrolment_id is not None and seen.campaign_id is not None:
        campaign = campaign_now(tx, seen.campaign_id)
    call = calls.lock_call(tx, call_id)
    if call is None or call.lease_token != lease_token or call.phase not in DIALLED:
        return None
    return call, campaign


def conclude(tx: Tx, announcer: Announcer, call: HeldCall, campaign: CampaignNow | None, end: End) -> None:
    """Write the end of a dialled call and all that follows from it."""
    if end.opted_out:
        suppress(tx, call.account_id, call.phone_number, source=_OPT_OUT_SOURCE, reason="asked during a call")
        opt_out_number(tx, call.account_id, call.phone_number)
    facts = OUTCOMES[end.outcome]
    if call.lead_id is not None and facts.spends_attempt:
        dialled_at = call.dialing_at or tx.now
        reached = end.outcome is Outcome.HUMAN
        callees.note_call(tx, call.lead_id, dialled_at=dialled_at, spent=True, reached=reached)
    if campaign is not None and call.enrolment_id is not None:
        _plan_next(tx, call, campaign, end)
    billed_s = _billed_s(tx, call, end)
    connected = facts.status is CallStatus.COMPLETED
    calls.mark_ended(tx, call.call_id, _ending(tx, end, billed_s, connected))
    data: dict[str, object] = {"outcome": end.outcome.value, "end_reason": end.end_reason.value}
    calls.add_event(tx, call.call_id, call.account_id, CallPhase.ENDED.value, data)
    if call.hold_s:
        quota.end_hold(tx, quota.Ending(call.account_id, call.campaign_id, call.call_id, call.hold_s, billed_s))
    if connected:
        tx.on_commit(lambda: announcer.analyse(call.call_id, _FIRST_POST_TOKEN))
    else:
        cancelled = end.outcome is Outcome.CANCELLED
        emit_call_event(tx, call.call_id, EventType.CALL_CANCELLED if cancelled else EventType.CALL_FAILED)
    tx.on_commit(lambda: log.info("call_ended", call_id=str(call.call_id), account_id=str(call.account_id), **data))


def _plan_next(tx: Tx, call: HeldCall, campaign: CampaignNow, end: End) -> None:
    """Move the enrolment on by the campaign's present rules, unless it was taken out meanwhile."""
    assert call.enrolment_id is not None
    state = enrolments.lock_enrolment(tx, call.enrolment_id)
    policy = policy_of(tx, campaign.policy_version_id, campaign.status)
    candidate = candidate_of(tx, call.enrolment_id, policy.lookback)
    history = candidate.history
    if not OUTCOMES[end.outcome].spends_attempt:
        history = replace(history, dials_at=tuple(at for at in history.dials_at if at != call.dialing_at))
    step = after_call(policy, history, outcome=end.outcome, ended_at=tx.now, lead=candidate.lead)
    if state not in OPEN_ENROLMENTS:
        step = replace(step, state=state, reason=None)
    step = _within_campaign(step, campaign.status)
    enrolments.take_next_step(tx, call.enrolment_id, step, outcome=end.outcome, ended_at=end.ended_at)


def _within_campaign(step: NextStep, status: CampaignStatus) -> NextStep:
    """Close what would wait in a campaign that is over."""
    closed = _CLOSED_BY_CAMPAIGN.get(status)
    if closed is None or step.state not in OPEN_ENROLMENTS:
        return step
    return replace(step, state=closed, callback_at=None, reason=None)


def _billed_s(tx: Tx, call: HeldCall, end: End) -> int:
    account = find_account(tx, call.account_id)
    assert account is not None
    return billed(end.talked_s, account.rounding_s, call.hold_s, end.end_reason)


def _ending(tx: Tx, end: End, billed_s: int, connected: bool) -> calls.Ending:
    return calls.Ending(
        phase=CallPhase.AMBIGUOUS if end.outcome is Outcome.AMBIGUOUS else CallPhase.ENDED,
        outcome=end.outcome,
        end_reason=end.end_reason,
        answered_by=end.answered_by,
        provider_call_id=end.provider_call_id,
        talked_s=end.talked_s,
        billed_s=billed_s,
        answered_at=end.answered_at,
        ended_at=end.ended_at,
        attempt_spent=OUTCOMES[end.outcome].spends_attempt,
        disposition=disposition_of(end.outcome),
        error_message=end.error_message,
        post_due_at=tx.now + RING_AGAIN if connected else None,
    )
