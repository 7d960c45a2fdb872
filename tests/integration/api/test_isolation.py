"""Nothing of another account is visible: every route answers as if it did not exist."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from schema.account import Scope
from tests.builders.rows import call_row
from tests.integration.api.conftest import NewCustomer
from tests.integration.api.customers import CALLEE, TASK, Api, Customer, Json, done, refused

UNKNOWN = str(uuid4())


@pytest.fixture
def belongings(customer: Customer) -> Json:
    """One of everything, in the first customer's account."""
    lead = customer.lead(name="John")
    campaign = customer.campaign()
    customer.enrol(campaign["id"], lead["id"])
    call = customer.call(lead_id=lead["id"], campaign_id=campaign["id"])
    suppression = done(customer.post("/v1/suppressions", {"phone_number": "+14155550100"}), 201)
    return {
        "call_id": call["call_id"],
        "campaign_id": campaign["id"],
        "lead_id": lead["id"],
        "suppression_id": suppression["id"],
    }


BODIES: dict[str, object] = {
    "/v1/campaigns/<uuid:campaign_id>/leads": {"leads": [{"phone_number": CALLEE}]},
    "/v1/leads/<uuid:lead_id>": {"name": "Mine now"},
}


def _routes_with_ids(api: Api) -> Iterator[tuple[str, str]]:
    for rule in api.app.url_map.iter_rules():
        if rule.rule.startswith("/v1/") and "<" in rule.rule:
            for method in rule.methods or ():
                if method not in {"HEAD", "OPTIONS"}:
                    yield method, rule.rule


def test_every_route_with_an_id_is_blind_to_other_accounts(
    api: Api, another_customer: Customer, belongings: Json
) -> None:
    walked = 0
    for method, rule in _routes_with_ids(api):
        path = rule.replace("<uuid:", "{").replace(">", "}")
        body = BODIES.get(rule) if method in {"POST", "PATCH"} else None
        foreign = another_customer.send(method, path.format(**belongings), body)
        absent = another_customer.send(method, path.format(**dict.fromkeys(belongings, UNKNOWN)), body)
        told, unknown = refused(foreign, 404, "not_found"), refused(absent, 404, "not_found")
        assert {**told, "instance": ""} == {**unknown, "instance": ""}
        walked += 1
    assert walked >= 15


def test_nothing_of_the_first_account_has_changed(
    api: Api, customer: Customer, another_customer: Customer, belongings: Json
) -> None:
    before = _everything(customer, belongings)
    test_every_route_with_an_id_is_blind_to_other_accounts(api, another_customer, belongings)
    assert _everything(customer, belongings) == before
    assert call_row(api.db, belongings["call_id"])["phase"] == "scheduled"


def _everything(customer: Customer, ids: Json) -> list[Json]:
    paths = (
        f"/v1/calls/{ids['call_id']}",
        f"/v1/calls/{ids['call_id']}/events",
        f"/v1/campaigns/{ids['campaign_id']}",
        f"/v1/leads/{ids['lead_id']}",
        "/v1/suppressions",
        "/v1/account/balance",
    )
    return [done(customer.get(path)) for path in paths]


def test_lists_show_only_ones_own(another_customer: Customer, belongings: Json) -> None:
    for path in ("/v1/calls", "/v1/campaigns", "/v1/leads", "/v1/suppressions"):
        assert done(another_customer.get(path))["data"] == []
    assert done(another_customer.get("/v1/calls", campaign_id=belongings["campaign_id"]))["data"] == []


def test_ids_in_bodies_are_foreign_too(another_customer: Customer, belongings: Json) -> None:
    call = {"phone_number": CALLEE, "task": TASK}
    for name in ("lead_id", "campaign_id"):
        refused(another_customer.post("/v1/calls", {**call, name: belongings[name]}), 404, "not_found")
    own = another_customer.campaign()
    answer = done(another_customer.post(f"/v1/campaigns/{own['id']}/leads", {"lead_ids": [belongings["lead_id"]]}))
    assert (answer["enrolled"], answer["invalid"]) == (0, 1)
    assert answer["errors"][0]["path"] == "lead_ids.0"
    execution = {"campaign_id": own["id"], "idempotency_key": "exec-0001", "attempt_number": 1}
    refused(another_customer.post("/v1/calls", {**execution, "lead_id": belongings["lead_id"]}), 404, "not_found")
    execution["campaign_id"] = belongings["campaign_id"]
    mine = another_customer.lead()["id"]
    refused(another_customer.post("/v1/calls", {**execution, "lead_id": mine}), 404, "not_found")


def test_the_same_number_is_another_lead_in_another_account(customer: Customer, another_customer: Customer) -> None:
    ours, theirs = customer.lead(name="Ours"), another_customer.lead(name="Theirs")
    assert ours["id"] != theirs["id"]
    assert theirs["existed"] is False


def test_every_route_needs_a_key_with_its_scope(api: Api, new_customer: NewCustomer, belongings: Json) -> None:
    powerless = new_customer(name="No scopes", scopes=())
    for rule in api.app.url_map.iter_rules():
        if not rule.rule.startswith("/v1/"):
            continue
        path = rule.rule.replace("<uuid:", "{").replace(">", "}").format(**belongings)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            refused(api.app.test_client().open(path, method=method), 401, "unauthorized")
            problem = refused(powerless.send(method, path, None), 403, "forbidden_scope")
            assert any(scope.value in problem["detail"] for scope in Scope)
