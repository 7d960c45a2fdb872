"""Calls ended by the account: live, ringing, waiting and over; and calls it cannot pay for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.client import a_claim_later, answer_of
from tests.e2e.phonebook import new_number
from tests.e2e.webhooks import events_of
from tests.installation import Customer, Installation, Json
from tests.waiting import wait_for

ALL_EVENTS = ["call.completed", "call.failed", "call.cancelled"]
STOP_WITHIN_S = 10


@dataclass(frozen=True, slots=True)
class Placed:
    """A call of a customer of its own."""

    up: Installation
    customer: Customer
    number: str
    call_id: str

    def post(self, move: str) -> Json:
        """Ask for the call to be moved."""
        return self.customer.client.post(f"/v1/calls/{self.call_id}/{move}")

    def truth(self) -> Json | None:
        """Return the carrier's call, if it has one."""
        calls = self.up.world.calls(to=self.number)
        return calls[0] if calls else None

    def event_types(self) -> list[str]:
        """Return what the webhook was told."""
        return [event.type for event in events_of(self.up.world, self.customer)]

    def told(self, event: str) -> None:
        """Wait until the webhook has been told of one thing, and nothing else."""
        wait_for(self.event_types, what=f"{event} of {self.call_id}")
        assert self.event_types() == [event]


def place(up: Installation, who: str, customer: Customer | None = None, **fields: object) -> Placed:
    """Place a call to this person."""
    payer, number = customer or up.customer(), new_number(who)
    hook = up.world.sink_url(payer.sink)
    return Placed(
        up, payer, number, payer.call(phone_number=number, webhook_url=hook, webhook_events=ALL_EVENTS, **fields)
    )


@pytest.fixture(scope="module")
def talking(up: Installation) -> Placed:
    """A call in the middle of its conversation."""
    placed = place(up, "talker", first_sentence="Hello, this is Sarah.")
    wait_for(lambda: _has_spoken(placed), what="the callee's second sentence", within_s=40)
    return placed


@pytest.fixture(scope="module")
def narrow(up: Installation) -> Iterator[tuple[Placed, Placed]]:
    """A live call, and one that waits because the account may have one at a time."""
    customer = up.customer(live_calls=1)
    live = place(up, "talker", customer)
    wait_for(live.truth, what="the first call at the carrier")
    yield live, place(up, "human", customer)
    wait_for(lambda: _is_over(live), what="end of the first call", within_s=60)


def test_a_live_call_that_is_stopped_ends_within_seconds_and_is_paid_for(talking: Placed) -> None:
    assert talking.post("stop") == {"ok": True, "call_id": talking.call_id, "status": "in_progress"}
    record = talking.customer.ended(talking.call_id, STOP_WITHIN_S)
    assert (record["status"], record["outcome"], record["end_reason"]) == ("completed", "human", "api_stop")
    assert record["billed_minutes"] > 0
    talking.told("call.completed")


def test_a_stopped_call_is_over_at_the_carrier_too(talking: Placed) -> None:
    assert talking.customer.ended(talking.call_id)["end_reason"] == "api_stop"
    truth = wait_for(talking.truth, what="the carrier's call")
    assert not truth["live"]
    assert truth["ended_by"] in {"caller", "stream_closed"}


def test_stopping_it_again_is_a_conflict_that_names_its_status(talking: Placed) -> None:
    assert talking.customer.ended(talking.call_id)["completed"]
    answer = answer_of(talking.customer, "POST", f"/v1/calls/{talking.call_id}/stop")
    assert answer.status_code == 409
    assert (answer.json()["code"], answer.json()["current_status"]) == ("invalid_state_transition", "completed")


def test_a_ringing_call_that_is_stopped_is_cancelled_and_costs_nothing(up: Installation) -> None:
    ringing = place(up, "no_answer_soon", ring_timeout=60)
    wait_for(lambda: _has_status(ringing, "ringing"), what="ringing")
    ringing.post("stop")
    record = ringing.customer.ended(ringing.call_id, STOP_WITHIN_S)
    assert (record["status"], record["outcome"], record["end_reason"]) == ("cancelled", "cancelled", "api_stop")
    assert record["billed_minutes"] == 0
    assert ringing.customer.client.get("/v1/account/balance")["used"] == 0
    ringing.told("call.cancelled")
    assert wait_for(lambda: _ended_at_carrier(ringing), what="end at the carrier")["status"] == "canceled"


def test_a_queued_call_that_is_cancelled_is_never_dialled(narrow: tuple[Placed, Placed]) -> None:
    live, queued = narrow
    assert queued.customer.client.get(f"/v1/calls/{queued.call_id}")["status"] == "queued"
    assert queued.post("cancel")["status"] == "cancelled"
    record = queued.customer.client.get(f"/v1/calls/{queued.call_id}")
    assert (record["status"], record["end_reason"], record["billed_minutes"]) == ("cancelled", "api_cancel", 0)
    live.post("stop")
    live.customer.ended(live.call_id, STOP_WITHIN_S)
    after = place(live.up, "busy", live.customer)
    after.customer.ended(after.call_id)
    assert [dial for dial in live.up.world.dials() if dial["to"] == queued.number] == []
    assert live.customer.client.get("/v1/account/balance")["reserved"] == 0


def test_a_number_is_never_on_two_calls_of_an_account_at_once(up: Installation) -> None:
    first = place(up, "talker")
    number = first.number
    wait_for(first.truth, what="the first call at the carrier")
    second = first.customer.call(phone_number=number)
    a_claim_later(up)
    assert first.customer.client.get(f"/v1/calls/{second}")["status"] == "queued"
    assert len(up.world.calls(to=number)) == 1
    first.post("stop")
    first.customer.ended(first.call_id, STOP_WITHIN_S)
    wait_for(lambda: len(up.world.calls(to=number)) == 2, what="the second call")
    one, other = up.world.calls(to=number)
    assert one["ended_at"] <= other["created_at"]
    first.customer.client.post(f"/v1/calls/{second}/stop")
    assert first.customer.ended(second, STOP_WITHIN_S)["end_reason"] == "api_stop"


def test_a_call_with_a_time_is_not_dialled_before_it(up: Installation) -> None:
    due_at = datetime.now(UTC) + timedelta(seconds=2)
    scheduled = place(up, "busy", scheduled_at=due_at.isoformat())
    assert scheduled.customer.ended(scheduled.call_id)["outcome"] == "busy"
    [dial] = [dial for dial in up.world.dials() if dial["to"] == scheduled.number]
    assert dial["at"] >= due_at.timestamp()


def test_a_call_that_is_cancelled_before_its_time_is_told_of_and_releases_its_hold(up: Installation) -> None:
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    scheduled = place(up, "human", scheduled_at=later, max_duration=3)
    assert scheduled.customer.client.get(f"/v1/calls/{scheduled.call_id}")["status"] == "pending"
    assert scheduled.customer.client.get("/v1/account/balance")["reserved"] == 3
    assert scheduled.post("cancel")["status"] == "cancelled"
    assert scheduled.customer.client.get("/v1/account/balance")["reserved"] == 0
    scheduled.told("call.cancelled")


def test_a_live_call_cannot_be_cancelled_only_stopped(up: Installation) -> None:
    live = place(up, "talker")
    wait_for(live.truth, what="the call at the carrier")
    answer = answer_of(live.customer, "POST", f"/v1/calls/{live.call_id}/cancel")
    assert (answer.status_code, answer.json()["current_status"]) == (409, "in_progress")
    live.post("stop")
    assert live.customer.ended(live.call_id, STOP_WITHIN_S)["end_reason"] == "api_stop"


def test_a_call_the_account_cannot_pay_for_is_refused_with_what_is_missing(up: Installation) -> None:
    poor = up.customer(minutes=3)
    number = new_number("human")
    body = {"phone_number": number, "task": "Confirm the appointment.", "max_duration": 5}
    answer = answer_of(poor, "POST", "/v1/calls", body)
    assert answer.status_code == 402
    assert answer.headers["Content-Type"] == "application/problem+json"
    shown = answer.json()
    assert {key: shown[key] for key in ("status", "title", "detail", "code")} == {
        "status": 402,
        "title": "Insufficient Quota",
        "detail": "You need 5 minutes but have 3 remaining",
        "code": "insufficient_quota",
    }
    assert (shown["required_minutes"], shown["remaining_minutes"]) == (5, 3)
    assert poor.client.pages("/v1/calls") == []
    assert [dial for dial in up.world.dials() if dial["to"] == number] == []


def test_minutes_reserved_by_a_live_call_cannot_be_spent_twice(up: Installation) -> None:
    poor = up.customer(minutes=3)
    live = place(up, "talker", poor, max_duration=2)
    body = {"phone_number": new_number("human"), "task": "Confirm the appointment.", "max_duration": 2}
    answer = answer_of(poor, "POST", "/v1/calls", body)
    assert (answer.status_code, answer.json()["remaining_minutes"]) == (402, 1)
    live.post("stop")
    poor.ended(live.call_id, STOP_WITHIN_S)
    assert poor.client.get("/v1/account/balance")["reserved"] == 0


def _has_spoken(placed: Placed) -> bool:
    truth = placed.truth()
    return truth is not None and len(truth["said"]) > 1


def _has_status(placed: Placed, status: str) -> bool:
    truth = placed.truth()
    return truth is not None and truth["status"] == status


def _ended_at_carrier(placed: Placed) -> Json | None:
    truth = placed.truth()
    return truth if truth is not None and not truth["live"] else None


def _is_over(placed: Placed) -> bool:
    return bool(placed.customer.client.get(f"/v1/calls/{placed.call_id}")["completed"])
