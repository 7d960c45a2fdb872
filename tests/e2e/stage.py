"""Scenes: scenarios whose calls have been placed, each in an account of its own, all of them before one is judged.

A scene gives what its test compares: the API's record, the carrier's ground truth, the recording, the webhooks.
"""

import itertools
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.e2e.phonebook import new_number
from tests.e2e.scenario import Mode, Scenario, marked
from tests.e2e.webhooks import Event, events_of
from tests.installation import Customer, Installation
from tests.waiting import wait_for

TIMES = {"ring_timeout": 15, "inactivity_timeout": 10}
END_WITHIN_S = 110

Json = dict[str, Any]

_MARKERS = (f"mark{a}{b}" for a, b in itertools.product("abcdefghijklmnopqrstuvwxyz", repeat=2))


@dataclass
class Scene:
    """One scenario on its way in one mode."""

    scenario: Scenario
    mode: Mode
    up: Installation
    customer: Customer
    number: str
    call_id: str

    @cached_property
    def record(self) -> Json:
        """Wait for the end; the call's record."""
        return self.customer.ended(self.call_id, END_WITHIN_S)

    @cached_property
    def truth(self) -> Json | None:
        """Return the carrier's ground truth of the ended call; None when it never took it."""
        assert self.record
        calls = self.up.world.calls(to=self.number)
        assert len(calls) <= 1, "the number was called twice"
        if not calls:
            return None
        sid = calls[0]["sid"]
        return wait_for(lambda: _over(self.up, sid), what=f"end of {sid} at the carrier")

    @cached_property
    def recording(self) -> Path | None:
        """Return the stereo recording, None when there is none."""
        assert self.record
        path = self.up.data_dir / "recordings" / self.record["account_id"] / f"{self.call_id}.wav"
        return path if path.exists() else None

    @cached_property
    def events(self) -> list[Event]:
        """Wait for the first webhook; everything the account was sent, each verified."""
        assert self.record
        return wait_for(lambda: events_of(self.up.world, self.customer), what=f"webhook of {self.call_id}")

    def told(self) -> list[Event]:
        """Return what the account has been sent by now."""
        assert self.events
        return events_of(self.up.world, self.customer)

    @cached_property
    def balance(self) -> Json:
        """Return the account's minutes after the call."""
        assert self.record
        return self.customer.client.get("/v1/account/balance")

    @property
    def dials(self) -> int:
        """Return how often the carrier was asked to call the number."""
        return sum(dial["to"] == self.number for dial in self.up.world.dials())


def place(up: Installation, scenario: Scenario, mode: Mode) -> Scene:
    """Arm the scenario's faults and place its call."""
    customer, number, marker = up.customer(), new_number(scenario.answers), next(_MARKERS)
    for fault in marked(scenario.faults, marker):
        aimed = {"number": number} if fault["vendor"] == "twilio" else {}
        up.world.arm(**fault, **aimed)
    request: Json = {
        "phone_number": number,
        "mode": mode,
        "webhook_url": up.world.sink_url(customer.sink),
        **TIMES,
        **marked(scenario.request, marker),
    }
    if scenario.lead:
        request["lead_id"] = customer.client.post("/v1/leads", {"phone_number": number, "name": "Alex"})["id"]
    return Scene(scenario, mode, up, customer, number, customer.call(**request))


def _over(up: Installation, sid: str) -> Json | None:
    call = up.world.call(sid)
    return None if call["live"] else call
