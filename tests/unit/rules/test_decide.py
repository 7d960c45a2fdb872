"""Every blocker on its own, their order, and what the verdict says."""

import sys
from dataclasses import dataclass, field
from datetime import timedelta, timezone

import pytest

from dispatcher.rules.decide import RULES, closing_state, decide, earliest, trace
from dispatcher.rules.facts import Allow, Capacity, History, LeadFacts, Never, Verdict, Wait
from dispatcher.rules.policy import Policy
from schema.outcomes import Outcome
from schema.reasons import REASONS, Hold, ReasonCode
from schema.states import CampaignStatus, EnrolmentState
from tests.unit.rules.builders import (
    NEW_YORK,
    NOON,
    a_history,
    a_lead,
    a_policy,
    a_window,
    an_open_policy,
    at,
    room,
    waiting_after,
)

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def verdict(
    lead: LeadFacts | None = None,
    policy: Policy | None = None,
    history: History | None = None,
    capacity: Capacity | None = None,
    ring_s: int = 0,
) -> Verdict:
    return decide(
        lead or a_lead(),
        policy or a_policy(),
        history or a_history(),
        capacity or Capacity.unlimited(),
        NOON,
        ring_s=ring_s,
    )


def code_of(answer: Verdict) -> ReasonCode | None:
    return None if isinstance(answer, Allow) else answer.reasons[0].code


def test_a_fresh_lead_in_an_open_window_is_called() -> None:
    assert verdict() == Allow()


@dataclass(frozen=True)
class Blocker:
    """One way to be blocked: the facts that differ from the default ones and the instant it clears."""

    code: ReasonCode
    lead: LeadFacts = field(default_factory=a_lead)
    policy: Policy = field(default_factory=a_policy)
    history: History = field(default_factory=a_history)
    capacity: Capacity = field(default_factory=Capacity.unlimited)
    until: object = None


def tuesday(start: str, end: str) -> Policy:
    return a_policy(schedule={"windows": [a_window(start, end, "tue")], "respect_legal_hours": False})


C = ReasonCode
BLOCKERS = [
    Blocker(C.CAMPAIGN_ENDED, policy=a_policy(CampaignStatus.COMPLETED)),
    Blocker(C.CAMPAIGN_ENDED, policy=a_policy(CampaignStatus.CANCELLED)),
    Blocker(C.CAMPAIGN_ENDED, policy=a_policy(schedule={"end_at": NOON})),
    Blocker(C.CAMPAIGN_ENDED, history=a_history(state=EnrolmentState.CANCELLED)),
    Blocker(C.CAMPAIGN_ENDED, history=a_history(state=EnrolmentState.EXPIRED)),
    Blocker(C.SUPPRESSED, lead=a_lead(suppressed=True)),
    Blocker(C.OPTED_OUT, lead=a_lead(opted_out=True)),
    Blocker(C.NUMBER_INVALID, lead=a_lead("+11125550123")),
    Blocker(C.REACHED, history=waiting_after(Outcome.HUMAN)),
    Blocker(C.REACHED, history=a_history(state=EnrolmentState.COMPLETED, last_outcome=Outcome.HUMAN)),
    Blocker(C.PERMANENT_FAILURE, history=waiting_after(Outcome.REJECTED)),
    Blocker(C.PERMANENT_FAILURE, history=waiting_after(Outcome.INVALID_NUMBER)),
    Blocker(C.PERMANENT_FAILURE, history=waiting_after(Outcome.IVR)),
    Blocker(C.BUDGET_SPENT, history=waiting_after(Outcome.BUSY, attempts_used=3)),
    Blocker(C.BUDGET_SPENT, history=waiting_after(Outcome.CARRIER_REFUSED, attempts_used=0, refusals_used=6)),
    Blocker(C.NOT_RETRIED, history=waiting_after(Outcome.BUSY, state=EnrolmentState.EXHAUSTED)),
    Blocker(C.AMBIGUOUS, history=waiting_after(Outcome.AMBIGUOUS)),
    Blocker(C.AMBIGUOUS, history=waiting_after(Outcome.AMBIGUOUS, state=EnrolmentState.SKIPPED)),
    Blocker(C.ZONE_UNKNOWN, lead=a_lead(zones=())),
    Blocker(C.ZONE_UNKNOWN, lead=a_lead("+12125550123", "Mars/Base")),
    Blocker(C.NO_COMMON_WINDOW, lead=a_lead("+12125550123", NEW_YORK, "Asia/Tokyo")),
    Blocker(C.PAUSED, policy=a_policy(CampaignStatus.PAUSED)),
    Blocker(C.NOT_STARTED, policy=a_policy(CampaignStatus.DRAFT)),
    Blocker(C.NOT_STARTED, policy=a_policy(CampaignStatus.SCHEDULED)),
    Blocker(C.NOT_STARTED, policy=a_policy(schedule={"start_at": NOON + DAY}), until=NOON + DAY),
    Blocker(C.LIVE_CALL, history=a_history(live_call=True)),
    Blocker(C.RETRY_DELAY, history=waiting_after(Outcome.BUSY, next_due_at=NOON + MINUTE), until=NOON + MINUTE),
    Blocker(C.RETRY_DELAY, history=a_history(state=EnrolmentState.DUE, next_due_at=NOON + MINUTE), until=NOON + MINUTE),
    Blocker(
        C.CALLBACK_AT,
        history=waiting_after(Outcome.HUMAN, callback_at=NOON + HOUR, next_due_at=NOON + HOUR),
        until=NOON + HOUR,
    ),
    Blocker(C.MIN_GAP, history=a_history(dials_at=(NOON - 9 * MINUTE,)), until=NOON + MINUTE),
    Blocker(
        C.ROLLING_CAP,
        history=a_history(dials_at=(NOON - 23 * HOUR, NOON - 2 * HOUR, NOON - HOUR)),
        until=NOON + HOUR,
    ),
    Blocker(
        C.DAYPART_AVOID,
        policy=an_open_policy(retry={"avoid_same_daypart_hours": 2}),
        history=waiting_after(Outcome.NO_ANSWER, unanswered_at=(NOON - DAY + HOUR,)),
        until=NOON + 3 * HOUR,
    ),
    Blocker(C.OUTSIDE_WINDOW, policy=tuesday("14:00", "15:00"), until=NOON + 2 * HOUR),
    Blocker(
        C.HOLIDAY,
        policy=a_policy(schedule={"blackout_dates": ["2026-05-05"]}),
        until=NOON + 21 * HOUR,
    ),
    Blocker(C.QUOTA, capacity=room(quota_available_s=299)),
    Blocker(C.QUOTA, capacity=room(campaign_quota_free_s=299)),
    Blocker(C.TENANT_CAP, capacity=room(account_live_free=0)),
    Blocker(C.TENANT_CAP, capacity=room(account_starts_free=0)),
    Blocker(C.CAMPAIGN_CAP, capacity=room(campaign_live_free=0)),
    Blocker(C.CAMPAIGN_CAP, capacity=room(campaign_starts_free=0)),
    Blocker(C.CAMPAIGN_CAP, capacity=room(campaign_day_free=0)),
    Blocker(C.NUMBER_CAP, capacity=room(caller_ids_free=0)),
    Blocker(C.CPS, capacity=room(carrier_starts_free=0)),
    Blocker(C.MEDIA_FULL, capacity=room(media_free=0)),
]


def named(blocker: Blocker) -> str:
    return blocker.code.value


@pytest.mark.parametrize("blocker", BLOCKERS, ids=named)
def test_each_blocker_blocks_alone_and_says_until_when(blocker: Blocker) -> None:
    answer = verdict(blocker.lead, blocker.policy, blocker.history, blocker.capacity)
    assert code_of(answer) is blocker.code
    if REASONS[blocker.code].hold is Hold.NEVER:
        assert isinstance(answer, Never)
    else:
        assert isinstance(answer, Wait)
        assert answer.until == blocker.until
    reasons = trace(blocker.lead, blocker.policy, blocker.history, blocker.capacity, NOON)
    assert [reason.code for reason in reasons] == [blocker.code]


def test_every_reason_but_the_dealers_has_a_rule_and_a_test() -> None:
    judged = set(ReasonCode) - {ReasonCode.FAIR_SHARE_TURN}
    assert set(RULES) == judged
    assert {blocker.code for blocker in BLOCKERS} == judged


def test_rules_are_judged_in_the_order_of_the_codes() -> None:
    assert list(RULES) == [code for code in ReasonCode if code in RULES]


def test_the_first_blocker_is_shown_and_the_trace_lists_all() -> None:
    lead = a_lead(suppressed=True, opted_out=True)
    policy = a_policy(CampaignStatus.PAUSED)
    answer = verdict(lead, policy, capacity=room(media_free=0))
    assert code_of(answer) is ReasonCode.SUPPRESSED
    codes = [reason.code for reason in trace(lead, policy, a_history(), room(media_free=0), NOON)]
    assert codes == [ReasonCode.SUPPRESSED, ReasonCode.OPTED_OUT, ReasonCode.PAUSED, ReasonCode.MEDIA_FULL]


def test_a_holiday_outside_hours_is_both() -> None:
    policy = a_policy(schedule={"blackout_dates": ["2026-05-05"], "windows": [a_window("14:00", "15:00")]})
    reasons = trace(a_lead(), policy, a_history(), Capacity.unlimited(), NOON)
    assert [r.code for r in reasons] == [ReasonCode.OUTSIDE_WINDOW, ReasonCode.HOLIDAY]
    assert {r.until for r in reasons} == {at("2026-05-06 18:00")}


def test_the_law_narrows_the_campaigns_windows() -> None:
    schedule = {"windows": [a_window("00:00", "24:00")]}
    florida = a_lead("+13055551234")
    late = at("2026-05-06 00:30")  # 20:30 in Miami and New York
    history, free = a_history(), Capacity.unlimited()
    assert code_of(decide(florida, a_policy(schedule=schedule), history, free, late)) is ReasonCode.OUTSIDE_WINDOW
    assert decide(a_lead(), a_policy(schedule=schedule), history, free, late) == Allow()
    lawless = a_policy(schedule={**schedule, "respect_legal_hours": False})
    assert decide(florida, lawless, history, free, late) == Allow()


def test_the_law_is_judged_at_the_lead_even_in_campaign_mode() -> None:
    schedule = {"windows": [a_window("09:00", "20:00")], "timezone": "Europe/Berlin", "timezone_mode": "campaign"}
    reasons = trace(a_lead(), a_policy(schedule=schedule), a_history(), Capacity.unlimited(), at("2026-05-05 08:00"))
    assert [r.code for r in reasons] == [ReasonCode.OUTSIDE_WINDOW]
    assert dict(reasons[0].inputs)["law"].startswith("47 CFR")
    assert verdict(policy=a_policy(schedule=schedule)) == Allow()


def test_ringing_past_the_end_waits_for_the_next_opening() -> None:
    answer = verdict(policy=tuesday("11:00", "12:01"), ring_s=60)
    assert isinstance(answer, Wait)
    assert answer.until == at("2026-05-12 15:00")
    assert verdict(policy=tuesday("11:00", "12:01"), ring_s=59) == Allow()


@pytest.mark.parametrize("outcome", [Outcome.HUMAN, Outcome.REJECTED, Outcome.AMBIGUOUS, Outcome.IVR])
@pytest.mark.parametrize("state", [EnrolmentState.DUE, EnrolmentState.CLAIMED])
def test_an_explicit_request_overrides_an_earlier_outcome(outcome: Outcome, state: EnrolmentState) -> None:
    assert verdict(history=waiting_after(outcome, state=state)) == Allow()


def test_an_explicit_request_never_overrides_the_budget() -> None:
    history = waiting_after(Outcome.BUSY, state=EnrolmentState.DUE, attempts_used=3)
    assert code_of(verdict(history=history)) is ReasonCode.BUDGET_SPENT


def test_a_due_callback_is_called_although_the_person_was_reached() -> None:
    assert verdict(history=waiting_after(Outcome.HUMAN, callback_at=NOON)) == Allow()


def test_a_first_attempt_is_not_held_by_an_old_opening() -> None:
    assert verdict(history=a_history(next_due_at=NOON + DAY)) == Allow()


def test_a_time_of_day_is_avoided_only_where_another_is_open() -> None:
    parts = {"retry": {"avoid_same_daypart_hours": 2}}
    history = waiting_after(Outcome.NO_ANSWER, unanswered_at=(NOON - DAY,))
    narrow = a_policy(schedule={"windows": [a_window("11:00", "13:00")]}, **parts)
    assert verdict(policy=narrow, history=history) == Allow()
    wide = a_policy(schedule={"windows": [a_window("11:00", "17:00")]}, **parts)
    answer = verdict(policy=wide, history=history)
    assert isinstance(answer, Wait)
    assert answer.until == NOON + 2 * HOUR


def test_the_earliest_time_is_where_every_wait_has_ended() -> None:
    history = waiting_after(
        Outcome.BUSY, next_due_at=NOON + 7 * HOUR + 59 * MINUTE, dials_at=(NOON + 7 * HOUR + 55 * MINUTE,)
    )
    assert earliest(a_lead(), a_policy(), history, NOON) == at("2026-05-06 13:00")
    assert earliest(a_lead(), a_policy(CampaignStatus.PAUSED), history, NOON) is None
    assert earliest(a_lead(suppressed=True), a_policy(), history, NOON) is None
    assert earliest(a_lead(), a_policy(), a_history(), NOON) == NOON


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (ReasonCode.CAMPAIGN_ENDED, EnrolmentState.EXPIRED),
        (ReasonCode.REACHED, EnrolmentState.COMPLETED),
        (ReasonCode.BUDGET_SPENT, EnrolmentState.EXHAUSTED),
        (ReasonCode.PERMANENT_FAILURE, EnrolmentState.EXHAUSTED),
        (ReasonCode.SUPPRESSED, EnrolmentState.SKIPPED),
        (ReasonCode.NO_COMMON_WINDOW, EnrolmentState.SKIPPED),
    ],
)
def test_a_never_names_the_state_it_leaves(code: ReasonCode, state: EnrolmentState) -> None:
    assert closing_state(code) is state


def test_a_status_change_copies_only_when_it_changes() -> None:
    policy = a_policy()
    assert policy.with_status(CampaignStatus.RUNNING) is policy
    assert policy.with_status(CampaignStatus.PAUSED).status is CampaignStatus.PAUSED
    assert policy.lookback == DAY
    assert a_policy(contact_limits={"min_gap_minutes": 10_080}).lookback == 7 * DAY


def test_an_instant_in_another_zone_is_the_same_instant() -> None:
    tokyo = timezone(9 * HOUR)
    for now in (NOON, at("2026-05-06 00:00"), at("2026-05-05 13:00")):
        answers = {
            decide(a_lead(), a_policy(), a_history(), Capacity.unlimited(), clock)
            for clock in (now, now.astimezone(tokyo))
        }
        assert len(answers) == 1


def test_a_warm_decision_touches_neither_zones_nor_numbering_plans() -> None:
    facts = (a_lead(), a_policy(), waiting_after(Outcome.BUSY), Capacity.unlimited())
    later = NOON + 9 * HOUR
    for now in (NOON, later):
        decide(*facts, now, ring_s=30)
    seen: set[str] = set()
    sys.setprofile(lambda frame, _event, _argument: seen.add(frame.f_code.co_filename))
    for now in (NOON, later):
        decide(*facts, now, ring_s=30)
    sys.setprofile(None)
    assert any(name.endswith("windows.py") for name in seen)
    assert not [name for name in seen if "pytz" in name or "phonenumbers" in name]
