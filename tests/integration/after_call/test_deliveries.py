"""Webhooks reach their receivers: signed, tried again as planned, given up as promised."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from uuid import UUID

import pytest
from standardwebhooks import Webhook

from dispatcher.egress import Egress
from dispatcher.services.deliver import send_delivery, sweep_deliveries
from dispatcher.services.events import emit_call_event
from dispatcher.store.db import Database
from schema.events import EventType
from tests.builders.announcer import RecordingAnnouncer
from tests.builders.clock import Clock
from tests.builders.rows import SECRET, an_account
from tests.integration.after_call.bells import send_all_due
from tests.integration.after_call.receiver import Received, Receiver, Reply
from tests.integration.after_call.rows import SAID, a_call, delivery_rows

EGRESS = Egress(allow_private=True, timeout_s=5)
PLANNED_S = (60, 300, 900, 3600)


def queue_event(db: Database, url: str, account_id: UUID | None = None, **columns: object) -> UUID:
    """Queue call.completed for one fresh call of an account of its own, unless told which; return the account."""
    account_id = account_id or an_account(db)
    call_id = a_call(db, account_id, config={"webhook_url": url}, said=SAID, **columns)
    with db.transaction() as tx:
        emit_call_event(tx, call_id, EventType.CALL_COMPLETED)
    return account_id


def statuses(db: Database) -> list[object]:
    return [row["status"] for row in delivery_rows(db)]


def test_a_delivery_verifies_with_the_public_library(db: Database) -> None:
    with Receiver() as receiver:
        queue_event(db, receiver.url(), recording_path="/data/x.wav")
        assert send_all_due(db, EGRESS, public_base_url="https://calls.example") == 1
        (got,) = receiver.received
    payload = Webhook(SECRET).verify(got.body, got.headers)
    assert payload["id"] == got.headers["webhook-id"]
    assert payload["type"] == "call.completed"
    assert payload["data"]["recording_url"].startswith("https://calls.example/v1/calls/")
    assert got.headers["content-type"] == "application/json"
    row = delivery_rows(db)[0]
    assert (row["status"], row["tries"], row["last_status_code"]) == ("delivered", 1, 200)
    assert row["delivered_at"] is not None


def test_a_failing_receiver_is_tried_five_times_as_planned_under_one_id(timed: Database, clock: Clock) -> None:
    with Receiver(lambda _: Reply(500)) as receiver:
        queue_event(timed, receiver.url())
        tried_at = []
        while statuses(timed) == ["pending"]:
            due_at = delivery_rows(timed)[0]["due_at"]
            assert isinstance(due_at, datetime)
            clock.now = due_at - timedelta(microseconds=1)
            assert send_all_due(timed, EGRESS) == 0
            clock.now = due_at
            assert send_all_due(timed, EGRESS) == 1
            tried_at.append(due_at)
        received = list(receiver.received)
    waits_s = [(later - earlier).total_seconds() for earlier, later in pairwise(tried_at)]
    assert len(received) == 5
    assert all(0.9 * planned <= wait <= 1.1 * planned for wait, planned in zip(waits_s, PLANNED_S, strict=True))
    assert len({got.headers["webhook-id"] for got in received}) == 1
    assert len({got.body for got in received}) == 1
    assert len({got.headers["webhook-timestamp"] for got in received}) == 5
    row = delivery_rows(timed)[0]
    assert (row["status"], row["tries"], row["last_error"]) == ("failed", 5, "answered 500")


def test_a_dead_receiver_is_given_up_after_five_tries(timed: Database, clock: Clock) -> None:
    with Receiver() as gone:
        url = gone.url()
    queue_event(timed, url)
    while statuses(timed) == ["pending"]:
        assert send_all_due(timed, EGRESS) == 1
        clock.advance(hours=2)
    row = delivery_rows(timed)[0]
    assert (row["status"], row["tries"], row["last_status_code"]) == ("failed", 5, None)
    assert str(row["last_error"]).startswith("failed: ")


def test_a_receiver_that_recovers_gets_its_event(timed: Database, clock: Clock) -> None:
    replies = [Reply(503), Reply(302, {"location": "http://127.0.0.1/"}), Reply(204)]
    with Receiver(lambda _: replies.pop(0)) as receiver:
        queue_event(timed, receiver.url())
        for _ in range(3):
            send_all_due(timed, EGRESS)
            clock.advance(hours=2)
    assert statuses(timed) == ["delivered"]
    assert delivery_rows(timed)[0]["tries"] == 3


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_moves_the_next_try_later(timed: Database, clock: Clock, status: int) -> None:
    with Receiver(lambda _: Reply(status, {"retry-after": "7200"})) as receiver:
        queue_event(timed, receiver.url())
        send_all_due(timed, EGRESS)
    assert delivery_rows(timed)[0]["due_at"] == clock.now + timedelta(hours=2)


def test_retry_after_as_a_date_is_honoured_up_to_a_day(timed: Database, clock: Clock) -> None:
    asked = format_datetime(clock.now + timedelta(hours=3), usegmt=True)
    with Receiver(lambda _: Reply(503, {"retry-after": asked})) as receiver:
        queue_event(timed, receiver.url())
        send_all_due(timed, EGRESS)
    assert delivery_rows(timed)[0]["due_at"] == clock.now + timedelta(hours=3)


@pytest.mark.parametrize("value", ["1", "-5", "soon", "", "9" * 400, "Thu, 99 Foo 2026 00:00:00 GMT"])
def test_a_retry_after_that_is_early_or_odd_never_hastens_the_plan_nor_exceeds_a_day(
    timed: Database, clock: Clock, value: str
) -> None:
    with Receiver(lambda _: Reply(429, {"retry-after": value})) as receiver:
        queue_event(timed, receiver.url())
        send_all_due(timed, EGRESS)
    due_at = delivery_rows(timed)[0]["due_at"]
    assert isinstance(due_at, datetime)
    assert timedelta(seconds=54) <= due_at - clock.now <= timedelta(hours=24)


def test_a_gone_receiver_gets_nothing_more_for_a_day_and_then_the_next_event(timed: Database, clock: Clock) -> None:
    replies = {"gone": Reply(410)}
    with Receiver(lambda got: replies.get(got.path.strip("/"), Reply())) as receiver:
        account_id = queue_event(timed, receiver.url("/gone"))
        queue_event(timed, receiver.url("/gone"), account_id=account_id)
        queue_event(timed, receiver.url("/other"), account_id=account_id)
        send_all_due(timed, EGRESS)
        clock.advance(minutes=5)
        send_all_due(timed, EGRESS)
        queue_event(timed, receiver.url("/gone"), account_id=account_id)
        assert send_all_due(timed, EGRESS) == 0
        assert statuses(timed) == ["disabled", "disabled", "delivered", "disabled"]
        assert [got.path for got in receiver.received].count("/gone") <= 2
        replies.clear()
        clock.advance(hours=25)
        queue_event(timed, receiver.url("/gone"), account_id=account_id)
        send_all_due(timed, EGRESS)
    assert statuses(timed)[-1] == "delivered"


def test_a_redirect_is_a_failure_and_is_not_followed(timed: Database) -> None:
    with Receiver() as canary, Receiver(lambda _: Reply(307, {"location": canary.url()})) as receiver:
        queue_event(timed, receiver.url())
        send_all_due(timed, EGRESS)
        assert (len(receiver.received), canary.received) == (1, [])
    assert delivery_rows(timed)[0]["last_error"] == "answered 307"


def test_a_private_receiver_is_refused_at_every_try_without_a_connection(timed: Database) -> None:
    with Receiver() as canary:
        queue_event(timed, canary.url())
        send_all_due(timed, Egress(allow_private=False))
        assert canary.received == []
    row = delivery_rows(timed)[0]
    assert (row["status"], row["tries"], row["last_error"]) == ("pending", 1, "refused: the URL must use https")


def test_one_bell_sends_everything_due_in_its_lane(db: Database) -> None:
    with Receiver() as receiver:
        account_id = an_account(db)
        for _ in range(7):
            queue_event(db, receiver.url(), account_id=account_id)
        bells = RecordingAnnouncer()
        assert sweep_deliveries(db, bells) == 2
        delivery_id, token = bells.deliveries[0]
        assert send_delivery(db, delivery_id, token, EGRESS)
        assert len(receiver.received) == 6
        assert sorted(map(str, statuses(db))) == ["delivered"] * 6 + ["pending"]


def test_the_payload_of_a_try_is_the_one_of_the_event(timed: Database, clock: Clock) -> None:
    bodies: list[bytes] = []

    def remember(got: Received) -> Reply:
        bodies.append(got.body)
        return Reply(500 if len(bodies) == 1 else 200)

    with Receiver(remember) as receiver:
        queue_event(timed, receiver.url())
        send_all_due(timed, EGRESS)
        clock.advance(minutes=5)
        send_all_due(timed, EGRESS)
    assert bodies[0] == bodies[1]
    assert json.loads(bodies[0])["created_at"] == datetime(2026, 3, 2, 15, tzinfo=UTC).isoformat().replace(
        "+00:00", "Z"
    )
