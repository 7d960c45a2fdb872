"""What follows each outcome: again or closed, and when."""

from datetime import timedelta
from uuid import UUID

import pytest

from dispatcher.rules.plan import NextStep, after_call
from dispatcher.rules.policy import Policy
from schema.outcomes import Outcome
from schema.reasons import ReasonCode
from schema.states import EnrolmentState
from tests.unit.rules.builders import NOON, a_history, a_lead, a_policy, a_window, an_open_policy, at, waiting_after

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
AGAIN = EnrolmentState.RETRY_WAIT


def steady(**retry: object) -> Policy:
    return an_open_policy(retry={"jitter_pct": 0, **retry})


def after(policy: Policy, outcome: Outcome, **history: object) -> NextStep:
    return after_call(policy, a_history(**history), outcome=outcome, ended_at=NOON, lead=a_lead())


@pytest.mark.parametrize("outcome", [Outcome.BUSY, Outcome.NO_ANSWER, Outcome.FAILED, Outcome.NO_SPEECH])
def test_a_missed_person_is_tried_again_after_the_first_delay(outcome: Outcome) -> None:
    assert after(steady(), outcome) == NextStep(AGAIN, NOON + 30 * MINUTE, 1, 0)


def test_the_last_delay_repeats() -> None:
    policy = steady(max_attempts=5)
    assert after(policy, Outcome.BUSY, attempts_used=1).next_due_at == NOON + 120 * MINUTE
    assert after(policy, Outcome.BUSY, attempts_used=3).next_due_at == NOON + 120 * MINUTE


def test_the_budget_includes_the_first_attempt() -> None:
    step = after(steady(), Outcome.BUSY, attempts_used=2)
    assert step == NextStep(EnrolmentState.EXHAUSTED, None, 3, 0, None, ReasonCode.BUDGET_SPENT)


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        (Outcome.HUMAN, EnrolmentState.COMPLETED, ReasonCode.REACHED),
        (Outcome.REJECTED, EnrolmentState.EXHAUSTED, ReasonCode.PERMANENT_FAILURE),
        (Outcome.INVALID_NUMBER, EnrolmentState.EXHAUSTED, ReasonCode.PERMANENT_FAILURE),
        (Outcome.IVR, EnrolmentState.EXHAUSTED, ReasonCode.PERMANENT_FAILURE),
        (Outcome.AMBIGUOUS, EnrolmentState.SKIPPED, ReasonCode.AMBIGUOUS),
        (Outcome.VOICEMAIL, EnrolmentState.EXHAUSTED, ReasonCode.NOT_RETRIED),
    ],
)
def test_some_outcomes_are_never_retried(outcome: Outcome, state: EnrolmentState, reason: ReasonCode) -> None:
    assert after(steady(), outcome) == NextStep(state, None, 1, 0, None, reason)


@pytest.mark.parametrize(
    ("outcome", "state"),
    [(Outcome.CANCELLED, EnrolmentState.CANCELLED), (Outcome.EXPIRED, EnrolmentState.EXPIRED)],
)
def test_a_call_taken_out_spends_nothing(outcome: Outcome, state: EnrolmentState) -> None:
    assert after(steady(), outcome) == NextStep(state, None, 0, 0, None, ReasonCode.CAMPAIGN_ENDED)


@pytest.mark.parametrize("retry", [{"retry_on_voicemail": True}, {"retry_on": ["voicemail"]}])
def test_voicemail_is_retried_where_the_plan_says_so(retry: dict[str, object]) -> None:
    assert after(steady(**retry), Outcome.VOICEMAIL).state is AGAIN


def test_a_cause_left_out_of_retry_on_ends_the_plan() -> None:
    assert after(steady(retry_on=["busy"]), Outcome.NO_ANSWER).reason is ReasonCode.NOT_RETRIED


def test_a_cause_has_its_own_pace_inside_the_one_budget() -> None:
    policy = steady(max_attempts=4, per_outcome={"busy": {"delays_minutes": [10, 20], "max": 2}})
    no_answer_first = {"attempts_used": 1, "outcomes": (Outcome.NO_ANSWER,)}
    assert after(policy, Outcome.BUSY, **no_answer_first).next_due_at == NOON + 10 * MINUTE
    one_busy = {"attempts_used": 2, "outcomes": (Outcome.NO_ANSWER, Outcome.BUSY)}
    assert after(policy, Outcome.BUSY, **one_busy).next_due_at == NOON + 20 * MINUTE
    two_busy = {"attempts_used": 2, "outcomes": (Outcome.BUSY, Outcome.BUSY)}
    assert after(policy, Outcome.BUSY, **two_busy).reason is ReasonCode.NOT_RETRIED
    assert after(policy, Outcome.NO_ANSWER, **two_busy).state is AGAIN


def test_attempts_of_unknown_cause_count_against_the_causes_limit() -> None:
    policy = steady(max_attempts=5, per_outcome={"busy": {"max": 1}})
    assert after(policy, Outcome.BUSY, attempts_used=1).reason is ReasonCode.NOT_RETRIED


def test_a_cause_limited_to_zero_is_never_retried() -> None:
    assert after(steady(per_outcome={"busy": {"max": 0}}), Outcome.BUSY).reason is ReasonCode.NOT_RETRIED


def test_refusals_back_off_without_spending_an_attempt() -> None:
    waits = []
    for refusals in range(5):
        step = after(steady(), Outcome.CARRIER_REFUSED, attempts_used=1, refusals_used=refusals)
        assert (step.state, step.attempts_used, step.refusals_used) == (AGAIN, 1, refusals + 1)
        assert step.next_due_at is not None
        waits.append((step.next_due_at - NOON).total_seconds())
    assert waits == [30, 60, 120, 240, 300]


def test_the_sixth_refusal_gives_up() -> None:
    step = after(steady(), Outcome.CARRIER_REFUSED, refusals_used=5)
    assert step == NextStep(EnrolmentState.EXHAUSTED, None, 0, 6, None, ReasonCode.BUDGET_SPENT)


def test_a_callback_beats_the_plan() -> None:
    asked = NOON + 26 * HOUR
    assert after(steady(), Outcome.HUMAN, callback_at=asked) == NextStep(AGAIN, asked, 1, 0, asked)
    assert after(steady(), Outcome.BUSY, callback_at=asked).next_due_at == asked


def test_a_callback_never_beats_the_window() -> None:
    policy = a_policy(retry={"jitter_pct": 0})
    step = after(policy, Outcome.HUMAN, callback_at=at("2026-05-06 02:00"))
    assert (step.next_due_at, step.callback_at) == (at("2026-05-06 13:00"), at("2026-05-06 02:00"))


def test_a_callback_never_beats_the_budget_or_an_opt_out() -> None:
    asked = NOON + HOUR
    assert after(steady(), Outcome.HUMAN, attempts_used=2, callback_at=asked).state is EnrolmentState.COMPLETED
    history = a_history(callback_at=asked)
    for lead in (a_lead(opted_out=True), a_lead(suppressed=True)):
        step = after_call(steady(), history, outcome=Outcome.HUMAN, ended_at=NOON, lead=lead)
        assert step.state is EnrolmentState.COMPLETED
        assert step.callback_at is None


def test_a_callback_in_the_past_is_spent() -> None:
    step = after(steady(), Outcome.NO_ANSWER, callback_at=NOON)
    assert (step.next_due_at, step.callback_at) == (NOON + 30 * MINUTE, None)


@pytest.mark.parametrize(
    ("lead", "reason"),
    [(a_lead(opted_out=True), ReasonCode.OPTED_OUT), (a_lead(suppressed=True), ReasonCode.SUPPRESSED)],
)
def test_whoever_is_barred_is_not_planned_again(lead: object, reason: ReasonCode) -> None:
    assert isinstance(lead, type(a_lead()))
    step = after_call(steady(), a_history(), outcome=Outcome.BUSY, ended_at=NOON, lead=lead)
    assert (step.state, step.reason) == (EnrolmentState.SKIPPED, reason)


def test_the_plan_lands_inside_the_window() -> None:
    policy = a_policy(schedule={"windows": [a_window("09:00", "12:10")]}, retry={"jitter_pct": 0})
    assert after(policy, Outcome.BUSY).next_due_at == at("2026-05-06 13:00")


def test_the_plan_keeps_gap_and_rolling_cap() -> None:
    policy = an_open_policy(
        retry={"jitter_pct": 0, "delays_minutes": [1], "max_attempts": 9}, contact_limits={"max_attempts_per_24h": 2}
    )
    first = NOON - MINUTE
    assert after(policy, Outcome.BUSY, dials_at=(first,)).next_due_at == first + 10 * MINUTE
    assert after(policy, Outcome.BUSY, dials_at=(first - HOUR, first)).next_due_at == first - HOUR + DAY


def test_the_plan_avoids_the_time_of_day_that_failed() -> None:
    policy = an_open_policy(retry={"jitter_pct": 0, "delays_minutes": [24 * 60], "avoid_same_daypart_hours": 3})
    assert after(policy, Outcome.NO_ANSWER).next_due_at == NOON + 27 * HOUR
    assert after(policy, Outcome.BUSY).next_due_at == NOON + 24 * HOUR
    before = waiting_after(Outcome.NO_ANSWER, unanswered_at=(NOON - 4 * HOUR,))
    step = after_call(policy, before, outcome=Outcome.BUSY, ended_at=NOON - 5 * HOUR, lead=a_lead())
    assert step.next_due_at == NOON + 23 * HOUR


def test_jitter_differs_by_lead_and_attempt_and_stays_in_its_share() -> None:
    policy = an_open_policy(retry={"jitter_pct": 10, "delays_minutes": [100], "max_attempts": 10})
    delays = set()
    for lead_number in range(20):
        lead = a_lead(lead_id=UUID(int=lead_number))
        for attempts in range(5):
            history = a_history(attempts_used=attempts)
            step = after_call(policy, history, outcome=Outcome.BUSY, ended_at=NOON, lead=lead)
            assert step.next_due_at is not None
            delays.add(step.next_due_at - NOON)
    assert len(delays) == 100
    assert min(delays) >= 90 * MINUTE
    assert max(delays) <= 110 * MINUTE
    assert max(delays) - min(delays) > 15 * MINUTE
