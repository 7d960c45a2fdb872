"""What comes after a call: the enrolment's next state and when it is due again.

One total budget of attempts; limits per cause count inside it. Refusals of the carrier before ringing back off without
spending an attempt. Jitter is a hash of (campaign, lead, attempt), so a replay plans the same instants. Does not
know more of a call than its outcome; whether the planned instant is still right is judged again by `decide`.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from dispatcher.rules.decide import closing_state
from dispatcher.rules.facts import History, LeadFacts
from dispatcher.rules.policy import Policy
from dispatcher.rules.standing import MAX_REFUSALS, PERMANENT_OUTCOMES
from dispatcher.rules.timing import UNANSWERED_OUTCOMES, next_other_daypart, rolling_free_at
from dispatcher.rules.windows import next_opening, zones_known
from schema.outcomes import OUTCOMES, Outcome
from schema.policy import Retry
from schema.reasons import ReasonCode
from schema.states import EnrolmentState

REFUSAL_FIRST_S = 30
REFUSAL_LONGEST_S = 300

_JITTER_STEPS = 1_000_000


@dataclass(frozen=True, slots=True)
class NextStep:
    """How an enrolment goes on.

    Attributes:
        next_due_at: when it is due again; None when it is closed.
        callback_at: the instant the person asked for while it is still to come; to be stored as it is.
        reason: why it is closed; None when it goes on.
    """

    state: EnrolmentState
    next_due_at: datetime | None
    attempts_used: int
    refusals_used: int
    callback_at: datetime | None = None
    reason: ReasonCode | None = None


def after_call(policy: Policy, history: History, *, outcome: Outcome, ended_at: datetime, lead: LeadFacts) -> NextStep:
    """Return what follows a call that ended so.

    `history` holds the counts as they were before this call ended; its `callback_at` may have been set during the call
    and the call's own dial is the last of its `dials_at`.
    """
    now = ended_at.astimezone(UTC)
    asked_for = history.callback_at
    after = _Aftermath(
        policy=policy,
        history=history,
        lead=lead,
        outcome=outcome,
        now=now,
        attempts=history.attempts_used + OUTCOMES[outcome].spends_attempt,
        refusals=history.refusals_used + (outcome is Outcome.CARRIER_REFUSED),
        callback_at=asked_for if asked_for is not None and asked_for > now else None,
    )
    reason = _closing(after)
    if reason is not None:
        state = EnrolmentState.CANCELLED if outcome is Outcome.CANCELLED else closing_state(reason)
        return NextStep(state, None, after.attempts, after.refusals, None, reason)
    due_at = _moved(after, after.callback_at or now + _delay(after))
    return NextStep(EnrolmentState.RETRY_WAIT, due_at, after.attempts, after.refusals, after.callback_at)


class _Aftermath(NamedTuple):
    """A call that has just ended; counts include it, `history` does not."""

    policy: Policy
    history: History
    lead: LeadFacts
    outcome: Outcome
    now: datetime
    attempts: int
    refusals: int
    callback_at: datetime | None


_CLOSED_BY_OUTCOME: dict[Outcome, ReasonCode] = {
    Outcome.CANCELLED: ReasonCode.CAMPAIGN_ENDED,
    Outcome.EXPIRED: ReasonCode.CAMPAIGN_ENDED,
    Outcome.AMBIGUOUS: ReasonCode.AMBIGUOUS,
    **dict.fromkeys(PERMANENT_OUTCOMES, ReasonCode.PERMANENT_FAILURE),
}


def _closing(after: _Aftermath) -> ReasonCode | None:
    """Return why the enrolment closes, None when another attempt follows."""
    spent = after.attempts >= after.policy.max_attempts or after.refusals > MAX_REFUSALS
    barred = _barred(after.lead)
    if after.outcome is Outcome.HUMAN:
        again = after.callback_at is not None and not spent and barred is None
        return None if again else ReasonCode.REACHED
    closed = _CLOSED_BY_OUTCOME.get(after.outcome, barred)
    if closed is not None:
        return closed
    if spent:
        return ReasonCode.BUDGET_SPENT
    return None if _goes_on(after) else ReasonCode.NOT_RETRIED


def _barred(lead: LeadFacts) -> ReasonCode | None:
    if lead.suppressed:
        return ReasonCode.SUPPRESSED
    return ReasonCode.OPTED_OUT if lead.opted_out else None


def _goes_on(after: _Aftermath) -> bool:
    """Say whether the plan has another attempt after this outcome, the total budget aside."""
    if after.outcome is Outcome.CARRIER_REFUSED or after.callback_at is not None:
        return True
    retry, cause = after.policy.body.retry, OUTCOMES[after.outcome].retry_as
    if cause is None or cause not in _retry_causes(retry):
        return False
    limit = next((rule.max for name, rule in retry.per_outcome.items() if name == cause), None)
    return limit is None or _same_cause_before(after.history, cause) < limit


def _retry_causes(retry: Retry) -> frozenset[str]:
    return frozenset((*retry.retry_on, "voicemail") if retry.retry_on_voicemail else retry.retry_on)


def _same_cause_before(history: History, cause: str) -> int:
    """Count earlier attempts that ended for this cause; attempts whose outcome is not known count too."""
    known = history.outcomes[: history.attempts_used]
    return sum(OUTCOMES[outcome].retry_as == cause for outcome in known) + history.attempts_used - len(known)


def _delay(after: _Aftermath) -> timedelta:
    if after.outcome is Outcome.CARRIER_REFUSED:
        return timedelta(seconds=min(REFUSAL_FIRST_S * 2 ** (after.refusals - 1), REFUSAL_LONGEST_S))
    retry, cause = after.policy.body.retry, OUTCOMES[after.outcome].retry_as or ""
    own = next((rule.delays_minutes for name, rule in retry.per_outcome.items() if name == cause), None)
    delays = own or retry.delays_minutes
    step = _same_cause_before(after.history, cause) if own else after.attempts - 1
    minutes = delays[min(max(step, 0), len(delays) - 1)]
    share = _jitter(retry.jitter_pct, after.policy.campaign_id, after.lead.lead_id, after.attempts)
    return timedelta(minutes=minutes) * (1 + share)


def _jitter(pct: int, campaign_id: UUID, lead_id: UUID, attempt: int) -> float:
    """Return a share between -pct/100 and +pct/100, the same for the same attempt."""
    digest = hashlib.blake2b(f"{campaign_id}|{lead_id}|{attempt}".encode(), digest_size=8).digest()
    point = int.from_bytes(digest, "big") % (2 * _JITTER_STEPS + 1) - _JITTER_STEPS
    return pct / 100 * point / _JITTER_STEPS


def _moved(after: _Aftermath, wanted: datetime) -> datetime:
    """Return the first instant from `wanted` on that contact limits, time of day and calling hours allow.

    A refused call did not reach anybody: contact limits are left to the judgement at that instant.
    """
    policy, history, zones = after.policy, after.history, after.lead.zones
    at = wanted
    if history.dials_at and after.outcome is not Outcome.CARRIER_REFUSED:
        at = rolling_free_at(policy, history.dials_at, max(at, history.dials_at[-1] + policy.min_gap))
    windows = policy.windows_for(after.lead.phone_number)
    if policy.daypart_span and zones_known(zones):
        own = (after.now,) if after.outcome in UNANSWERED_OUTCOMES else ()
        elsewhen = next_other_daypart(policy, windows, zones, (*history.unanswered_at, *own), at)
        if elsewhen is not None:
            return elsewhen
    return next_opening(windows, zones, at) or at
