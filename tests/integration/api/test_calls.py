"""A call from its acceptance to its end, as the account sees it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from schema.call_config import CallConfig
from schema.tables import calls
from tests.builders.rows import a_worker, balance_row, call_row, call_rows, events_sent, ledger_kinds
from tests.integration.api.customers import CALLEE, TASK, Api, Customer, Json, done, refused

NUMBERS = ("+14155551234", "+14155551235", "+14155551236")


def _set(api: Api, call_id: str, **columns: object) -> None:
    with api.db.transaction() as tx:
        tx.connection.execute(update(calls).where(calls.c.id == call_id).values(**columns))


def test_accepting_holds_the_quota_and_writes_everything_at_once(api: Api, customer: Customer) -> None:
    call_id = customer.call(max_duration=2.5)["call_id"]
    row = call_row(api.db, call_id)
    assert (row["phase"], row["hold_s"], row["from_number"]) == ("scheduled", 150, "+18005551234")
    assert CallConfig.model_validate(row["config"]).task == TASK
    assert balance_row(api.db, customer.account_id) == {
        "granted_s": 60_000,
        "available_s": 59_850,
        "held_s": 150,
        "spent_s": 0,
    }
    assert ledger_kinds(api.db, row["id"]) == ["hold"]
    timeline = done(customer.get(f"/v1/calls/{call_id}/events"))["data"]
    assert [entry["kind"] for entry in timeline] == ["accepted"]


def test_a_call_starts_at_once_when_a_media_worker_is_free(api: Api, customer: Customer) -> None:
    a_worker(api.db, slots=2)
    call_id = customer.call()["call_id"]
    assert call_row(api.db, call_id)["phase"] == "claimed"
    assert [str(claim.call_id) for claim in api.bell.claims] == [call_id]


def test_a_call_waits_when_its_number_is_on_a_call(api: Api, customer: Customer) -> None:
    a_worker(api.db, slots=5)
    first, second = customer.call()["call_id"], customer.call()["call_id"]
    assert [call_row(api.db, call_id)["phase"] for call_id in (first, second)] == ["claimed", "scheduled"]
    assert len(api.bell.claims) == 1


def test_a_call_for_later_waits_as_pending(api: Api, customer: Customer) -> None:
    a_worker(api.db)
    later = datetime.now(UTC) + timedelta(hours=1)
    call = customer.call(scheduled_at=later.isoformat())
    assert call["status"] == "pending"
    assert call_row(api.db, call["call_id"])["due_at"] == later
    assert api.bell.claims == []


def test_the_last_seconds_cannot_be_held_twice(new_customer: object, api: Api) -> None:
    customer = new_customer(minutes=9)  # type: ignore[operator]
    customer.call(max_duration=5)
    refused(customer.post("/v1/calls", {"phone_number": CALLEE, "task": TASK}), 402, "insufficient_quota")
    customer.call(max_duration=4)
    assert balance_row(api.db, customer.account_id)["available_s"] == 0
    assert len(call_rows(api.db)) == 2


def test_a_suppressed_number_and_an_opted_out_person_are_not_called(api: Api, customer: Customer) -> None:
    done(customer.post("/v1/suppressions", {"phone_number": NUMBERS[0]}), 201)
    customer.lead(NUMBERS[1], do_not_call=True)
    customer.lead(NUMBERS[2], status="unsubscribed")
    for number in NUMBERS:
        refused(customer.post("/v1/calls", {"phone_number": number, "task": TASK}), 422, "number_suppressed")
    assert call_rows(api.db) == []
    assert balance_row(api.db, customer.account_id)["held_s"] == 0


def test_a_leads_fields_are_variables_and_the_callers_own_win(api: Api, customer: Customer) -> None:
    lead = customer.lead(name="John", metadata={"date": "Monday"})
    task = "Tell {{name}} about {{date}} in {{place}}"
    problem = refused(
        customer.post("/v1/calls", {"phone_number": CALLEE, "task": task, "lead_id": lead["id"]}),
        400,
        "validation_error",
    )
    assert [error["message"].split()[0] for error in problem["errors"]] == ["{{place}}"]
    call = customer.call(task=task, lead_id=lead["id"], lead_context={"place": "Boston", "name": "Johnny"})
    assert call_row(api.db, call["call_id"])["lead_context"] == {"place": "Boston", "name": "Johnny"}


def test_the_same_idempotency_key_in_the_body_names_the_same_call(api: Api, customer: Customer) -> None:
    body = {"phone_number": CALLEE, "task": TASK, "idempotency_key": "reminder-2026-03-02", "attempt_number": 2}
    first = done(customer.post("/v1/calls", body), 201)
    again = done(customer.post("/v1/calls", body), 200)
    assert first == again
    assert len(call_rows(api.db)) == 1
    other = {**body, "phone_number": NUMBERS[1]}
    assert refused(customer.post("/v1/calls", other), 409, "duplicate_attempt")["current_status"] == "queued"


def test_cancelling_a_waiting_call_gives_its_seconds_back(api: Api, customer: Customer) -> None:
    call = customer.call(webhook_url="https://receiver.example/hooks", webhook_events=["call.cancelled"])
    path = f"/v1/calls/{call['call_id']}/cancel"
    answer = done(customer.post(path))
    assert answer == {"ok": True, "call_id": call["call_id"], "status": "cancelled"}
    assert done(customer.post(path)) == answer
    record = done(customer.get(f"/v1/calls/{call['call_id']}"))
    assert (record["status"], record["end_reason"]) == ("cancelled", "api_cancel")
    assert customer.balance()["reserved"] == 0
    assert events_sent(api.db) == ["call.cancelled"]


def test_a_live_call_cannot_be_cancelled_but_stopped(api: Api, customer: Customer) -> None:
    call_id = customer.call()["call_id"]
    _set(api, call_id, phase="ringing", lease_owner="media-1", dialing_at=datetime.now(UTC))
    problem = refused(customer.post(f"/v1/calls/{call_id}/cancel"), 409, "invalid_state_transition")
    assert problem["current_status"] == "in_progress"
    assert done(customer.post(f"/v1/calls/{call_id}/stop"))["status"] == "in_progress"
    assert call_row(api.db, call_id)["stop_requested"] is True


def test_a_call_that_is_over_cannot_be_stopped(api: Api, customer: Customer) -> None:
    call_id = customer.call()["call_id"]
    _set(api, call_id, phase="ended", outcome="busy", end_reason="dial.busy")
    problem = refused(customer.post(f"/v1/calls/{call_id}/stop"), 409, "invalid_state_transition")
    assert problem["current_status"] == "failed"


def test_stopping_a_waiting_call_cancels_it(customer: Customer) -> None:
    call_id = customer.call()["call_id"]
    assert done(customer.post(f"/v1/calls/{call_id}/stop"))["status"] == "cancelled"


def _some_calls(api: Api, customer: Customer) -> dict[str, str]:
    now = datetime.now(UTC)
    ids = {name: customer.call(phone_number=f"+1415555{2000 + n}")["call_id"] for n, name in enumerate(SOME)}
    for name, columns in SOME.items():
        _set(api, ids[name], **{column: now if value == "now" else value for column, value in columns.items()})
    return ids


SOME: dict[str, dict[str, object]] = {
    "later": {"due_at": datetime(2100, 1, 1, tzinfo=UTC)},
    "waiting": {"phase": "scheduled"},
    "claimed": {"phase": "claimed"},
    "ringing": {"phase": "ringing", "dialing_at": "now"},
    "talked": {"phase": "ended", "outcome": "human", "answered_by": "human", "disposition": "booked"},
    "voicemail": {"phase": "ended", "outcome": "voicemail", "answered_by": "voicemail", "disposition": "voicemail"},
    "busy": {"phase": "ended", "outcome": "busy", "disposition": "busy"},
    "rejected": {"phase": "ended", "outcome": "rejected"},
    "called_off": {"phase": "cancelled", "outcome": "cancelled"},
    "unclear": {"phase": "ambiguous", "outcome": "ambiguous"},
}


def test_filters_find_what_the_records_say(api: Api, customer: Customer) -> None:
    ids = _some_calls(api, customer)
    records = {name: done(customer.get(f"/v1/calls/{call_id}")) for name, call_id in ids.items()}
    for field in ("status", "call_status", "answered_by", "disposition", "phone_number"):
        for value in {record[field] for record in records.values() if record[field] is not None}:
            found = {call["id"] for call in done(customer.get("/v1/calls", **{field: value}))["data"]}
            assert found == {record["id"] for record in records.values() if record[field] == value}, (field, value)
    assert {record["status"] for record in records.values()} == {
        "pending", "queued", "in_progress", "completed", "failed", "cancelled",
    }  # fmt: skip


def test_lists_filter_by_time_lead_and_campaign(customer: Customer) -> None:
    lead, campaign = customer.lead(), customer.campaign()
    first = customer.call(lead_id=lead["id"])["call_id"]
    second = customer.call(campaign_id=campaign["id"])["call_id"]
    created_at = done(customer.get(f"/v1/calls/{second}"))["created_at"]

    def found(**query: str) -> list[str]:
        return [call["id"] for call in done(customer.get("/v1/calls", **query))["data"]]

    assert found(lead_id=lead["id"]) == [first]
    assert found(campaign_id=campaign["id"]) == [second]
    assert found(created_from=created_at) == [second]
    assert found(created_to=created_at) == [first]


def test_pages_show_every_call_once_newest_first(customer: Customer) -> None:
    placed = [customer.call()["call_id"] for _ in range(5)]
    seen: list[str] = []
    cursor: Json = {}
    while True:
        page = done(customer.get("/v1/calls", limit=2, **cursor))
        seen += [call["id"] for call in page["data"]]
        assert page["has_more"] is (page["next_cursor"] is not None)
        if not page["has_more"]:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == placed[::-1]


def test_a_recording_is_sent_whole_or_by_range(api: Api, customer: Customer, recordings: Path) -> None:
    call_id = customer.call()["call_id"]
    refused(customer.get(f"/v1/calls/{call_id}/recording"), 404, "not_found")
    file = recordings / str(customer.account_id) / f"{call_id}.wav"
    file.parent.mkdir(parents=True)
    file.write_bytes(bytes(range(256)))
    _set(api, call_id, recording_path=f"/another/mount/{customer.account_id}/{call_id}.wav")
    whole = customer.get(f"/v1/calls/{call_id}/recording")
    assert (whole.status_code, whole.mimetype, whole.data) == (200, "audio/wav", bytes(range(256)))
    headers = {"Authorization": f"Bearer {customer.key}", "Range": "bytes=16-31"}
    part = api.app.test_client().get(f"/v1/calls/{call_id}/recording", headers=headers)
    assert (part.status_code, part.data) == (206, bytes(range(16, 32)))
    assert part.headers["Content-Range"] == "bytes 16-31/256"
    beyond = api.app.test_client().get(f"/v1/calls/{call_id}/recording", headers={**headers, "Range": "bytes=999-"})
    refused(beyond, 416, "range_not_satisfiable")


@pytest.mark.parametrize("stored", ["../../etc/passwd", "/etc/passwd", "..", ""])
def test_a_path_outside_the_recordings_folder_is_never_sent(
    api: Api, customer: Customer, recordings: Path, stored: str
) -> None:
    recordings.mkdir()
    call_id = customer.call()["call_id"]
    _set(api, call_id, recording_path=stored)
    refused(customer.get(f"/v1/calls/{call_id}/recording"), 404, "not_found")


def test_the_transcript_is_empty_until_something_was_said(customer: Customer) -> None:
    call_id = customer.call()["call_id"]
    answer = done(customer.get(f"/v1/calls/{call_id}/transcript"))
    assert answer == {"call_id": call_id, "completed": False, "transcript": []}
