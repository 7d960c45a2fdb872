"""Customers of the API: an account with a key, and the requests it sends."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Flask
from werkzeug.test import TestResponse

from dispatcher.services.keys import KeyOrder, mint_key
from dispatcher.store.db import Database
from schema.account import Scope
from tests.builders.announcer import RecordingAnnouncer

Json = dict[str, Any]

FROM_NUMBER = "+18005551234"
CALLEE = "+14155551234"
TASK = "Call to confirm John's appointment tomorrow at 3 PM"


@dataclass(frozen=True, slots=True)
class Api:
    app: Flask
    db: Database
    bell: RecordingAnnouncer


@dataclass(frozen=True, slots=True)
class Customer:
    api: Api
    account_id: UUID
    key: str

    def post(self, path: str, body: object = None, **headers: str) -> TestResponse:
        return self.send("POST", path, body, **headers)

    def patch(self, path: str, body: object) -> TestResponse:
        return self.send("PATCH", path, body)

    def get(self, path: str, **query: object) -> TestResponse:
        return self.api.app.test_client().get(path, query_string=query, headers=self._headers())

    def delete(self, path: str) -> TestResponse:
        return self.send("DELETE", path, None)

    def send(self, method: str, path: str, body: object, **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        client = self.api.app.test_client()
        if body is None:
            return client.open(path, method=method, headers=self._headers(**named))
        return client.open(path, method=method, json=body, headers=self._headers(**named))

    def call(self, **fields: object) -> Json:
        """Place a direct call and return what was answered."""
        return done(self.post("/v1/calls", {"phone_number": CALLEE, "task": TASK, **fields}), 201)

    def lead(self, phone_number: str = CALLEE, **fields: object) -> Json:
        """Save a lead and return it."""
        answer = self.post("/v1/leads", {"phone_number": phone_number, **fields})
        assert answer.status_code in {200, 201}, answer.text
        return dict(answer.json)

    def campaign(self, **changes: object) -> Json:
        """Create a campaign that is open all day and return it."""
        return done(self.post("/v1/campaigns", {**a_campaign(), **changes}), 201)

    def enrol(self, campaign_id: str, *lead_ids: str) -> Json:
        """Put leads into a campaign."""
        return done(self.post(f"/v1/campaigns/{campaign_id}/leads", {"lead_ids": list(lead_ids)}))

    def started_campaign(self, *phone_numbers: str, **changes: object) -> Json:
        """Create a campaign with a lead per number and start it."""
        campaign = self.campaign(**changes)
        self.enrol(campaign["id"], *(self.lead(number)["id"] for number in phone_numbers or (CALLEE,)))
        return done(self.post(f"/v1/campaigns/{campaign['id']}/start"))

    def balance(self) -> Json:
        return done(self.get("/v1/account/balance"))

    def _headers(self, **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}", **more}


def open_account(
    api: Api,
    *,
    name: str = "Bright Dental",
    minutes: int = 1_000,
    scopes: tuple[Scope, ...] = tuple(Scope),
    from_number: str | None = FROM_NUMBER,
) -> Customer:
    """Open an account with a key."""
    minted = mint_key(api.db, KeyOrder(name, "tests", scopes, minutes=minutes, from_number=from_number))
    return Customer(api, minted.account.account_id, minted.key)


def done(answer: TestResponse, status: int = 200) -> Json:
    """Read a success.

    Raises:
        AssertionError: it is none.
    """
    assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
    return dict(answer.json)


def refused(answer: TestResponse, status: int, code: str) -> Json:
    """Read a problem of that status and code.

    Raises:
        AssertionError: it is something else.
    """
    assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
    assert answer.mimetype == "application/problem+json"
    problem = dict(answer.get_json(force=True))
    assert problem["code"] == code, problem
    assert problem["status"] == status
    assert problem["instance"] == f"urn:trunkline:request:{answer.headers['X-Request-Id']}"
    return problem


def a_campaign() -> Json:
    """Return the body of a campaign that is open all day, everywhere."""
    every_day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    return {
        "name": "Appointment confirmations",
        "call_config": {"task": TASK, "max_duration": 2},
        "schedule": {
            "timezone": "America/New_York",
            "windows": [{"days": every_day, "start": "00:00", "end": "24:00"}],
            "respect_legal_hours": False,
        },
    }
