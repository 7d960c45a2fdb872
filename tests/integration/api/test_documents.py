"""What the API says of itself: documents, health, numbers, request ids."""

import json
import re

import pytest

from api.app import create_app
from api.settings import ApiSettings
from dispatcher.announce import SilentAnnouncer
from dispatcher.store.db import Database
from tests.integration.api.customers import Api, Customer, Json, done, refused


def _document(api: Api) -> Json:
    return done(api.app.test_client().get("/docs/openapi.json"))


def test_every_route_is_documented_with_its_scope_and_problems(api: Api) -> None:
    document = _document(api)
    assert document["openapi"] == "3.1.0"
    served = {
        (method.lower(), re.sub(r"<uuid:(\w+)>", r"{\1}", rule.rule))
        for rule in api.app.url_map.iter_rules()
        if rule.rule.startswith("/v1/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    documented = {(method, path) for path, item in document["paths"].items() for method in item}
    assert documented == served
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert operation["summary"], path
            assert {"400", "401", "403"} <= operation["responses"].keys(), path
            [scope] = {scope for way in operation["security"] for scopes in way.values() for scope in scopes}
            assert scope.endswith(":read" if method == "get" else ":write"), path
            keyed = any(one["name"] == "Idempotency-Key" for one in operation.get("parameters", []))
            assert keyed is (method != "get"), path


def test_references_in_the_document_lead_somewhere(api: Api) -> None:
    document = _document(api)
    for name in set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document))):
        assert name in document["components"]["schemas"], name


def test_the_three_shapes_of_a_call_are_in_the_document(api: Api) -> None:
    schemas = _document(api)["components"]["schemas"]
    shapes = {one["$ref"].rsplit("/", 1)[1] for one in schemas["CreateCall"]["oneOf"]}
    assert shapes == {"TaskCall", "InstructionsCall", "CampaignExecution"}
    assert schemas["TaskCall"]["properties"]["max_duration"]["default"] == 5


def test_the_interactive_documents_need_no_internet(api: Api) -> None:
    client = api.app.test_client()
    page = client.get("/docs", follow_redirects=True)
    assert page.status_code == 200
    sources = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert sources
    for source in sources:
        assert not source.startswith(("http:", "https:", "//")), source
        assert client.get(f"/docs/{source}").status_code == 200, source


def test_health_needs_no_key(api: Api) -> None:
    client = api.app.test_client()
    assert done(client.get("/healthz")) == {"status": "ok"}
    assert done(client.get("/readyz")) == {"status": "ok", "database": "ok"}


def test_without_a_database_it_is_alive_but_not_ready() -> None:
    url = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
    database = Database(url)
    settings = ApiSettings(database_url=url, redis_url="redis://nowhere")
    client = create_app(settings, database=database, announcer=SilentAnnouncer()).test_client()
    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    refused(answer, 503, "unavailable")
    assert answer.headers["Retry-After"] == "1"
    refused(client.get("/v1/account", headers={"X-API-Key": "tl_live_a_b"}), 503, "unavailable")


def test_answers_are_counted_by_route_and_status(api: Api, customer: Customer) -> None:
    customer.get("/v1/calls/9b2d1f10-93c9-4f3e-8a53-6d1c4b2f0a11")
    text = api.app.test_client().get("/metrics").text
    counted = 'trunkline_api_answers_total{method="GET",route="/v1/calls/<uuid:call_id>",status="404"} 1.0'
    assert counted in text
    assert 'trunkline_api_answer_seconds_count{method="GET",route="/v1/calls/<uuid:call_id>"} 1.0' in text


@pytest.mark.parametrize("given", ["my-request-17", "a" * 128])
def test_the_callers_request_id_comes_back(api: Api, given: str) -> None:
    answer = api.app.test_client().get("/healthz", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "with space", "a" * 129, "ümlaut"])
def test_an_unusable_request_id_is_replaced(api: Api, given: str) -> None:
    answer = api.app.test_client().get("/healthz", headers={"X-Request-Id": given})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-Id"])


def test_the_account_shows_its_limits_and_minutes(customer: Customer) -> None:
    account = done(customer.get("/v1/account"))
    assert account["limits"] == {"max_concurrent_calls": 10, "max_calls_per_minute": 60}
    assert "webhook_secret" not in account
    customer.call(max_duration=2.5)
    assert customer.balance() == {
        "type": "call_minutes",
        "remaining": 997.5,
        "allocated": 1000.0,
        "used": 0.0,
        "reserved": 2.5,
        "bonus_remaining": 0.0,
        "period_end": None,
    }
