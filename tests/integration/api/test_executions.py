"""The execution of a campaign's next attempt through POST /v1/calls."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from dispatcher.services.claim import claim_due
from schema.tables import enrolments
from tests.builders.rows import a_worker, balance_row, call_row, call_rows
from tests.integration.api.customers import CALLEE, Api, Customer, Json, done, refused

KEY = "exec-0001"


@pytest.fixture
def execution(customer: Customer) -> Json:
    """The first attempt of a lead that is not in the campaign yet; the campaign runs for another lead."""
    campaign = customer.started_campaign("+14155550199")
    lead = customer.lead(name="John")
    return {"campaign_id": campaign["id"], "lead_id": lead["id"], "idempotency_key": KEY, "attempt_number": 1}


def _enrolment(api: Api, execution: Json) -> Json:
    with api.db.transaction() as tx:
        query = select(enrolments).where(
            enrolments.c.campaign_id == execution["campaign_id"], enrolments.c.lead_id == execution["lead_id"]
        )
        return dict(tx.connection.execute(query).mappings().one())


def test_an_execution_makes_the_lead_due_with_its_call_already_there(
    api: Api, customer: Customer, execution: Json
) -> None:
    call = done(customer.post("/v1/calls", execution), 201)
    assert call["status"] == "queued"
    row, enrolment = call_row(api.db, call["call_id"]), _enrolment(api, execution)
    assert enrolment["state"] == "due"
    assert (row["phase"], row["attempt_number"], row["enrolment_id"]) == ("scheduled", 1, enrolment["id"])
    assert (row["phone_number"], row["hold_s"]) == (CALLEE, 120)
    assert balance_row(api.db, customer.account_id)["held_s"] == 120


def test_the_tick_claims_that_very_call(api: Api, customer: Customer, execution: Json) -> None:
    call = done(customer.post("/v1/calls", execution), 201)
    a_worker(api.db)
    claim_due(api.db, api.bell)
    assert call["call_id"] in {str(claim.call_id) for claim in api.bell.claims}
    assert len([row for row in call_rows(api.db) if row["phone_number"] == CALLEE]) == 1
    assert _enrolment(api, execution)["state"] == "claimed"


def test_a_call_asked_for_ends_with_its_seconds_back_when_the_number_is_suppressed_meanwhile(
    api: Api, customer: Customer, execution: Json
) -> None:
    call = done(customer.post("/v1/calls", execution), 201)
    done(customer.post("/v1/suppressions", {"phone_number": CALLEE}), 201)
    a_worker(api.db)
    claim_due(api.db, api.bell)
    row, enrolment = call_row(api.db, call["call_id"]), _enrolment(api, execution)
    assert (row["phase"], row["end_reason"]) == ("cancelled", "gate_refused")
    assert (enrolment["state"], enrolment["skip_reason"]) == ("skipped", "SUPPRESSED")
    spent_for = [r for r in call_rows(api.db) if r["phase"] == "claimed"]
    assert balance_row(api.db, customer.account_id)["held_s"] == 120 * len(spent_for)


def test_the_same_key_is_the_same_call(customer: Customer, api: Api, execution: Json) -> None:
    first = done(customer.post("/v1/calls", execution), 201)
    again = done(customer.post("/v1/calls", execution), 200)
    assert first == again
    assert balance_row(api.db, customer.account_id)["held_s"] == 120


@pytest.mark.parametrize("number", [2, 3])
def test_an_attempt_that_is_not_the_next_one_is_a_duplicate(
    customer: Customer, api: Api, execution: Json, number: int
) -> None:
    problem = refused(customer.post("/v1/calls", {**execution, "attempt_number": number}), 409, "duplicate_attempt")
    assert "the next one, which is 1" in problem["detail"]
    assert call_rows(api.db) == []


def test_an_attempt_under_way_cannot_be_asked_for_again(customer: Customer, execution: Json) -> None:
    done(customer.post("/v1/calls", execution), 201)
    other_key = {**execution, "idempotency_key": "exec-0002"}
    problem = refused(customer.post("/v1/calls", other_key), 409, "duplicate_attempt")
    assert problem["current_status"] == "due"


def test_a_key_of_another_attempt_is_refused(customer: Customer, api: Api, execution: Json) -> None:
    done(customer.post("/v1/calls", execution), 201)
    refused(customer.post("/v1/calls", {**execution, "attempt_number": 2}), 409, "duplicate_attempt")
    direct = {"phone_number": CALLEE, "task": "Call about tomorrow", "idempotency_key": KEY}
    refused(customer.post("/v1/calls", direct), 409, "duplicate_attempt")


def test_an_execution_for_later_waits_until_then(customer: Customer, api: Api, execution: Json) -> None:
    later = datetime.now(UTC) + timedelta(hours=3)
    call = done(customer.post("/v1/calls", {**execution, "scheduled_at": later.isoformat()}), 201)
    assert call["status"] == "pending"
    assert _enrolment(api, execution)["next_due_at"] == later
    a_worker(api.db)
    claim_due(api.db, api.bell)
    assert call_row(api.db, call["call_id"])["phase"] == "scheduled"


def test_a_lead_that_was_reached_may_be_executed_again(customer: Customer, api: Api, execution: Json) -> None:
    customer.enrol(execution["campaign_id"], execution["lead_id"])
    with api.db.transaction() as tx:
        tx.connection.execute(
            update(enrolments)
            .where(enrolments.c.lead_id == execution["lead_id"])
            .values(state="completed", attempts_used=1, last_outcome="human")
        )
    refused(customer.post("/v1/calls", execution), 409, "duplicate_attempt")
    done(customer.post("/v1/calls", {**execution, "attempt_number": 2}), 201)
    assert _enrolment(api, execution)["state"] == "due"


def test_a_campaign_that_is_over_takes_no_execution(customer: Customer, execution: Json) -> None:
    done(customer.post(f"/v1/campaigns/{execution['campaign_id']}/stop"))
    problem = refused(customer.post("/v1/calls", execution), 409, "invalid_state_transition")
    assert problem["current_status"] == "cancelled"


def test_a_suppressed_number_takes_no_execution(customer: Customer, api: Api, execution: Json) -> None:
    done(customer.post("/v1/suppressions", {"phone_number": CALLEE}), 201)
    refused(customer.post("/v1/calls", execution), 422, "number_suppressed")
    assert call_rows(api.db) == []


def test_a_variable_may_come_with_the_execution(customer: Customer) -> None:
    campaign = customer.campaign(call_config={"task": "Tell {{name}} about {{date}}"})
    lead = customer.lead(name="John")
    execution = {"campaign_id": campaign["id"], "lead_id": lead["id"], "idempotency_key": KEY, "attempt_number": 1}
    problem = refused(customer.post("/v1/calls", execution), 400, "validation_error")
    assert [error["path"] for error in problem["errors"]] == ["call_config.task"]
    assert "{{date}}" in problem["errors"][0]["message"]
    done(customer.post("/v1/calls", {**execution, "lead_context": {"date": "Monday"}}), 201)


def test_cancelling_an_execution_takes_the_lead_out(customer: Customer, api: Api, execution: Json) -> None:
    call = done(customer.post("/v1/calls", execution), 201)
    done(customer.post(f"/v1/calls/{call['call_id']}/cancel"))
    assert _enrolment(api, execution)["state"] == "cancelled"
    assert balance_row(api.db, customer.account_id)["held_s"] == 0
