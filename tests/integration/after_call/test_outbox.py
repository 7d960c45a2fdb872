"""Which events are queued for whom, and that they live and die with the transaction that reports them."""

import json
from uuid import UUID

import pytest

from dispatcher.services.events import emit_call_event, emit_campaign_event
from dispatcher.services.webhook_payload import INLINE_TRANSCRIPT_BYTES
from dispatcher.store.db import Database
from schema.callspec import Turn
from schema.events import EventType
from tests.builders.rows import an_account, some_leads
from tests.integration.after_call.rows import SAID, a_call, a_campaign, delivery_rows

OURS = "https://ours.example/hook"
THEIRS = "https://theirs.example/hook"


class Undone(Exception):
    pass


def emit(db: Database, call_id: UUID, event: EventType = EventType.CALL_COMPLETED) -> None:
    with db.transaction() as tx:
        emit_call_event(tx, call_id, event)


def emit_and_fail(db: Database, call_id: UUID) -> None:
    with db.transaction() as tx:
        emit_call_event(tx, call_id, EventType.CALL_COMPLETED)
        raise Undone


def test_a_call_without_a_webhook_queues_nothing(db: Database) -> None:
    emit(db, a_call(db, an_account(db)))
    assert delivery_rows(db) == []


def test_the_envelope_holds_the_calls_record(db: Database) -> None:
    account_id = an_account(db)
    call_id = a_call(db, account_id, config={"webhook_url": OURS}, call_summary="Confirmed.", disposition="no_outcome")
    emit(db, call_id)
    (row,) = delivery_rows(db)
    payload = row["payload"]
    assert isinstance(payload, dict)
    assert {key: payload[key] for key in ("type", "api_version", "account_id")} == {
        "type": "call.completed",
        "api_version": "v1",
        "account_id": str(account_id),
    }
    data = payload["data"]
    assert (data["call_id"], data["call_summary"], data["duration"]) == (str(call_id), "Confirmed.", 2.5)
    assert [line["user"] for line in data["transcript"]] == ["assistant", "user"]
    assert (row["host"], row["status"], row["tries"]) == ("ours.example", "pending", 0)


def test_an_event_repeated_is_queued_once(db: Database) -> None:
    call_id = a_call(db, an_account(db), config={"webhook_url": OURS})
    emit(db, call_id)
    emit(db, call_id)
    assert len(delivery_rows(db)) == 1


def test_an_event_of_a_transaction_that_fails_was_never_queued(db: Database) -> None:
    call_id = a_call(db, an_account(db), config={"webhook_url": OURS})
    with pytest.raises(Undone):
        emit_and_fail(db, call_id)
    assert delivery_rows(db) == []


def test_the_call_and_its_campaign_are_both_told_and_a_shared_url_once(db: Database) -> None:
    account_id = an_account(db)
    campaign_id, version_id = a_campaign(db, account_id, webhook_url=THEIRS)
    ids = {"campaign_id": campaign_id, "policy_version_id": version_id}
    emit(db, a_call(db, account_id, config={"webhook_url": OURS}, said=SAID, **ids))
    emit(db, a_call(db, account_id, config={"webhook_url": THEIRS}, said=SAID, **ids))
    rows = delivery_rows(db)
    assert [row["url"] for row in rows] == [OURS, THEIRS, THEIRS]
    first, second, third = [json.loads(json.dumps(row["payload"], default=str))["id"] for row in rows]
    assert first == second != third


def test_webhook_events_narrow_what_is_sent(db: Database) -> None:
    account_id = an_account(db)
    call_id = a_call(db, account_id, config={"webhook_url": OURS, "webhook_events": ["call.failed"]})
    emit(db, call_id, EventType.CALL_COMPLETED)
    assert delivery_rows(db) == []
    emit(db, call_id, EventType.CALL_FAILED)
    assert [row["event_type"] for row in delivery_rows(db)] == ["call.failed"]


def test_a_cancelled_call_is_told_only_where_it_is_asked_for(db: Database) -> None:
    account_id = an_account(db)
    emit(db, a_call(db, account_id, config={"webhook_url": OURS}), EventType.CALL_CANCELLED)
    assert delivery_rows(db) == []
    wanted = {"webhook_url": OURS, "webhook_events": ["call.cancelled"]}
    emit(db, a_call(db, account_id, config=wanted), EventType.CALL_CANCELLED)
    assert len(delivery_rows(db)) == 1


def test_a_transcript_too_long_to_inline_is_left_behind_its_link(db: Database) -> None:
    long = Turn(1, "callee", "x" * (INLINE_TRANSCRIPT_BYTES + 1), 0, 1_000)
    call_id = a_call(db, an_account(db), config={"webhook_url": OURS}, said=(long,))
    emit(db, call_id)
    payload = delivery_rows(db)[0]["payload"]
    assert isinstance(payload, dict)
    assert payload["data"]["transcript"] is None
    assert payload["data"]["transcript_url"] == f"/v1/calls/{call_id}/transcript"


def test_a_url_that_cannot_be_read_loses_no_transaction(db: Database) -> None:
    emit(db, a_call(db, an_account(db), config={"webhook_url": "https://[broken/hook"}))
    assert [row["host"] for row in delivery_rows(db)] == [""]


def test_a_campaigns_events_carry_its_statistics_and_each_pause_is_told(db: Database) -> None:
    account_id = an_account(db)
    campaign_id, _ = a_campaign(db, account_id, webhook_url=THEIRS)
    some_leads(db, campaign_id, 1)
    for event in (EventType.CAMPAIGN_STARTED, EventType.CAMPAIGN_PAUSED, EventType.CAMPAIGN_PAUSED):
        with db.transaction() as tx:
            emit_campaign_event(tx, campaign_id, event)
    with db.transaction() as tx:
        emit_campaign_event(tx, campaign_id, EventType.CAMPAIGN_STARTED)
    rows = delivery_rows(db)
    assert [row["event_type"] for row in rows] == ["campaign.started", "campaign.paused", "campaign.paused"]
    payload = rows[0]["payload"]
    assert isinstance(payload, dict)
    assert payload["data"]["name"] == "Recall"
    assert payload["data"]["stats"]["leads"]["pending"] == 1
    assert len({row["payload"]["id"] for row in rows}) == 3  # type: ignore[index]
