"""What the facts of a call amount to, and which deadline runs when."""

import pytest

from media.deadlines import GOODBYE_LEAD_S, LEG_LOST_S, RING_GRACE_S, STREAM_S, Deadlines, Due
from media.verdict import CallFacts, outcome_of, who_answered
from schema.outcomes import AnsweredBy, EndReason, Outcome
from tests.unit.media.stage import a_spec

ANSWERED = {"answered_at": 10.0, "ended_at": 40.0}


@pytest.mark.parametrize(
    ("facts", "reason", "spoke", "outcome"),
    [
        (ANSWERED, EndReason.USER_HANGUP, True, Outcome.HUMAN),
        (ANSWERED, EndReason.USER_HANGUP, False, Outcome.NO_SPEECH),
        (ANSWERED | {"answered_by": AnsweredBy.HUMAN}, EndReason.USER_HANGUP, False, Outcome.HUMAN),
        (ANSWERED | {"answered_by": AnsweredBy.UNKNOWN}, EndReason.USER_HANGUP, False, Outcome.NO_SPEECH),
        (ANSWERED | {"answered_by": AnsweredBy.VOICEMAIL}, EndReason.VOICEMAIL_HANGUP, True, Outcome.VOICEMAIL),
        (ANSWERED | {"answered_by": AnsweredBy.IVR}, EndReason.AGENT_END_CALL, True, Outcome.IVR),
        (ANSWERED, EndReason.PROVIDER_CLOSED, True, Outcome.FAILED),
        (ANSWERED, EndReason.CARRIER_STREAM_LOST, True, Outcome.FAILED),
        (ANSWERED, EndReason.WORKER_SHUTDOWN, True, Outcome.FAILED),
        (ANSWERED, EndReason.API_STOP, True, Outcome.HUMAN),
        ({}, EndReason.API_STOP, False, Outcome.CANCELLED),
        ({}, EndReason.CAMPAIGN_STOPPED, False, Outcome.CANCELLED),
        ({}, EndReason.DIAL_NO_ANSWER, False, Outcome.NO_ANSWER),
        ({}, EndReason.NEVER_TAKEN, False, Outcome.CARRIER_REFUSED),
        ({}, EndReason.PROVIDER_AUTH, False, Outcome.FAILED),
        ({"carrier_outcome": Outcome.BUSY}, EndReason.DIAL_BUSY, False, Outcome.BUSY),
        ({"dial_unknown": True}, EndReason.CARRIER_UNKNOWN, False, Outcome.AMBIGUOUS),
        ({"dial_unknown": True}, EndReason.API_STOP, False, Outcome.AMBIGUOUS),
        ({"dial_unknown": True, "carrier_spoke": True}, EndReason.DIAL_NO_ANSWER, False, Outcome.NO_ANSWER),
    ],
)
def test_facts_amount_to(facts: dict[str, object], reason: EndReason, spoke: bool, outcome: Outcome) -> None:
    assert outcome_of(CallFacts(**facts), reason, callee_spoke=spoke) is outcome  # type: ignore[arg-type]


def test_every_end_reason_has_an_outcome_before_and_after_the_answer() -> None:
    for reason in EndReason:
        assert isinstance(outcome_of(CallFacts(), reason, callee_spoke=False), Outcome)
        assert isinstance(outcome_of(CallFacts(answered_at=1.0), reason, callee_spoke=True), Outcome)


def test_who_answered_is_the_carriers_word_or_whoever_spoke() -> None:
    assert who_answered(CallFacts(), Outcome.NO_ANSWER) is None
    assert who_answered(CallFacts(answered_at=1.0), Outcome.HUMAN) is AnsweredBy.HUMAN
    assert who_answered(CallFacts(answered_at=1.0), Outcome.NO_SPEECH) is AnsweredBy.UNKNOWN
    machine = CallFacts(answered_at=1.0, answered_by=AnsweredBy.VOICEMAIL)
    assert who_answered(machine, Outcome.VOICEMAIL) is AnsweredBy.VOICEMAIL


def test_talk_time_runs_from_answer_to_end() -> None:
    assert CallFacts(answered_at=10.0, ended_at=42.5).talked_s == 32.5
    assert CallFacts(ended_at=42.5).talked_s == 0.0


def test_there_is_a_deadline_at_every_moment_of_a_call() -> None:
    deadlines = Deadlines(a_spec(hold_s=300, ring_timeout=30), 100.0)
    assert deadlines.next_in_s(100.0) == 30 + RING_GRACE_S
    deadlines.answered(110.0)
    assert deadlines.next_in_s(110.0) == STREAM_S
    deadlines.joined()
    assert deadlines.next_in_s(112.0) == 300 - GOODBYE_LEAD_S - 2
    assert deadlines.passed(120.0) is None
    assert deadlines.passed(110.0 + 300 - GOODBYE_LEAD_S) is Due.GOODBYE
    deadlines.leg_lost(400.0)
    assert deadlines.passed(400.0 + LEG_LOST_S) is Due.LEG_LOST
    assert deadlines.passed(410.0) is Due.HARD_STOP


def test_the_goodbye_comes_at_max_duration_or_early_enough_before_the_hold_is_used_up() -> None:
    generous = Deadlines(a_spec(hold_s=120, max_duration=1), 0.0)
    generous.answered(0.0)
    generous.joined()
    assert generous.next_in_s(0.0) == 60.0
    tight = Deadlines(a_spec(hold_s=60, max_duration=1), 0.0)
    tight.answered(0.0)
    tight.joined()
    assert tight.next_in_s(0.0) == 45.0
