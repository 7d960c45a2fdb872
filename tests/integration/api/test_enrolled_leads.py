"""Who is in a campaign, where each stands and what stands in its way."""

from datetime import datetime

import pytest
from sqlalchemy import update

from dispatcher.services.claim import claim_due
from schema.reasons import REASONS, ReasonCode
from schema.tables import enrolments, leads
from tests.builders.rows import a_number, a_worker
from tests.integration.api.customers import CALLEE, Api, Customer, Json, a_campaign, done, refused

TOLL_FREE = "+18005550199"


def _enrolled(customer: Customer, campaign_id: str, **query: object) -> list[Json]:
    return list(done(customer.get(f"/v1/campaigns/{campaign_id}/leads", **query))["data"])


def _why(customer: Customer, campaign_id: str) -> Json:
    [lead] = _enrolled(customer, campaign_id)
    return dict(lead["why"] or {})


def test_leads_are_added_by_id_or_in_full(customer: Customer) -> None:
    campaign = customer.campaign()
    path = f"/v1/campaigns/{campaign['id']}/leads"
    known = customer.lead(a_number(0))["id"]
    first = done(customer.post(path, {"lead_ids": [known, known, "9b2d1f10-93c9-4f3e-8a53-6d1c4b2f0a11"]}))
    assert {name: first[name] for name in ("enrolled", "duplicates", "invalid", "already_enrolled")} == {
        "enrolled": 1,
        "duplicates": 1,
        "invalid": 1,
        "already_enrolled": 0,
    }
    rows = [{"phone_number": a_number(0)}, {"phone_number": a_number(1), "name": "New"}, {"phone_number": "12"}]
    second = done(customer.post(path, {"leads": rows}))
    assert (second["enrolled"], second["already_enrolled"], second["invalid"]) == (1, 1, 1)
    assert (second["errors"][0]["index"], second["errors"][0]["path"]) == (2, "phone_number")
    refused(customer.post(path, {"leads": rows, "lead_ids": [known]}), 400, "validation_error")
    refused(customer.post(path, {}), 400, "validation_error")


def test_every_lead_shows_the_zones_it_may_be_in_and_their_source(customer: Customer) -> None:
    campaign = customer.campaign()
    own = customer.lead(a_number(0), timezone="Europe/Paris")
    customer.enrol(campaign["id"], own["id"], customer.lead(CALLEE)["id"], customer.lead(TOLL_FREE)["id"])
    shown = [(lead["zones"], lead["zone_source"]) for lead in _enrolled(customer, campaign["id"])]
    assert shown == [
        (["Europe/Paris"], "lead"),
        (["America/Los_Angeles"], "number"),
        (["America/New_York"], "campaign"),
    ]


def test_a_lead_whose_number_cannot_exist_is_enrolled_but_never_called(api: Api, customer: Customer) -> None:
    lead = customer.lead()
    with api.db.transaction() as tx:
        tx.connection.execute(update(leads).values(phone_number="+19995551234"))
    campaign = customer.campaign()
    answer = done(customer.post(f"/v1/campaigns/{campaign['id']}/leads", {"lead_ids": [lead["id"]]}))
    assert (answer["enrolled"], answer["number_invalid"]) == (1, 1)
    [shown] = _enrolled(customer, campaign["id"])
    assert (shown["state"], shown["why"]["code"]) == ("skipped", "NUMBER_INVALID")
    customer.patch(f"/v1/leads/{lead['id']}", {"phone_number": CALLEE})
    [shown] = _enrolled(customer, campaign["id"])
    assert (shown["state"], shown["phone_number"]) == ("pending", CALLEE)


def test_the_reason_is_told_in_words_with_what_would_remove_it(customer: Customer) -> None:
    campaign = customer.campaign()
    customer.enrol(campaign["id"], customer.lead()["id"])
    facts = REASONS[ReasonCode.NOT_STARTED]
    assert _why(customer, campaign["id"]) == {
        "code": "NOT_STARTED",
        "hold": facts.hold.value,
        "text": facts.manager,
        "fix": facts.fix,
        "until": None,
    }


def test_the_first_blocker_follows_what_happens(api: Api, customer: Customer) -> None:
    campaign = customer.started_campaign()
    path = f"/v1/campaigns/{campaign['id']}"
    assert _why(customer, campaign["id"])["code"] == "MEDIA_FULL"
    a_worker(api.db)
    assert _why(customer, campaign["id"]) == {}
    done(customer.post(f"{path}/pause"))
    assert _why(customer, campaign["id"])["code"] == "PAUSED"
    row = done(customer.post("/v1/suppressions", {"phone_number": CALLEE}), 201)
    assert _why(customer, campaign["id"])["code"] == "SUPPRESSED"
    done(customer.delete(f"/v1/suppressions/{row['id']}"))
    done(customer.post(f"{path}/stop"))
    assert _why(customer, campaign["id"])["code"] == "CAMPAIGN_ENDED"


def test_a_suppressed_lead_is_skipped_by_the_tick_and_comes_back_when_freed(api: Api, customer: Customer) -> None:
    row = done(customer.post("/v1/suppressions", {"phone_number": CALLEE}), 201)
    campaign = customer.started_campaign()
    a_worker(api.db)
    claim_due(api.db, api.bell)
    [lead] = _enrolled(customer, campaign["id"], state="skipped")
    assert lead["why"]["code"] == "SUPPRESSED"
    done(customer.delete(f"/v1/suppressions/{row['id']}"))
    claim_due(api.db, api.bell)
    [lead] = _enrolled(customer, campaign["id"])
    assert (lead["state"], lead["why"]) == ("claimed", None)


def test_a_lead_outside_its_window_tells_when_it_opens(api: Api, customer: Customer) -> None:
    a_worker(api.db)
    schedule = {**a_campaign()["schedule"], "blackout_dates": [], "windows": _windows_not_now()}
    campaign = customer.started_campaign(schedule=schedule)
    claim_due(api.db, api.bell)
    [lead] = _enrolled(customer, campaign["id"])
    assert lead["why"]["code"] == "OUTSIDE_WINDOW"
    assert lead["next_attempt_at"] == lead["why"]["until"]
    assert lead["zones"] == ["America/Los_Angeles"]


def _windows_not_now() -> list[Json]:
    """Give a window on the weekday three days from now at the latest place on earth that matters here."""
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    return [{"days": [days[(datetime.now().astimezone().weekday() + 3) % 7]], "start": "09:00", "end": "10:00"}]


def test_the_zone_of_a_lead_follows_the_lead(api: Api, customer: Customer) -> None:
    schedule = {**a_campaign()["schedule"], "unknown_timezone": "skip"}
    campaign = customer.started_campaign(TOLL_FREE, schedule=schedule)
    a_worker(api.db)
    claim_due(api.db, api.bell)
    assert _why(customer, campaign["id"])["code"] == "ZONE_UNKNOWN"
    customer.lead(TOLL_FREE, timezone="America/Denver")
    [lead] = _enrolled(customer, campaign["id"])
    assert (lead["state"], lead["zones"], lead["zone_source"]) == ("pending", ["America/Denver"], "lead")


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"state": "completed", "last_outcome": "human", "attempts_used": 1}, "REACHED"),
        ({"state": "exhausted", "last_outcome": "no_answer", "attempts_used": 3}, "BUDGET_SPENT"),
        ({"state": "exhausted", "last_outcome": "rejected", "attempts_used": 1}, "PERMANENT_FAILURE"),
        ({"state": "cancelled"}, "CAMPAIGN_ENDED"),
        ({"state": "skipped", "skip_reason": "AMBIGUOUS", "last_outcome": "ambiguous"}, "AMBIGUOUS"),
    ],
)
def test_a_closed_lead_tells_why_it_is_closed(api: Api, customer: Customer, columns: Json, code: str) -> None:
    campaign = customer.started_campaign()
    with api.db.transaction() as tx:
        tx.connection.execute(update(enrolments).values(**columns))
    [lead] = _enrolled(customer, campaign["id"])
    assert lead["why"]["code"] == code
    assert lead["next_attempt_at"] is None


def test_pages_follow_the_order_of_enrolment(customer: Customer) -> None:
    campaign = customer.campaign()
    rows = [{"phone_number": a_number(index)} for index in range(5)]
    for row in rows:
        done(customer.post(f"/v1/campaigns/{campaign['id']}/leads", {"leads": [row]}))
    path = f"/v1/campaigns/{campaign['id']}/leads"
    first = done(customer.get(path, limit=3))
    second = done(customer.get(path, limit=3, cursor=first["next_cursor"]))
    assert [lead["phone_number"] for lead in (*first["data"], *second["data"])] == [a_number(i) for i in range(5)]
    assert second["has_more"] is False


def test_a_campaign_that_is_over_takes_no_leads(customer: Customer) -> None:
    campaign = customer.campaign()
    done(customer.post(f"/v1/campaigns/{campaign['id']}/stop"))
    answer = customer.post(f"/v1/campaigns/{campaign['id']}/leads", {"leads": [{"phone_number": CALLEE}]})
    assert refused(answer, 409, "invalid_state_transition")["current_status"] == "cancelled"
