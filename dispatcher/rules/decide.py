"""May this lead be called now? One pure function for preview, tick, last gate, why page and audit.

Rules are judged in the order of `ReasonCode`; the first blocker decides, `trace` lists them all. Unknown input fails
closed. FAIR_SHARE_TURN has no rule here: it is what a lead that is allowed waits for when it is dealt no slot.
"""

from datetime import UTC, datetime
from typing import assert_never

from dispatcher.rules import room, standing, timing
from dispatcher.rules.case import Case, Rule
from dispatcher.rules.facts import Allow, Capacity, History, LeadFacts, Never, Reason, Verdict, Wait
from dispatcher.rules.policy import Policy
from schema.reasons import REASONS, Hold, ReasonCode
from schema.states import EnrolmentState

RULES: dict[ReasonCode, Rule] = {
    ReasonCode.CAMPAIGN_ENDED: standing.campaign_ended,
    ReasonCode.SUPPRESSED: standing.suppressed,
    ReasonCode.OPTED_OUT: standing.opted_out,
    ReasonCode.NUMBER_INVALID: standing.number_invalid,
    ReasonCode.REACHED: standing.reached,
    ReasonCode.PERMANENT_FAILURE: standing.permanent_failure,
    ReasonCode.BUDGET_SPENT: standing.budget_spent,
    ReasonCode.NOT_RETRIED: standing.not_retried,
    ReasonCode.AMBIGUOUS: standing.ambiguous,
    ReasonCode.ZONE_UNKNOWN: standing.zone_unknown,
    ReasonCode.NO_COMMON_WINDOW: standing.no_common_window,
    ReasonCode.PAUSED: standing.paused,
    ReasonCode.NOT_STARTED: standing.not_started,
    ReasonCode.LIVE_CALL: timing.live_call,
    ReasonCode.RETRY_DELAY: timing.retry_delay,
    ReasonCode.CALLBACK_AT: timing.callback_at,
    ReasonCode.MIN_GAP: timing.min_gap,
    ReasonCode.ROLLING_CAP: timing.rolling_cap,
    ReasonCode.DAYPART_AVOID: timing.daypart_avoid,
    ReasonCode.OUTSIDE_WINDOW: timing.outside_window,
    ReasonCode.HOLIDAY: timing.holiday,
    ReasonCode.QUOTA: room.quota,
    ReasonCode.TENANT_CAP: room.tenant_cap,
    ReasonCode.CAMPAIGN_CAP: room.campaign_cap,
    ReasonCode.NUMBER_CAP: room.number_cap,
    ReasonCode.CPS: room.carrier_rate,
    ReasonCode.MEDIA_FULL: room.media_full,
}
"""Every rule, in the order in which they are judged."""

_ORDERED: tuple[Rule, ...] = tuple(RULES.values())
_ALLOW = Allow()


def decide(
    lead: LeadFacts, policy: Policy, history: History, capacity: Capacity, now: datetime, *, ring_s: int = 0
) -> Verdict:
    """Return whether to call this lead now, wait, or never call it in this campaign.

    `ring_s` seconds of ringing must still fit into the calling hours.
    """
    windows = policy.windows_for(lead.phone_number)
    case = Case(lead, policy, history, capacity, _utc(now), ring_s, windows)
    for rule in _ORDERED:
        reason = rule(case)
        if reason is not None:
            return verdict_of(reason)
    return _ALLOW


def trace(
    lead: LeadFacts, policy: Policy, history: History, capacity: Capacity, now: datetime, *, ring_s: int = 0
) -> tuple[Reason, ...]:
    """Return every blocker, in the order of judgement; empty when the lead may be called."""
    windows = policy.windows_for(lead.phone_number)
    case = Case(lead, policy, history, capacity, _utc(now), ring_s, windows)
    return tuple(reason for rule in _ORDERED if (reason := rule(case)) is not None)


def verdict_of(reason: Reason) -> Wait | Never:
    """Return the verdict a first blocker makes."""
    if REASONS[reason.code].hold is Hold.NEVER:
        return Never((reason,))
    return Wait(reason.until, (reason,))


def closing_state(code: ReasonCode) -> EnrolmentState:
    """Return the state in which a `Never` with this first reason leaves an enrolment."""
    return _CLOSING.get(code, EnrolmentState.SKIPPED)


_CLOSING: dict[ReasonCode, EnrolmentState] = {
    ReasonCode.CAMPAIGN_ENDED: EnrolmentState.EXPIRED,
    ReasonCode.REACHED: EnrolmentState.COMPLETED,
    ReasonCode.PERMANENT_FAILURE: EnrolmentState.EXHAUSTED,
    ReasonCode.BUDGET_SPENT: EnrolmentState.EXHAUSTED,
    ReasonCode.NOT_RETRIED: EnrolmentState.EXHAUSTED,
}

_MAX_STEPS = 64


def earliest(lead: LeadFacts, policy: Policy, history: History, now: datetime, *, ring_s: int = 0) -> datetime | None:
    """Return the first instant from `now` on at which the lead may be called if room is free and nothing changes.

    None when it is never, or when a person or another call has to act first.
    """
    at = now
    for _ in range(_MAX_STEPS):
        verdict = decide(lead, policy, history, Capacity.unlimited(), at, ring_s=ring_s)
        match verdict:
            case Allow():
                return at
            case Wait(until=until):
                if until is None or until <= at:
                    return None
                at = until
            case Never():
                return None
            case _:
                assert_never(verdict)
    return None


def _utc(now: datetime) -> datetime:
    return now if now.tzinfo is UTC else now.astimezone(UTC)
