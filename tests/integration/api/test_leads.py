"""Leads: one person per number, however often and in whatever batch they are sent."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from tests.builders.rows import a_number
from tests.integration.api.customers import CALLEE, Customer, Json, done, refused

FULL = {
    "phone_number": CALLEE,
    "name": "John Smith",
    "email": "john@example.com",
    "timezone": "America/New_York",
    "external_id": "crm-1",
    "status": "contacted",
    "notes": "Prefers mornings",
    "tags": ["vip", "dental"],
    "metadata": {"appointment_time": "3 PM", "visits": 2},
}


def _bulk(customer: Customer, *rows: Json, mode: str = "merge") -> Json:
    return done(customer.post("/v1/leads/bulk", {"leads": list(rows), "mode": mode}))


def test_a_lead_is_created_once_and_found_again(customer: Customer) -> None:
    created = done(customer.post("/v1/leads", FULL), 201)
    assert created["existed"] is False
    assert created["status"] == "Contacted"
    assert {name: created[name] for name in FULL} == {**FULL, "status": "Contacted"}
    again = done(customer.post("/v1/leads", {"phone_number": CALLEE, "tags": ["new"], "metadata": {"visits": 3}}))
    assert again["existed"] is True
    assert again["id"] == created["id"]
    assert again["name"] == "John Smith"
    assert again["tags"] == ["dental", "new", "vip"]
    assert again["metadata"] == {"appointment_time": "3 PM", "visits": 3}


def test_a_batch_reports_every_row(customer: Customer) -> None:
    customer.lead(a_number(0), name="Known")
    result = _bulk(
        customer,
        {"phone_number": a_number(0), "name": "Renamed"},
        {"phone_number": a_number(1), "name": "First"},
        {"phone_number": "0415", "name": "Bad"},
        {"phone_number": a_number(1), "name": "Last"},
        {"phone_number": "+19995551234"},
        {"phone_number": a_number(2), "timezone": "Mars", "agee": 7},
    )
    assert {name: result[name] for name in result if name != "results"} == {
        "success": False,
        "total_processed": 6,
        "inserted": 1,
        "updated": 1,
        "skipped": 0,
        "duplicates": 1,
        "invalid": 3,
    }
    rows = result["results"]
    assert [row["fate"] for row in rows] == ["updated", "duplicate", "invalid", "inserted", "invalid", "invalid"]
    assert rows[1]["lead_id"] == rows[3]["lead_id"]
    assert [error["path"] for error in rows[5]["errors"]] == ["timezone", "agee"]
    assert rows[2]["errors"][0]["message"] == "Phone number must be in E.164 format (e.g., +14155551234)"
    names = {lead["phone_number"]: lead["name"] for lead in done(customer.get("/v1/leads"))["data"]}
    assert names == {a_number(0): "Renamed", a_number(1): "Last"}


MODES: dict[str, Json] = {
    "merge": {"name": "New", "tags": ["a", "b"], "metadata": {"x": 1, "y": 2}, "notes": "old"},
    "skip": {"name": "Old", "tags": ["a"], "metadata": {"x": 1, "y": 1}, "notes": "old"},
    "replace": {"name": "New", "tags": ["b"], "metadata": {"y": 2}, "notes": None},
}


@pytest.mark.parametrize("mode", MODES)
def test_modes_say_what_happens_to_a_known_lead(customer: Customer, mode: str) -> None:
    old = customer.lead(name="Old", tags=["a"], metadata={"x": 1, "y": 1}, notes="old", status="Converted")
    row = {"phone_number": CALLEE, "name": "New", "tags": ["b"], "metadata": {"y": 2}}
    result = _bulk(customer, row, mode=mode)
    assert result["updated" if mode != "skip" else "skipped"] == 1
    lead = done(customer.get(f"/v1/leads/{old['id']}"))
    assert {name: lead[name] for name in MODES[mode]} == MODES[mode]
    assert lead["status"] == "Converted"


def test_a_batch_never_takes_an_opt_out_back(customer: Customer) -> None:
    customer.lead(do_not_call=True, status="Unsubscribed")
    for mode in ("merge", "replace"):
        _bulk(customer, {"phone_number": CALLEE, "name": "John", "status": "Contacted"}, mode=mode)
        [lead] = done(customer.get("/v1/leads"))["data"]
        assert (lead["do_not_call"], lead["status"]) == (True, "Unsubscribed")


def test_two_thousand_rows_are_one_batch_and_one_more_is_too_many(customer: Customer) -> None:
    rows = [{"phone_number": a_number(index), "metadata": {"row": index}} for index in range(2_000)]
    assert _bulk(customer, *rows)["inserted"] == 2_000
    refused(customer.post("/v1/leads/bulk", {"leads": [*rows, rows[0]]}), 400, "validation_error")


def test_overlapping_batches_side_by_side_do_not_wait_in_a_circle(customer: Customer) -> None:
    rows = [{"phone_number": a_number(index)} for index in range(200)]
    batches = [rows, rows[::-1], rows[50:] + rows[:50], rows[::-1]]
    with ThreadPoolExecutor(len(batches)) as pool:
        results = list(pool.map(lambda batch: _bulk(customer, *batch), batches))
    assert sum(result["inserted"] for result in results) == 200
    assert sum(result["updated"] for result in results) == 600


def test_patch_changes_what_is_given_and_null_clears(customer: Customer) -> None:
    lead = done(customer.post("/v1/leads", FULL), 201)
    path = f"/v1/leads/{lead['id']}"
    patched = done(customer.patch(path, {"name": None, "notes": "Call later", "metadata": {}}))
    assert (patched["name"], patched["notes"], patched["metadata"]) == (None, "Call later", {})
    assert patched["email"] == "john@example.com"
    assert patched["updated_at"] > lead["updated_at"]
    refused(customer.patch(path, {}), 400, "validation_error")
    refused(customer.patch(path, {"tags": None}), 400, "validation_error")


def test_a_lead_does_not_become_contacted_again(customer: Customer) -> None:
    lead = customer.lead(status="Converted")
    problem = refused(
        customer.patch(f"/v1/leads/{lead['id']}", {"status": "Contacted"}), 409, "invalid_state_transition"
    )
    assert problem["current_status"] == "Converted"


def test_converting_a_lead_sets_when(customer: Customer) -> None:
    lead = customer.lead()
    converted = done(customer.patch(f"/v1/leads/{lead['id']}", {"status": "converted"}))
    assert converted["converted_at"] == converted["updated_at"]


def test_a_number_belongs_to_one_lead(customer: Customer) -> None:
    first, _ = customer.lead(a_number(0)), customer.lead(a_number(1))
    refused(customer.patch(f"/v1/leads/{first['id']}", {"phone_number": a_number(1)}), 409, "duplicate_number")
    refused(customer.patch(f"/v1/leads/{first['id']}", {"phone_number": "+19995551234"}), 400, "validation_error")
    assert done(customer.patch(f"/v1/leads/{first['id']}", {"phone_number": a_number(2)}))["phone_number"] == a_number(
        2
    )


def test_lists_filter_by_what_is_known(customer: Customer) -> None:
    john = done(customer.post("/v1/leads", FULL), 201)
    mary = customer.lead(a_number(1), name="Mary")

    def found(**query: object) -> list[str]:
        return [lead["id"] for lead in done(customer.get("/v1/leads", **query))["data"]]

    assert found() == [mary["id"], john["id"]]
    assert found(phone=CALLEE) == [john["id"]]
    assert found(status="CONTACTED") == [john["id"]]
    assert found(tag="vip") == [john["id"]]
    assert found(external_id="crm-1") == [john["id"]]
    assert found(updated_since=mary["updated_at"]) == [mary["id"]]
    assert found(updated_since=(datetime.now(UTC) + timedelta(days=1)).isoformat()) == []


def test_pages_show_every_lead_once(customer: Customer) -> None:
    _bulk(customer, *({"phone_number": a_number(index)} for index in range(7)))
    seen: list[str] = []
    query: Json = {}
    while True:
        page = done(customer.get("/v1/leads", limit=3, **query))
        seen += [lead["phone_number"] for lead in page["data"]]
        if not page["has_more"]:
            break
        query = {"cursor": page["next_cursor"]}
    assert sorted(seen) == [a_number(index) for index in range(7)]
