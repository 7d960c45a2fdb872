"""A dial is refused only when that is proved; forms, pages and records are read as Twilio writes them."""

import json
import xml.etree.ElementTree as ET

import pytest

from media.carriers.twilio.rest import already_ended, dial_form, read_call, read_dial, read_page, twiml
from media.errors import CarrierRefusal, DialUnknown
from media.ports import CarrierCall, DialRequest
from schema.outcomes import EndReason, Outcome

REQUEST = DialRequest(
    call_id="c1",
    to="+4915112345678",
    from_="+4930123456",
    stream_url="wss://gw.example.org/streams/twilio/to&<k>\"en'",
    status_url="https://gw.example.org/carriers/twilio/status/c1",
    ring_timeout_s=30,
    time_limit_s=300,
    detect_machine=False,
)


def body(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def test_twiml_is_well_formed_whatever_the_address_holds() -> None:
    root = ET.fromstring(twiml(REQUEST.stream_url))
    stream = root.find("./Connect/Stream")
    assert root.tag == "Response"
    assert stream is not None
    assert stream.attrib == {"url": REQUEST.stream_url}


@pytest.mark.parametrize("url", ["wss://gw.example.org/s?token=1", "wss://gw.example.org/" + "x" * 4000])
def test_an_address_twilio_would_refuse_is_never_sent(url: str) -> None:
    with pytest.raises(ValueError, match=r"stream address|over 4000"):
        twiml(url)


def test_a_dial_asks_for_every_status_and_its_own_limits() -> None:
    form = dial_form(REQUEST)
    assert form["StatusCallbackEvent"] == ["initiated", "ringing", "answered", "completed"]
    assert (form["To"], form["From"], form["Timeout"], form["TimeLimit"]) == (REQUEST.to, REQUEST.from_, "30", "300")
    assert "MachineDetection" not in form


def test_machine_detection_never_keeps_the_callee_waiting() -> None:
    request = DialRequest(REQUEST.call_id, REQUEST.to, REQUEST.from_, "wss://h/s", REQUEST.status_url, 30, 300, True)
    form = dial_form(request)
    assert (form["MachineDetection"], form["AsyncAmd"]) == ("Enable", "true")
    assert form["AsyncAmdStatusCallback"] == REQUEST.status_url


def test_an_accepted_dial_gives_the_call_sid() -> None:
    assert read_dial(201, body(sid="CA1", status="queued")) == "CA1"


@pytest.mark.parametrize(
    ("status", "code", "reason", "outcome"),
    [
        (401, 20003, EndReason.CARRIER_AUTH, Outcome.CARRIER_REFUSED),
        (403, None, EndReason.CARRIER_AUTH, Outcome.CARRIER_REFUSED),
        (400, 21211, EndReason.DIAL_INVALID_NUMBER, Outcome.INVALID_NUMBER),
        (400, 21214, EndReason.DIAL_INVALID_NUMBER, Outcome.INVALID_NUMBER),
        (400, 21217, EndReason.DIAL_INVALID_NUMBER, Outcome.INVALID_NUMBER),
        (400, 21212, EndReason.CARRIER_REFUSED, Outcome.CARRIER_REFUSED),
        (404, 20404, EndReason.CARRIER_REFUSED, Outcome.CARRIER_REFUSED),
        (429, 20429, EndReason.CARRIER_REFUSED, Outcome.CARRIER_REFUSED),
        (503, None, EndReason.CARRIER_REFUSED, Outcome.CARRIER_REFUSED),
        (500, 20503, EndReason.CARRIER_REFUSED, Outcome.CARRIER_REFUSED),
    ],
)
def test_a_proved_refusal_says_how_it_counts(
    status: int, code: int | None, reason: EndReason, outcome: Outcome
) -> None:
    with pytest.raises(CarrierRefusal) as caught:
        read_dial(status, body(code=code, message="no"))
    assert (caught.value.end_reason, caught.value.outcome, caught.value.status) == (reason, outcome, status)


@pytest.mark.parametrize(
    ("status", "answer"),
    [(500, b""), (500, body(code=20500)), (502, b"<html>"), (504, b""), (201, b"{}"), (201, b"<html>"), (200, b"[]")],
)
def test_an_answer_that_proves_nothing_leaves_the_dial_open(status: int, answer: bytes) -> None:
    with pytest.raises(DialUnknown):
        read_dial(status, answer)


def test_refusals_name_no_phone_number() -> None:
    with pytest.raises(CarrierRefusal) as caught:
        read_dial(400, body(code=21211, message="The number +4915112345678 is not valid."))
    assert "4915112345678" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "answer", "ended"),
    [
        (404, body(code=20404), True),
        (400, body(code=21220), True),
        (400, body(code=20001), False),
        (500, b"", False),
    ],
)
def test_a_call_that_is_over_needs_no_hang_up(status: int, answer: bytes, *, ended: bool) -> None:
    assert already_ended(status, answer) is ended


@pytest.mark.parametrize(
    ("status", "duration", "call"),
    [
        ("in-progress", None, CarrierCall("CA1", True, None, 0.0)),
        ("queued", None, CarrierCall("CA1", True, None, 0.0)),
        ("completed", "12", CarrierCall("CA1", False, None, 12.0)),
        ("no-answer", "0", CarrierCall("CA1", False, Outcome.NO_ANSWER, 0.0)),
        ("busy", "", CarrierCall("CA1", False, Outcome.BUSY, 0.0)),
        ("something-new", None, CarrierCall("CA1", False, Outcome.FAILED, 0.0)),
    ],
)
def test_a_record_shows_how_the_call_stands(status: str, duration: str | None, call: CarrierCall) -> None:
    assert read_call({"sid": "CA1", "status": status, "duration": duration}) == call


def test_a_page_keeps_order_dates_and_the_way_to_the_next() -> None:
    records = [
        {"sid": "CA2", "status": "queued", "date_created": "Fri, 20 Nov 2026 09:00:00 +0000"},
        {"sid": "CA1", "status": "busy", "date_created": None},
    ]
    page = read_page(body(calls=records, next_page_uri="/2010-04-01/next"))
    assert [listed.call.provider_call_id for listed in page.calls] == ["CA2", "CA1"]
    assert [listed.created_at for listed in page.calls] == [1795165200.0, None]
    assert page.next_path == "/2010-04-01/next"


def test_a_page_never_leads_to_another_host() -> None:
    assert read_page(body(calls=[], next_page_uri="https://evil.example/")).next_path is None


@pytest.mark.parametrize("answer", [b"", b"[]", body(calls="none"), body(calls=[{"sid": "CA1"}])])
def test_an_unreadable_page_is_never_an_empty_one(answer: bytes) -> None:
    with pytest.raises(ValueError, match="without"):
        read_page(answer)
