"""Campaigns over HTTP: written down, started, paused, resumed, stopped."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from dispatcher.services.claim import claim_due
from schema.policy import PolicyBody
from schema.tables import calls, campaigns, enrolments, policy_versions
from tests.builders.rows import a_worker, balance_row, call_row, events_sent
from tests.integration.api.customers import TASK, Api, Customer, a_campaign, done, refused

NUMBERS = ("+14155551234", "+14155551235", "+14155551236")
WEBHOOK = "https://receiver.example/hooks"


def _states(api: Api) -> list[str]:
    with api.db.transaction() as tx:
        return list(tx.connection.execute(select(enrolments.c.state).order_by(enrolments.c.seq)).scalars())


def _status(api: Api, campaign_id: str, status: str, **columns: object) -> None:
    with api.db.transaction() as tx:
        query = update(campaigns).where(campaigns.c.id == campaign_id)
        tx.connection.execute(query.values(status=status, **columns))


def test_a_campaign_is_a_draft_with_every_rule_spelt_out(api: Api, customer: Customer) -> None:
    campaign = customer.campaign(metadata={"crm": "42"})
    assert (campaign["status"], campaign["version"], campaign["status_reason"]) == ("draft", 1, None)
    assert campaign["retry"]["delays_minutes"] == [30, 120]
    assert campaign["contact_limits"] == {"max_attempts_per_24h": 3, "min_gap_minutes": 10}
    assert campaign["call_config"]["task"] == TASK
    read = done(customer.get(f"/v1/campaigns/{campaign['id']}"))
    assert read["stats"]["leads_total"] == 0
    assert {**read, "stats": None} == campaign
    with api.db.transaction() as tx:
        body = tx.connection.execute(select(policy_versions.c.body)).scalar_one()
    assert body["pacing"] == {"max_concurrent_calls": 5, "calls_per_minute": 30, "max_calls_per_day": None, "weight": 1}
    assert PolicyBody.model_validate(body).call_config.max_duration == 2


def test_a_legacy_campaign_can_be_read_back(customer: Customer) -> None:
    config = {"task": TASK, "mode": "legacy", "stt_language": "es-ES", "voice": "aura-2-thalia-en"}
    campaign = customer.campaign(call_config=config)
    assert done(customer.get(f"/v1/campaigns/{campaign['id']}"))["call_config"]["stt_language"] == "es-ES"


def test_lists_filter_by_status(customer: Customer) -> None:
    draft, running = customer.campaign(name="Draft"), customer.started_campaign(name="Running")
    assert [one["id"] for one in done(customer.get("/v1/campaigns"))["data"]] == [running["id"], draft["id"]]
    assert [one["id"] for one in done(customer.get("/v1/campaigns", status="draft"))["data"]] == [draft["id"]]


def test_starting_again_changes_nothing(api: Api, customer: Customer) -> None:
    running = customer.started_campaign(webhook_url=WEBHOOK)
    assert (running["status"], running["status_reason"]) == ("running", "user")
    assert done(customer.post(f"/v1/campaigns/{running['id']}/start")) == running
    assert events_sent(api.db) == ["campaign.started"]


def test_a_campaign_with_a_later_start_is_scheduled(api: Api, customer: Customer) -> None:
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    schedule = {**a_campaign()["schedule"], "start_at": later}
    campaign = customer.started_campaign(schedule=schedule, webhook_url=WEBHOOK)
    assert campaign["status"] == "scheduled"
    assert done(customer.post(f"/v1/campaigns/{campaign['id']}/start"))["status"] == "scheduled"
    assert events_sent(api.db) == []


def test_a_campaign_without_leads_is_not_started(customer: Customer) -> None:
    campaign = customer.campaign()
    problem = refused(customer.post(f"/v1/campaigns/{campaign['id']}/start"), 400, "validation_error")
    assert problem["errors"][0]["path"] == "leads"


def test_a_variable_that_leads_lack_is_told_with_their_number(customer: Customer) -> None:
    task = "Tell {{name}} about {{appointment.date}} at {{place}} and {{missing}}"
    campaign = customer.campaign(call_config={"task": task, "request_data": {"place": "Boston"}})
    full = customer.lead(NUMBERS[0], name="A", metadata={"appointment": {"date": "Monday"}, "missing": "no"})
    dotted = customer.lead(NUMBERS[1], name="B", metadata={"appointment.date": "Monday"})
    bare = customer.lead(NUMBERS[2], metadata={"missing": None})
    customer.enrol(campaign["id"], full["id"], dotted["id"], bare["id"])
    problem = refused(customer.post(f"/v1/campaigns/{campaign['id']}/start"), 400, "validation_error")
    told = [error["message"] for error in problem["errors"]]
    assert {error["path"] for error in problem["errors"]} == {"call_config.task"}
    assert told[0].startswith(f"{{{{name}}}} has no value for 1 of 3 leads, for example lead {bare['id']}")
    assert told[1].startswith("{{appointment.date}} has no value for 1 of 3 leads")
    assert told[2].startswith("{{missing}} has no value for 2 of 3 leads")
    customer.lead(NUMBERS[1], metadata={"missing": "x"})
    customer.lead(NUMBERS[2], name="C", metadata={"appointment": {"date": "Friday"}, "missing": "x"})
    assert done(customer.post(f"/v1/campaigns/{campaign['id']}/start"))["status"] == "running"


def test_a_lead_that_joins_late_must_have_the_values_too(customer: Customer) -> None:
    campaign = customer.campaign(call_config={"task": "Tell {{name}} about tomorrow"})
    customer.enrol(campaign["id"], customer.lead(NUMBERS[0], name="A")["id"])
    done(customer.post(f"/v1/campaigns/{campaign['id']}/start"))
    path = f"/v1/campaigns/{campaign['id']}/leads"
    refused(customer.post(path, {"leads": [{"phone_number": NUMBERS[1]}]}), 400, "validation_error")
    assert len(done(customer.get(path))["data"]) == 1
    assert done(customer.get("/v1/leads"))["data"][0]["phone_number"] == NUMBERS[0]


def test_pausing_takes_back_what_no_worker_has_dialled(api: Api, customer: Customer) -> None:
    campaign = customer.started_campaign(*NUMBERS[:2], webhook_url=WEBHOOK)
    a_worker(api.db)
    claim_due(api.db, api.bell)
    assert _states(api) == ["claimed", "claimed"]
    paused = done(customer.post(f"/v1/campaigns/{campaign['id']}/pause"))
    assert paused["status"] == "paused"
    assert _states(api) == ["pending", "pending"]
    assert balance_row(api.db, customer.account_id)["held_s"] == 0
    assert done(customer.post(f"/v1/campaigns/{campaign['id']}/pause")) == paused
    resumed = done(customer.post(f"/v1/campaigns/{campaign['id']}/resume"))
    assert resumed["status"] == "running"
    assert [event for event in events_sent(api.db) if event.startswith("campaign")] == [
        "campaign.started",
        "campaign.paused",
        "campaign.resumed",
    ]


def test_a_pause_by_a_person_outlasts_one_for_want_of_quota(api: Api, customer: Customer) -> None:
    campaign = customer.started_campaign()
    _status(api, campaign["id"], "paused", status_reason="quota_exhausted")
    assert done(customer.post(f"/v1/campaigns/{campaign['id']}/pause"))["status_reason"] == "user"


def test_stopping_cancels_who_waits_and_leaves_live_calls(api: Api, customer: Customer) -> None:
    campaign = customer.started_campaign(*NUMBERS, pacing={"max_concurrent_calls": 2}, webhook_url=WEBHOOK)
    a_worker(api.db)
    claim_due(api.db, api.bell)
    live, claimed = (str(claim.call_id) for claim in api.bell.claims)
    with api.db.transaction() as tx:
        tx.connection.execute(update(calls).where(calls.c.id == live).values(phase="answered"))
        tx.connection.execute(update(enrolments).where(enrolments.c.last_call_id == live).values(state="in_call"))
    stopped = done(customer.post(f"/v1/campaigns/{campaign['id']}/stop"))
    assert (stopped["status"], stopped["status_reason"]) == ("cancelled", "user")
    assert sorted(_states(api)) == ["cancelled", "cancelled", "in_call"]
    assert call_row(api.db, claimed)["end_reason"] == "campaign_stopped"
    assert call_row(api.db, live)["stop_requested"] is False
    assert balance_row(api.db, customer.account_id)["held_s"] == 120
    assert done(customer.post(f"/v1/campaigns/{campaign['id']}/stop?hangup=true"))["status"] == "cancelled"
    assert call_row(api.db, live)["stop_requested"] is True
    assert events_sent(api.db).count("campaign.stopped") == 1


MOVES = {
    "draft": {"start": 200, "pause": 409, "resume": 409, "stop": 200},
    "scheduled": {"start": 200, "pause": 409, "resume": 409, "stop": 200},
    "running": {"start": 200, "pause": 200, "resume": 200, "stop": 200},
    "paused": {"start": 409, "pause": 200, "resume": 200, "stop": 200},
    "completed": {"start": 409, "pause": 409, "resume": 409, "stop": 409},
    "cancelled": {"start": 409, "pause": 409, "resume": 409, "stop": 200},
}


@pytest.mark.parametrize("status", MOVES)
def test_a_move_that_is_not_listed_is_a_conflict_with_the_current_status(
    api: Api, customer: Customer, status: str
) -> None:
    campaign = customer.campaign()
    customer.enrol(campaign["id"], customer.lead()["id"])
    for move, expected in MOVES[status].items():
        _status(api, campaign["id"], status)
        answer = customer.post(f"/v1/campaigns/{campaign['id']}/{move}", {})
        assert answer.status_code == expected, (move, answer.text)
        if expected == 409:
            assert refused(answer, 409, "invalid_state_transition")["current_status"] == status
