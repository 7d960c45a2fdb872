"""Rules on whether a lead may be called in this campaign at all, and what waits for a person.

Nothing here clears by itself. What an earlier outcome forbids is judged while the enrolment waits; once it is claimed
no further outcome can arrive before the dial. An explicit request (state due) overrides earlier outcomes, but never the
budget.
"""

from dispatcher.rules.case import Case, blocked
from dispatcher.rules.facts import Reason
from dispatcher.rules.numbers import dialable
from dispatcher.rules.windows import is_open, next_opening, zones_known
from schema.outcomes import Outcome
from schema.reasons import ReasonCode
from schema.states import CampaignStatus, EnrolmentState

MAX_REFUSALS = 5
"""How often a carrier's refusal is backed off from before the lead is given up."""

PERMANENT_OUTCOMES = frozenset({Outcome.REJECTED, Outcome.INVALID_NUMBER, Outcome.IVR})
_OVER = frozenset({CampaignStatus.COMPLETED, CampaignStatus.CANCELLED})
_TAKEN_OUT = frozenset({EnrolmentState.CANCELLED, EnrolmentState.EXPIRED})
_OUTCOME_SETTLED = frozenset({EnrolmentState.DUE, EnrolmentState.CLAIMED, EnrolmentState.IN_CALL})


def campaign_ended(case: Case) -> Reason | None:
    """Block when the campaign, or this enrolment in it, is over."""
    policy = case.policy
    if policy.status in _OVER:
        return blocked(ReasonCode.CAMPAIGN_ENDED, status=policy.status)
    if policy.end_at is not None and case.now >= policy.end_at:
        return blocked(ReasonCode.CAMPAIGN_ENDED, end_at=policy.end_at)
    if case.history.state in _TAKEN_OUT:
        return blocked(ReasonCode.CAMPAIGN_ENDED, enrolment=case.history.state)
    return None


def suppressed(case: Case) -> Reason | None:
    """Block numbers on the account's do-not-call list."""
    return blocked(ReasonCode.SUPPRESSED) if case.lead.suppressed else None


def opted_out(case: Case) -> Reason | None:
    """Block people who asked not to be called."""
    return blocked(ReasonCode.OPTED_OUT) if case.lead.opted_out else None


def number_invalid(case: Case) -> Reason | None:
    """Block numbers that do not exist."""
    fault = dialable(case.lead.phone_number)
    return blocked(ReasonCode.NUMBER_INVALID, fault=fault) if fault is not None else None


def reached(case: Case) -> Reason | None:
    """Block people who were reached, unless they asked to be called back."""
    history = case.history
    if history.state is EnrolmentState.COMPLETED:
        return blocked(ReasonCode.REACHED, enrolment=history.state)
    if history.state in _OUTCOME_SETTLED or history.last_outcome is not Outcome.HUMAN:
        return None
    return blocked(ReasonCode.REACHED, last_outcome=Outcome.HUMAN) if history.callback_at is None else None


def permanent_failure(case: Case) -> Reason | None:
    """Block numbers whose last outcome is never retried."""
    history = case.history
    if history.state in _OUTCOME_SETTLED or history.last_outcome not in PERMANENT_OUTCOMES:
        return None
    return blocked(ReasonCode.PERMANENT_FAILURE, last_outcome=history.last_outcome)


def budget_spent(case: Case) -> Reason | None:
    """Block leads whose attempts, or the carrier's refusals, are used up."""
    history = case.history
    if history.attempts_used >= case.policy.max_attempts:
        return blocked(
            ReasonCode.BUDGET_SPENT, attempts_used=history.attempts_used, max_attempts=case.policy.max_attempts
        )
    if history.refusals_used > MAX_REFUSALS:
        return blocked(ReasonCode.BUDGET_SPENT, refusals_used=history.refusals_used, max_refusals=MAX_REFUSALS)
    return None


def not_retried(case: Case) -> Reason | None:
    """Block leads whose plan ended before their attempts were used."""
    history = case.history
    if history.state is EnrolmentState.EXHAUSTED and history.last_outcome is not Outcome.AMBIGUOUS:
        return blocked(ReasonCode.NOT_RETRIED, enrolment=history.state, last_outcome=history.last_outcome)
    return None


def ambiguous(case: Case) -> Reason | None:
    """Block leads whose last call may or may not have gone out."""
    history = case.history
    if history.state in _OUTCOME_SETTLED or history.last_outcome is not Outcome.AMBIGUOUS:
        return None
    return blocked(ReasonCode.AMBIGUOUS, last_outcome=Outcome.AMBIGUOUS)


def zone_unknown(case: Case) -> Reason | None:
    """Block leads whose local time nobody knows."""
    if zones_known(case.lead.zones):
        return None
    return blocked(ReasonCode.ZONE_UNKNOWN, zones=case.lead.zones, zone_source=case.lead.zone_source)


def no_common_window(case: Case) -> Reason | None:
    """Block leads for whom nothing opens within the horizon."""
    zones = case.lead.zones
    if is_open(case.windows, zones, case.now, case.ring_s) or not zones_known(zones):
        return None
    if next_opening(case.windows, zones, case.now, case.ring_s) is not None:
        return None
    return blocked(ReasonCode.NO_COMMON_WINDOW, zones=zones, zone_source=case.lead.zone_source)


def paused(case: Case) -> Reason | None:
    """Hold everything while the campaign is paused."""
    return blocked(ReasonCode.PAUSED, status=case.policy.status) if _is(case, CampaignStatus.PAUSED) else None


def not_started(case: Case) -> Reason | None:
    """Hold everything until the campaign starts."""
    start_at = case.policy.start_at
    waits = start_at is not None and case.now < start_at
    if waits or _is(case, CampaignStatus.DRAFT) or _is(case, CampaignStatus.SCHEDULED):
        return blocked(
            ReasonCode.NOT_STARTED, start_at if waits else None, status=case.policy.status, start_at=start_at
        )
    return None


def _is(case: Case, status: CampaignStatus) -> bool:
    return case.policy.status is status
