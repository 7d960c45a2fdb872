"""Twilio's callbacks become our events; late ones are told by their rank."""

import pytest

from media.carriers.twilio.callbacks import parse_machine, parse_status, rank
from media.ports import CarrierAnswered, CarrierEnded, CarrierMachineResult, CarrierRinging
from schema.outcomes import AnsweredBy, Outcome


@pytest.mark.parametrize("status", ["queued", "initiated", "something-new"])
def test_a_status_that_moves_nothing_is_no_event(status: str) -> None:
    assert parse_status({"CallSid": "CA1", "CallStatus": status}) is None


def test_ringing_and_answer_are_events() -> None:
    assert parse_status({"CallStatus": "ringing"}) == CarrierRinging()
    assert parse_status({"CallStatus": "in-progress"}) == CarrierAnswered()


@pytest.mark.parametrize(
    ("form", "outcome", "talked_s"),
    [
        ({"CallStatus": "completed", "CallDuration": "12"}, None, 12.0),
        ({"CallStatus": "completed", "CallDuration": "twelve"}, None, 0.0),
        ({"CallStatus": "busy"}, Outcome.BUSY, 0.0),
        ({"CallStatus": "busy", "SipResponseCode": "486"}, Outcome.BUSY, 0.0),
        ({"CallStatus": "busy", "SipResponseCode": "603"}, Outcome.REJECTED, 0.0),
        ({"CallStatus": "no-answer"}, Outcome.NO_ANSWER, 0.0),
        ({"CallStatus": "canceled"}, Outcome.CANCELLED, 0.0),
        ({"CallStatus": "failed"}, Outcome.FAILED, 0.0),
        ({"CallStatus": "failed", "SipResponseCode": "404"}, Outcome.INVALID_NUMBER, 0.0),
        ({"CallStatus": "failed", "SipResponseCode": "503"}, Outcome.FAILED, 0.0),
    ],
)
def test_an_end_names_its_outcome(form: dict[str, str], outcome: Outcome | None, talked_s: float) -> None:
    event = parse_status(form)
    assert isinstance(event, CarrierEnded)
    assert (event.outcome, event.talked_s) == (outcome, talked_s)


@pytest.mark.parametrize(
    ("said", "answered_by"),
    [
        ("human", AnsweredBy.HUMAN),
        ("machine_start", AnsweredBy.VOICEMAIL),
        ("machine_end_beep", AnsweredBy.VOICEMAIL),
        ("fax", AnsweredBy.VOICEMAIL),
        ("unknown", AnsweredBy.UNKNOWN),
        ("something_new", AnsweredBy.UNKNOWN),
    ],
)
def test_machine_detection_is_read_at_either_address(said: str, answered_by: AnsweredBy) -> None:
    form = {"CallSid": "CA1", "AnsweredBy": said, "MachineDetectionDuration": "2400"}
    assert parse_machine(form) == parse_status(form) == CarrierMachineResult(answered_by)


def test_machine_detection_without_a_verdict_is_no_event() -> None:
    assert parse_machine({"CallSid": "CA1"}) is None


def test_late_events_rank_below_what_has_happened() -> None:
    ended = CarrierEnded(None, 3.0, "completed")
    machine = CarrierMachineResult(AnsweredBy.HUMAN)
    assert rank(CarrierRinging()) < rank(CarrierAnswered()) == rank(machine) < rank(ended)
