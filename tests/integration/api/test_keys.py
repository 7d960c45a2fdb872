"""Keys: made on the command line, recognised by their hash, revocable, shown once."""

import pytest
from sqlalchemy import select

from api.keys import create_key, main
from dispatcher.services.keys import KeyOrder, KeyRing, mint_key, revoke
from dispatcher.store.db import Database
from schema.account import Scope
from schema.tables import accounts, api_keys, quota_entries
from tests.integration.api.customers import Api, Customer, done, refused


@pytest.fixture
def environment(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)


def test_a_key_is_taken_as_bearer_or_as_x_api_key(api: Api, customer: Customer) -> None:
    client = api.app.test_client()
    for headers in ({"Authorization": f"bearer {customer.key}"}, {"X-API-Key": customer.key}):
        assert done(client.get("/v1/account", headers=headers))["id"] == str(customer.account_id)


def test_what_is_no_key_of_ours_is_refused(api: Api, customer: Customer) -> None:
    wrong = [
        "",
        "Bearer",
        "Bearer tl_live_",
        "Basic dXNlcjpwYXNz",
        f"Bearer {customer.key}x",
        f"Bearer {customer.key[:-1]}",
    ]
    for authorization in wrong:
        answer = api.app.test_client().get("/v1/account", headers={"Authorization": authorization})
        refused(answer, 401, "unauthorized")
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_the_secret_is_not_in_the_database(customer: Customer, db: Database) -> None:
    with db.transaction() as tx:
        stored = tx.connection.execute(select(api_keys)).mappings().one()
    secret = customer.key.split("_", 3)[3]
    assert len(secret) >= 43
    assert secret not in str(dict(stored))
    assert customer.key.startswith(f"tl_live_{stored['prefix']}_")


def test_a_revoked_key_is_forgotten_once_its_few_seconds_are_over(db: Database) -> None:
    minted = mint_key(db, KeyOrder("Bright Dental", "tests", tuple(Scope)))
    now = [100.0]
    ring = KeyRing(db, remember_s=5.0, monotonic=lambda: now[0])
    assert ring.caller(minted.key) is not None
    revoke(db, minted.key.split("_")[2])
    now[0] += 4.9
    assert ring.caller(minted.key) is not None
    now[0] += 0.2
    assert ring.caller(minted.key) is None


def test_a_scope_opens_only_its_own_routes(api: Api, db: Database) -> None:
    minted = mint_key(db, KeyOrder("Reports", "reader", (Scope.CALLS_READ,), minutes=5))
    reader = Customer(api, minted.account.account_id, minted.key)
    done(reader.get("/v1/calls"))
    problem = refused(reader.post("/v1/calls", {}), 403, "forbidden_scope")
    assert "calls:write" in problem["detail"]


@pytest.mark.usefixtures("environment")
def test_create_prints_the_key_and_the_webhook_secret_once(capsys: pytest.CaptureFixture[str], api: Api) -> None:
    arguments = ["create", "--account", "Bright Dental", "--minutes", "1000", "--from-number", "+18005551234"]
    assert main(arguments) == 0
    first = _printed(capsys)
    assert first["account"] == "Bright Dental (new)"
    assert first["minutes left"] == "1000"
    assert first["webhook_secret"].startswith("whsec_")
    customer = Customer(api, first["account_id"], first["api_key"])
    assert done(customer.get("/v1/account"))["from_number"] == "+18005551234"
    assert main(["create", "--account", "Bright Dental", "--minutes", "50", "--scopes", "calls:read,account:read"]) == 0
    second = _printed(capsys)
    assert second["account_id"] == first["account_id"]
    assert second["minutes left"] == "1050"
    assert "webhook_secret" not in second


@pytest.mark.usefixtures("environment")
def test_keys_are_listed_and_revoked_by_their_prefix(capsys: pytest.CaptureFixture[str]) -> None:
    main(["create", "--account", "Bright Dental", "--name", "front desk"])
    prefix = _printed(capsys)["api_key"].split("_")[2]
    assert main(["revoke", "--prefix", prefix]) == 0
    capsys.readouterr()
    assert main(["list", "--account", "Bright Dental"]) == 0
    listed = capsys.readouterr().out
    assert f"{prefix}  revoked" in listed
    assert "front desk" in listed
    assert main(["revoke", "--prefix", prefix]) == 1
    assert "not found" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["create", "--account", "A", "--from-number", "+19995551234"], "not in use"),
        (["create", "--account", "A", "--minutes", "-5"], "whole number"),
        (["create", "--account", "A", "--scopes", "calls:all"], "calls:read"),
        (["create", "--account", "A", "--timezone", "Mars"], "IANA"),
        (["create"], "--account"),
    ],
)
def test_bad_arguments_are_explained(capsys: pytest.CaptureFixture[str], arguments: list[str], says: str) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert says in capsys.readouterr().err


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    assert 'python -m api.keys create --account "Bright Dental" --minutes 1000' in capsys.readouterr().out


def test_a_missing_database_is_explained(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert main(["list", "--account", "A"]) == 2
    assert "DATABASE_URL" in capsys.readouterr().err


def test_minutes_are_granted_through_the_ledger(database_url: str, db: Database) -> None:
    created = create_key(database_url, account="Bright Dental", minutes=20, from_number="+18005551234")
    with db.transaction() as tx:
        entry = tx.connection.execute(select(quota_entries)).mappings().one()
        secret = tx.connection.execute(select(accounts.c.webhook_secret)).scalar_one()
    assert (entry["kind"], entry["amount_s"]) == ("grant", 1200)
    assert created.webhook_secret == secret


def _printed(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    lines = [line.split("  ", 1) for line in capsys.readouterr().out.splitlines() if "  " in line]
    return {name: value.strip() for name, value in lines}
