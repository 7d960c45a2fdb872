"""Every kind of bad input is refused with the field's path, its fault and the fix, and nothing is written."""

from typing import Any

import pytest

from tests.builders.rows import call_rows
from tests.integration.api.customers import CALLEE, TASK, Api, Customer, a_campaign, done, refused

CALL = {"phone_number": CALLEE, "task": TASK}
DAYS = ["mon", "tue"]


def _without(body: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


def _scheduled(**schedule: Any) -> dict[str, Any]:
    return {**a_campaign(), "schedule": {**a_campaign()["schedule"], **schedule}}


BAD_CALLS: dict[str, tuple[Any, str, str]] = {
    "unknown field": ({**CALL, "voise": "alloy"}, "voise", "did you mean voice"),
    "a field of a feature that is not there": (
        {**CALL, "knowledge_base_ids": ["kb_1"]},
        "knowledge_base_ids",
        "remove",
    ),
    "wrong type": ({**CALL, "max_duration": "5"}, "max_duration", "valid number"),
    "a number where a switch belongs": ({**CALL, "record": 1}, "record", "boolean"),
    "out of range": ({**CALL, "temperature": 1.5}, "temperature", "less than or equal to 1"),
    "too long a call": ({**CALL, "max_duration": 61}, "max_duration", "less than or equal to 60"),
    "task and instructions": ({**CALL, "instructions": TASK}, "task", "not both"),
    "neither task nor instructions": (_without(CALL, "task"), "task", "give task or instructions"),
    "too short a task": ({**CALL, "task": "Call"}, "task", "at least 10"),
    "no number": (_without(CALL, "phone_number"), "phone_number", "Required"),
    "no plus": ({**CALL, "phone_number": "14155551234"}, "phone_number", "E.164 format (e.g., +14155551234)"),
    "country code 0": ({**CALL, "phone_number": "+04155551234"}, "phone_number", "E.164"),
    "a country that does not exist": ({**CALL, "phone_number": "+999123456789"}, "phone_number", "+999123456789"),
    "an unassigned number": ({**CALL, "phone_number": "+19995551234"}, "phone_number", "not in use"),
    "an unassigned caller id": ({**CALL, "from_number": "+19995551234"}, "from_number", "not in use"),
    "a voice of another mode": ({**CALL, "voice": "rachel"}, "voice", "not a realtime voice"),
    "a legacy field in realtime": ({**CALL, "stt_language": "en"}, "stt_language", "only used when mode is legacy"),
    "an unknown provider": ({**CALL, "mode": "legacy", "stt_provider": "gladia"}, "stt_provider", "'deepgram'"),
    "an unknown mode": ({**CALL, "mode": "fast"}, "mode", "'realtime' or 'legacy'"),
    "an unknown event": ({**CALL, "webhook_events": ["call.done"]}, "webhook_events.0", "call.completed"),
    "not a URL": ({**CALL, "webhook_url": "ftp://x"}, "webhook_url", "pattern"),
    "an unknown analysis type": (
        {**CALL, "analysis_schema": {"a": {"type": "bool"}}},
        "analysis_schema.a.type",
        "boolean",
    ),
    "a bad analysis key": ({**CALL, "analysis_schema": {"a b": "string"}}, "analysis_schema.a b", "pattern"),
    "a variable without a value": (
        {**CALL, "task": "Call {{patient_name}} now"},
        "task",
        "{{patient_name}} has no value",
    ),
    "a variable of the greeting": (
        {**CALL, "first_sentence": "Hi {{ who }}"},
        "first_sentence",
        "{{who}} has no value",
    ),
    "a time without a zone": ({**CALL, "scheduled_at": "2026-03-02T10:00:00"}, "scheduled_at", "timezone"),
    "a time beyond all calendars": ({**CALL, "scheduled_at": "9999-12-31T23:59:59-14:00"}, "scheduled_at", "2199"),
    "not a UUID": ({**CALL, "lead_id": "17"}, "lead_id", "valid UUID"),
    "a NUL": ({**CALL, "first_sentence": "a\0b"}, "first_sentence", "NUL"),
    "a NUL deep down": ({**CALL, "metadata": {"a": [{"b": "\0"}]}}, "metadata.a.0.b", "NUL"),
    "an infinite number": ({**CALL, "metadata": {"a": float("inf")}}, "metadata.a", "finite"),
    "a list instead of an object": ([CALL], "", "object"),
    "half an execution": ({"campaign_id": "9b2d1f10-93c9-4f3e-8a53-6d1c4b2f0a11"}, "lead_id", "Required"),
    "a short execution key": ({**CALL, "idempotency_key": "short"}, "idempotency_key", "at least 8"),
}

BAD_CAMPAIGNS: dict[str, tuple[Any, str, str]] = {
    "no name": (_without(a_campaign(), "name"), "name", "Required"),
    "no configuration": (_without(a_campaign(), "call_config"), "call_config", "Required"),
    "nothing to say": ({**a_campaign(), "call_config": {"voice": "alloy"}}, "call_config.task", "task or instructions"),
    "unknown field deep down": ({**a_campaign(), "pacing": {"weigth": 2}}, "pacing.weigth", "Unknown field"),
    "a zone that does not exist": (_scheduled(timezone="Mars/Base"), "schedule.timezone", "IANA"),
    "a window that ends before it starts": (
        _scheduled(windows=[{"days": DAYS, "start": "20:00", "end": "09:00"}]),
        "schedule.windows.0.end",
        "never opens",
    ),
    "not a time of day": (
        _scheduled(windows=[{"days": DAYS, "start": "9 am", "end": "20:00"}]),
        "schedule.windows.0.start",
        "HH:MM",
    ),
    "windows that overlap": (
        _scheduled(
            windows=[{"days": DAYS, "start": "09:00", "end": "12:00"}, {"days": DAYS, "start": "11:00", "end": "15:00"}]
        ),
        "schedule.windows",
        "overlap",
    ),
    "windows outside legal hours": (
        _scheduled(windows=[{"days": DAYS, "start": "22:30", "end": "23:30"}], respect_legal_hours=True),
        "schedule.windows",
        "never open within legal calling hours",
    ),
    "every day blacked out": (
        _scheduled(
            start_at="2030-03-04T12:00:00Z",
            windows=[{"days": ["mon"], "start": "09:00", "end": "10:00"}],
            blackout_dates=["2030-03-04", "2030-03-11", "2030-03-18"],
        ),
        "schedule.windows",
        "never open",
    ),
    "an end in the past": (_scheduled(end_at="2020-01-01T00:00:00Z"), "schedule.end_at", "passed"),
    "an end before the start": (
        _scheduled(start_at="2030-01-02T00:00:00Z", end_at="2030-01-01T00:00:00Z"),
        "schedule.end_at",
        "after start_at",
    ),
    "an unassigned caller id": (
        {**a_campaign(), "from_numbers": ["+18005551234", "+19995551234"]},
        "from_numbers.1",
        "not in use",
    ),
    "too many attempts": ({**a_campaign(), "retry": {"max_attempts": 11}}, "retry.max_attempts", "10"),
}

BAD_LEADS: dict[str, tuple[Any, str, str]] = {
    "no number": ({"name": "John"}, "phone_number", "Required"),
    "an unassigned number": ({"phone_number": "+19995551234"}, "phone_number", "not in use"),
    "a zone that does not exist": ({"phone_number": CALLEE, "timezone": "EST5"}, "timezone", "IANA"),
    "an unknown status": ({"phone_number": CALLEE, "status": "Hot"}, "status", "Contacted"),
    "a bad custom field": ({"phone_number": CALLEE, "metadata": {"a b": 1}}, "metadata.a b", "pattern"),
    "tags that are no list": ({"phone_number": CALLEE, "tags": "vip"}, "tags", "array"),
}


@pytest.mark.parametrize("fault", BAD_CALLS)
def test_a_bad_call_is_refused(customer: Customer, fault: str) -> None:
    _refused_for(customer, "/v1/calls", *BAD_CALLS[fault])
    assert call_rows(customer.api.db) == []
    assert customer.balance()["reserved"] == 0


@pytest.mark.parametrize("fault", BAD_CAMPAIGNS)
def test_a_bad_campaign_is_refused(customer: Customer, fault: str) -> None:
    _refused_for(customer, "/v1/campaigns", *BAD_CAMPAIGNS[fault])


@pytest.mark.parametrize("fault", BAD_LEADS)
def test_a_bad_lead_is_refused(customer: Customer, fault: str) -> None:
    _refused_for(customer, "/v1/leads", *BAD_LEADS[fault])


def _refused_for(customer: Customer, url: str, body: Any, path: str, says: str) -> None:
    problem = refused(customer.post(url, body), 400, "validation_error")
    assert problem["title"] == "Invalid request body"
    told = {error["path"]: error["message"] for error in problem["errors"]}
    assert path in told, told
    assert says in told[path]


def test_several_faults_are_told_at_once(customer: Customer) -> None:
    body = {"phone_number": "1", "task": TASK, "temperature": 2, "voice": 7}
    problem = refused(customer.post("/v1/calls", body), 400, "validation_error")
    assert {error["path"] for error in problem["errors"]} == {"phone_number", "temperature", "voice"}


def test_a_body_that_is_no_json_says_where_it_breaks(customer: Customer) -> None:
    answer = customer.api.app.test_client().post(
        "/v1/calls",
        data=b'{"task": "x",}',
        content_type="application/json",
        headers={"Authorization": f"Bearer {customer.key}"},
    )
    problem = refused(answer, 400, "validation_error")
    assert "line 1 column 14" in problem["errors"][0]["message"]


def test_a_body_of_another_type_is_refused(customer: Customer) -> None:
    answer = customer.api.app.test_client().post(
        "/v1/calls", data={"task": TASK}, headers={"Authorization": f"Bearer {customer.key}"}
    )
    refused(answer, 415, "unsupported_media_type")


def test_a_body_over_a_megabyte_is_refused_except_for_batches(customer: Customer) -> None:
    big = {**CALL, "metadata": {"note": "x" * 1_100_000}}
    refused(customer.post("/v1/calls", big), 413, "payload_too_large")
    rows = [{"phone_number": CALLEE, "notes": "n" * 19_000, "name": f"row {row}"} for row in range(80)]
    assert done(customer.post("/v1/leads/bulk", {"leads": rows}))["duplicates"] == 79


def test_a_body_where_none_belongs_is_refused(customer: Customer) -> None:
    campaign = customer.campaign()
    refused(customer.post(f"/v1/campaigns/{campaign['id']}/pause", {"now": True}), 400, "validation_error")


@pytest.mark.parametrize(
    ("path", "query", "fault"),
    [
        ("/v1/calls", {"limit": "0"}, "limit"),
        ("/v1/calls", {"limit": "201"}, "limit"),
        ("/v1/calls", {"status": "done"}, "status"),
        ("/v1/calls", {"created_from": "yesterday"}, "created_from"),
        ("/v1/calls", {"phone": CALLEE}, "phone"),
        ("/v1/calls", {"cursor": "bm90IG91cnM"}, "cursor"),
        ("/v1/calls", {"cursor": "€"}, "cursor"),
        ("/v1/calls", {"disposition": "a\0b"}, "disposition"),
        ("/v1/leads", {"cursor": "WzEyXQ"}, "cursor"),
        ("/v1/campaigns", {"status": "started"}, "status"),
        ("/v1/account", {"verbose": "1"}, "verbose"),
        ("/v1/suppressions", {"phone": "123"}, "phone"),
    ],
)
def test_a_bad_query_is_refused(customer: Customer, path: str, query: dict[str, str], fault: str) -> None:
    problem = refused(customer.get(path, **query), 400, "validation_error")
    assert [error["path"] for error in problem["errors"]] == [fault]


def test_a_repeated_parameter_is_refused(api: Api, customer: Customer) -> None:
    answer = api.app.test_client().get("/v1/calls?limit=1&limit=2", headers={"Authorization": f"Bearer {customer.key}"})
    assert refused(answer, 400, "validation_error")["errors"][0]["path"] == "limit"


def test_paths_that_name_nothing_are_not_found(customer: Customer) -> None:
    refused(customer.get("/v1/calls/17"), 404, "not_found")
    refused(customer.get("/v1/nothing"), 404, "not_found")
    refused(customer.send("PUT", "/v1/calls", {}), 405, "method_not_allowed")


def test_no_caller_id_at_all_is_refused(new_customer: Any) -> None:
    customer = new_customer(name="Without numbers", from_number=None)
    problem = refused(customer.post("/v1/calls", CALL), 400, "validation_error")
    assert problem["errors"][0]["path"] == "from_number"
    problem = refused(customer.post("/v1/campaigns", a_campaign()), 400, "validation_error")
    assert problem["errors"][0]["path"] == "from_numbers"
