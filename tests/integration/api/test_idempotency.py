"""A key names one request: it is done once, however often and from however many sides it is sent."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import update

from dispatcher.store.db import Database
from dispatcher.store.idempotency import KEPT_FOR
from schema.tables import idempotency_keys
from tests.builders.rows import call_rows
from tests.integration.api.customers import CALLEE, TASK, Api, Customer, done, refused

KEY = "a1b2c3d4-e5f6-7890-abcd-ef0123456789"
CALL = {"phone_number": CALLEE, "task": TASK}
THREADS = 20


def test_the_same_request_gives_the_same_answer_without_doing_it_again(customer: Customer) -> None:
    first = customer.post("/v1/calls", CALL, Idempotency_Key=KEY)
    again = customer.post("/v1/calls", CALL, Idempotency_Key=KEY)
    assert done(first, 201) == done(again, 201)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(call_rows(customer.api.db)) == 1
    assert customer.balance()["reserved"] == 5


def test_another_body_or_route_under_the_same_key_is_refused(customer: Customer) -> None:
    done(customer.post("/v1/calls", CALL, Idempotency_Key=KEY), 201)
    other = {**CALL, "max_duration": 6}
    refused(customer.post("/v1/calls", other, Idempotency_Key=KEY), 422, "idempotency_key_reused")
    lead = {"phone_number": CALLEE}
    refused(customer.post("/v1/leads", lead, Idempotency_Key=KEY), 422, "idempotency_key_reused")


def test_twenty_senders_of_one_key_make_one_call(customer: Customer) -> None:
    def send(_: int) -> tuple[int, str]:
        answer = customer.post("/v1/calls", CALL, Idempotency_Key=KEY)
        if answer.status_code == 201:
            return 201, done(answer, 201)["call_id"]
        return answer.status_code, refused(answer, 409, "idempotency_in_progress")["code"]

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(send, range(THREADS)))
    assert len({call_id for status, call_id in answers if status == 201}) == 1
    assert len(call_rows(customer.api.db)) == 1
    assert customer.balance()["reserved"] == 5
    assert send(0)[0] == 201


def test_a_refusal_is_not_kept_so_the_request_may_succeed_later(customer: Customer) -> None:
    lead = {**CALL, "task": "Call {{name}} about tomorrow", "lead_id": customer.lead()["id"]}
    refused(customer.post("/v1/calls", lead, Idempotency_Key=KEY), 400, "validation_error")
    customer.lead(name="John")
    done(customer.post("/v1/calls", lead, Idempotency_Key=KEY), 201)


def test_keys_of_different_accounts_do_not_meet(customer: Customer, another_customer: Customer) -> None:
    ours = done(customer.post("/v1/calls", CALL, Idempotency_Key=KEY), 201)
    theirs = done(another_customer.post("/v1/calls", CALL, Idempotency_Key=KEY), 201)
    assert ours["call_id"] != theirs["call_id"]


@pytest.mark.parametrize("key", ["short", "x" * 256, "with space", "ümlaut-key"])
def test_a_malformed_key_is_refused(customer: Customer, key: str) -> None:
    problem = refused(customer.post("/v1/calls", CALL, Idempotency_Key=key), 400, "validation_error")
    assert problem["errors"][0]["path"] == "Idempotency-Key"


def test_a_key_may_be_used_anew_after_a_day(customer: Customer) -> None:
    first = done(customer.post("/v1/calls", CALL, Idempotency_Key=KEY), 201)
    with customer.api.db.transaction() as tx:
        tx.connection.execute(update(idempotency_keys).values(expires_at=tx.now - timedelta(seconds=1)))
    second = done(customer.post("/v1/calls", CALL, Idempotency_Key=KEY), 201)
    assert first["call_id"] != second["call_id"]
    assert timedelta(hours=24) == KEPT_FOR


def test_every_changing_route_takes_a_key(api: Api, customer: Customer) -> None:
    campaign = customer.campaign()
    lead = customer.lead()
    requests = [
        ("POST", f"/v1/campaigns/{campaign['id']}/leads", {"lead_ids": [lead["id"]]}),
        ("POST", f"/v1/campaigns/{campaign['id']}/start", None),
        ("POST", f"/v1/campaigns/{campaign['id']}/pause", None),
        ("POST", f"/v1/campaigns/{campaign['id']}/resume", None),
        ("POST", f"/v1/campaigns/{campaign['id']}/stop?hangup=true", None),
        ("PATCH", f"/v1/leads/{lead['id']}", {"name": "John"}),
        ("POST", "/v1/leads/bulk", {"leads": [{"phone_number": CALLEE}]}),
        ("POST", "/v1/suppressions", {"phone_number": CALLEE}),
    ]
    for number, (method, path, body) in enumerate(requests):
        first = customer.send(method, path, body, Idempotency_Key=f"{KEY}-{number}")
        again = customer.send(method, path, body, Idempotency_Key=f"{KEY}-{number}")
        assert again.headers.get("Idempotent-Replayed") == "true", path
        assert first.status_code == again.status_code
        assert first.json == again.json


def test_a_crash_before_the_commit_leaves_neither_work_nor_key(customer: Customer, db: Database) -> None:
    with db.transaction() as tx:
        tx.connection.exec_driver_sql(
            "create function crash() returns trigger language plpgsql as $$ begin raise exception 'crash'; end $$"
        )
        tx.connection.exec_driver_sql(
            "create trigger crash before insert on idempotency_keys for each row execute function crash()"
        )
    refused(customer.post("/v1/calls", CALL, Idempotency_Key=KEY), 500, "internal_error")
    assert call_rows(db) == []
    assert customer.balance()["reserved"] == 0
    with db.transaction() as tx:
        tx.connection.exec_driver_sql("drop trigger crash on idempotency_keys")
    done(customer.post("/v1/calls", CALL, Idempotency_Key=KEY), 201)
