"""A lead's life under any outcomes: the budget, the caps, the windows, and the same plan for the same facts."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.rules.decide import decide, earliest, trace
from dispatcher.rules.facts import Allow, Capacity, History, LeadFacts
from dispatcher.rules.plan import after_call
from dispatcher.rules.policy import Policy
from dispatcher.rules.standing import MAX_REFUSALS
from dispatcher.rules.timing import UNANSWERED_OUTCOMES, rolling_free_at
from schema.outcomes import OUTCOMES, Outcome
from schema.reasons import REASONS, Hold, ReasonCode
from schema.states import WAITING_ENROLMENTS, CampaignStatus, EnrolmentState
from tests.property.strategies import open_by_the_clock, outcomes, schedules
from tests.unit.rules.builders import NOON, a_history, a_lead, a_policy

DAY = timedelta(hours=24)
CAUSES = ("busy", "no_answer", "failed", "voicemail")
moments = st.integers(0, 60 * 24 * 60).map(lambda minutes: NOON + timedelta(minutes=minutes))


@st.composite
def policies(draw: st.DrawFn, *, always_open: bool = False) -> Policy:
    """Draw a running campaign's rules."""
    delays = st.lists(st.integers(1, 3_000), min_size=1, max_size=4)
    own = st.fixed_dictionaries({}, optional={"delays_minutes": delays, "max": st.integers(0, 10)})
    retry = {
        "max_attempts": draw(st.integers(1, 10)),
        "delays_minutes": draw(delays),
        "retry_on": draw(st.lists(st.sampled_from(CAUSES), unique=True)),
        "retry_on_voicemail": draw(st.booleans()),
        "per_outcome": draw(st.dictionaries(st.sampled_from(CAUSES), own, max_size=2)),
        "jitter_pct": draw(st.integers(0, 50)),
        "avoid_same_daypart_hours": draw(st.integers(0, 6)),
    }
    limits = {"max_attempts_per_24h": draw(st.integers(1, 10)), "min_gap_minutes": draw(st.integers(1, 600))}
    always = {
        "windows": [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "00:00", "end": "24:00"}]
    }
    schedule = {**always, "respect_legal_hours": False} if always_open else draw(schedules())
    return a_policy(schedule=schedule, retry=retry, contact_limits=limits)


@dataclass(slots=True)
class Life:
    """One enrolment lived through to its end; checks every dial it makes."""

    policy: Policy
    lead: LeadFacts
    history: History
    asked: list[datetime] = field(default_factory=list)
    dials: list[datetime] = field(default_factory=list)
    spent: int = 0
    refused: int = 0

    def dial(self, now: datetime, outcome: Outcome, callback_after_s: int | None) -> datetime:
        """Place a call the rules allow and record how it ended."""
        self.asked.append(now)
        self.dials += [now] if outcome is not Outcome.CARRIER_REFUSED else []
        self.spent += OUTCOMES[outcome].spends_attempt
        self.refused += outcome is Outcome.CARRIER_REFUSED
        ended_at = now + timedelta(seconds=30)
        callback_at = None if callback_after_s is None else ended_at + timedelta(seconds=callback_after_s)
        before = replace(self.history, dials_at=tuple(self.dials), callback_at=callback_at or self.history.callback_at)
        step = after_call(self.policy, before, outcome=outcome, ended_at=ended_at, lead=self.lead)
        seen = before.unanswered_at + ((now,) if outcome in UNANSWERED_OUTCOMES else ())
        self.history = replace(
            before,
            state=step.state,
            attempts_used=step.attempts_used,
            refusals_used=step.refusals_used,
            last_outcome=outcome,
            next_due_at=step.next_due_at or before.next_due_at,
            callback_at=step.callback_at,
            outcomes=(*before.outcomes, outcome) if OUTCOMES[outcome].spends_attempt else before.outcomes,
            unanswered_at=seen,
        )
        assert (step.state in WAITING_ENROLMENTS) == (step.next_due_at is not None) == (step.reason is None)
        return ended_at

    def check(self) -> None:
        """Hold the invariants of a lead's dials."""
        limits = self.policy.body.contact_limits
        assert self.spent <= self.policy.body.retry.max_attempts
        assert self.refused <= MAX_REFUSALS + 1
        assert self.history.attempts_used == self.spent
        for n, dial in enumerate(self.dials):
            assert sum(dial - DAY < other <= dial for other in self.dials) <= limits.max_attempts_per_24h
            assert n == 0 or dial - self.dials[n - 1] >= timedelta(minutes=limits.min_gap_minutes)
        assert all(open_by_the_clock(self.policy.body.schedule, self.lead.zones, instant) for instant in self.asked)


@settings(max_examples=150, deadline=None)
@given(policies(), st.lists(st.tuples(outcomes, st.none() | st.integers(1, 200_000), st.booleans()), max_size=40))
def test_no_sequence_of_outcomes_breaks_budget_caps_or_windows(
    policy: Policy, story: list[tuple[Outcome, int | None, bool]]
) -> None:
    life = Life(policy, a_lead("+442079460123", "Europe/London"), a_history())
    now = NOON
    for outcome, callback_after_s, asked_again in story:
        if asked_again:
            life.history = replace(life.history, state=EnrolmentState.DUE, next_due_at=now)
        at = earliest(life.lead, policy, life.history, now)
        if at is None:
            continue
        now = life.dial(at, outcome, callback_after_s)
    life.check()


@settings(max_examples=60, deadline=None)
@given(policies(always_open=True), outcomes)
def test_one_outcome_for_ever_comes_to_an_end(policy: Policy, outcome: Outcome) -> None:
    life = Life(policy, a_lead(), a_history())
    now: datetime | None = NOON
    for _ in range(20):
        if now is None:
            break
        ended_at = life.dial(now, outcome, None)
        now = earliest(life.lead, policy, life.history, ended_at)
    assert now is None
    assert life.history.state not in WAITING_ENROLMENTS
    life.check()


@settings(max_examples=100, deadline=None)
@given(policies(), outcomes, st.integers(0, 9), moments, st.uuids())
def test_the_same_facts_give_the_same_plan(
    policy: Policy, outcome: Outcome, attempts: int, ended_at: datetime, lead_id: UUID
) -> None:
    history = a_history(attempts_used=attempts, state=EnrolmentState.RETRY_WAIT)
    lead = a_lead(lead_id=lead_id)
    twin = a_policy(**{name: getattr(policy.body, name) for name in ("schedule", "retry", "contact_limits")})
    steps = {after_call(p, history, outcome=outcome, ended_at=ended_at, lead=lead) for p in (policy, policy, twin)}
    assert len(steps) == 1


@settings(max_examples=100, deadline=None)
@given(policies(always_open=True), st.sampled_from([Outcome.BUSY, Outcome.NO_ANSWER, Outcome.FAILED]), moments)
def test_a_planned_instant_is_allowed_when_it_comes(policy: Policy, outcome: Outcome, ended_at: datetime) -> None:
    life = Life(policy, a_lead(), a_history())
    life.dial(ended_at - timedelta(seconds=30), outcome, None)
    if life.history.state in WAITING_ENROLMENTS:
        due_at = life.history.next_due_at
        assert decide(life.lead, policy, life.history, Capacity.unlimited(), due_at) == Allow()
        early = decide(life.lead, policy, life.history, Capacity.unlimited(), due_at - timedelta(microseconds=1))
        assert early != Allow()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 200_000), max_size=12).map(sorted), st.integers(1, 10), st.integers(0, 300_000))
def test_the_rolling_cap_frees_at_the_first_instant_it_can(ages: list[int], cap: int, now_s: int) -> None:
    start = datetime(2026, 5, 1, tzinfo=UTC)
    now = start + timedelta(seconds=max([now_s, *ages]))
    dials = tuple(start + timedelta(seconds=age) for age in ages)
    policy = a_policy(contact_limits={"max_attempts_per_24h": cap})
    free_at = rolling_free_at(policy, dials, now)

    def in_a_day_before(instant: datetime) -> int:
        return sum(instant - DAY < dial <= instant for dial in dials)

    assert in_a_day_before(free_at) < cap
    assert free_at == now or in_a_day_before(free_at - timedelta(microseconds=1)) >= cap


room = st.integers(0, 2)
capacities = st.builds(
    Capacity,
    media_free=room,
    account_live_free=room,
    account_starts_free=room,
    campaign_live_free=room,
    campaign_starts_free=room,
    campaign_day_free=st.none() | room,
    caller_ids_free=room,
    quota_available_s=st.sampled_from([0, 300]),
    campaign_quota_free_s=st.none() | st.sampled_from([0, 300]),
    carrier_starts_free=st.none() | room,
)
histories = st.builds(
    History,
    state=st.sampled_from(EnrolmentState),
    attempts_used=st.integers(0, 10),
    refusals_used=st.integers(0, 7),
    last_outcome=st.none() | outcomes,
    next_due_at=moments,
    callback_at=st.none() | moments,
    live_call=st.booleans(),
    dials_at=st.lists(moments, max_size=5).map(lambda dials: tuple(sorted(dials))),
    unanswered_at=st.lists(moments, max_size=3).map(tuple),
)
leads = st.builds(
    a_lead,
    st.sampled_from(["+12125550123", "+18005551234", "+447911123456", "+999123456", ""]),
    st.sampled_from(["America/New_York", "Asia/Tokyo", "Mars/Base"]),
    opted_out=st.booleans(),
    suppressed=st.booleans(),
)


cases = st.tuples(leads, policies(), st.sampled_from(CampaignStatus), histories, capacities)


@settings(max_examples=250, deadline=None)
@given(cases, moments, st.integers(0, 120))
def test_the_verdict_is_the_first_line_of_the_trace(
    case: tuple[LeadFacts, Policy, CampaignStatus, History, Capacity], now: datetime, ring_s: int
) -> None:
    lead, policy, status, history, capacity = case
    answer = decide(lead, policy.with_status(status), history, capacity, now, ring_s=ring_s)
    reasons = trace(lead, policy.with_status(status), history, capacity, now, ring_s=ring_s)
    codes = [reason.code for reason in reasons]
    assert codes == [code for code in ReasonCode if code in codes]
    assert (answer == Allow()) == (not reasons)
    assert isinstance(answer, Allow) or answer.reasons == reasons[:1]
    for reason in reasons:
        assert reason.until is None or reason.until > now
        assert REASONS[reason.code].hold is not Hold.NEVER or reason.until is None
