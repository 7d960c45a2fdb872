"""One call from due to done: what is written at each step, and that nothing is written twice."""

from dataclasses import replace
from datetime import timedelta

import pytest

from dispatcher.services.record import record_call
from dispatcher.store.db import Database
from dispatcher.store.suppressions import is_suppressed
from dispatcher.store.transcripts import turns_of
from schema.callspec import ToolCall
from schema.outcomes import EndReason, Outcome
from schema.states import CallPhase
from tests.builders.announcer import RecordingAnnouncer
from tests.builders.clock import Clock
from tests.builders.lives import SAID, a_result, beat, claim_one, dialled, lease_of, progress_of, take
from tests.builders.rows import (
    a_campaign,
    a_number,
    an_accepted_call,
    an_account,
    balance_row,
    call_row,
    enrolment_row,
    events_sent,
    lead_row,
    ledger_kinds,
    some_leads,
)


def test_a_conversation_is_recorded_paid_and_handed_to_analysis(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    account = an_account(db, rounding_s=6)
    (enrolment,) = some_leads(db, a_campaign(db, account), 1)
    spec = dialled(db, announcer)
    assert enrolment_row(db, enrolment)["state"] == "in_call"
    steps = tuple(
        progress_of(spec, phase, clock.advance(seconds=1), provider_call_id="CA1")
        for phase in (CallPhase.DIALING, CallPhase.RINGING, CallPhase.ANSWERED)
    )
    assert not beat(db, lease_of(spec), progress=steps).lost
    assert call_row(db, spec.call_id)["phase"] == "answered"
    clock.advance(seconds=42)
    assert record_call(db, announcer, a_result(spec, clock.now, talked_s=42.4))
    call = call_row(db, spec.call_id)
    assert (call["phase"], call["outcome"], call["billed_s"], call["completed"]) == ("ended", "human", 48, False)
    assert balance_row(db, account) == {"granted_s": 60_000, "available_s": 59_952, "held_s": 0, "spent_s": 48}
    assert ledger_kinds(db, spec.call_id) == ["hold", "settle", "release"]
    assert announcer.analyses == [(spec.call_id, 0)]
    with db.transaction() as tx:
        assert turns_of(tx, (spec.call_id,))[spec.call_id] == SAID
    assert (lead_row(db, enrolment)["status"], lead_row(db, enrolment)["attempts_total"]) == ("Contacted", 1)
    assert enrolment_row(db, enrolment)["state"] == "completed"
    assert events_sent(db) == ["campaign.completed"]


def test_nobody_answering_is_told_at_once_costs_nothing_and_is_tried_again_by_the_plan(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    account = an_account(db)
    retry = {"max_attempts": 2, "delays_minutes": [30], "jitter_pct": 0}
    (enrolment,) = some_leads(db, a_campaign(db, account, retry=retry), 1)
    spec = dialled(db, announcer)
    ended_at = clock.advance(seconds=30)
    assert record_call(db, announcer, a_result(spec, ended_at, Outcome.NO_ANSWER, EndReason.DIAL_NO_ANSWER))
    waits = enrolment_row(db, enrolment)
    assert (waits["state"], waits["attempts_used"]) == ("retry_wait", 1)
    assert waits["next_due_at"] == ended_at + timedelta(minutes=30)
    assert balance_row(db, account)["available_s"] == 60_000
    assert events_sent(db) == ["call.failed"]
    clock.advance(minutes=31)
    again = dialled(db, announcer)
    assert call_row(db, again.call_id)["attempt_number"] == 2
    assert record_call(db, announcer, a_result(again, clock.now, Outcome.NO_ANSWER, EndReason.DIAL_NO_ANSWER))
    assert enrolment_row(db, enrolment)["state"] == "exhausted"


def test_a_carrier_refusal_backs_off_seconds_without_spending_an_attempt(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    (enrolment,) = some_leads(db, a_campaign(db, an_account(db)), 1)
    spec = dialled(db, announcer)
    assert record_call(db, announcer, a_result(spec, clock.now, Outcome.CARRIER_REFUSED, EndReason.CARRIER_REFUSED))
    waits = enrolment_row(db, enrolment)
    assert (waits["attempts_used"], waits["refusals_used"]) == (0, 1)
    assert waits["next_due_at"] == clock.now + timedelta(seconds=30)
    clock.advance(seconds=31)
    again = dialled(db, announcer)
    assert call_row(db, again.call_id)["attempt_number"] == 1


def test_a_fault_of_ours_is_not_billed(db: Database, announcer: RecordingAnnouncer, clock: Clock) -> None:
    account = an_account(db)
    some_leads(db, a_campaign(db, account), 1)
    spec = dialled(db, announcer)
    result = a_result(spec, clock.now, Outcome.FAILED, EndReason.PROVIDER_CLOSED, talked_s=20)
    assert record_call(db, announcer, result)
    assert balance_row(db, account)["spent_s"] == 0


def test_asking_not_to_be_called_bars_the_number_in_the_same_transaction(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    account = an_account(db)
    (enrolment,) = some_leads(db, a_campaign(db, account), 1)
    spec = dialled(db, announcer)
    assert record_call(db, announcer, a_result(spec, clock.now, opted_out=True))
    assert (lead_row(db, enrolment)["status"], lead_row(db, enrolment)["do_not_call"]) == ("Unsubscribed", True)
    with db.transaction() as tx:
        assert is_suppressed(tx, account, a_number(0))


def test_a_direct_call_goes_the_same_road_without_a_campaign(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    account = an_account(db)
    call_id = an_accepted_call(db, account)
    spec = dialled(db, announcer)
    assert spec.call_id == call_id
    assert record_call(db, announcer, a_result(spec, clock.now, Outcome.BUSY, EndReason.DIAL_BUSY))
    assert balance_row(db, account)["held_s"] == 0
    assert events_sent(db) == ["call.failed"]


def test_templates_are_filled_from_the_lead_as_it_stands_at_the_take(
    db: Database, announcer: RecordingAnnouncer
) -> None:
    config = {"task": "Confirm {{name}}'s visit to {{city}}.", "request_data": {"city": "Boston"}}
    campaign = a_campaign(db, an_account(db), call_config=config)
    some_leads(db, campaign, 1, lead={"name": "John"})
    assert dialled(db, announcer).config.task == "Confirm John's visit to Boston."


def test_the_second_of_two_same_messages_gets_nothing(db: Database, announcer: RecordingAnnouncer) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 1)
    claim = claim_one(db, announcer)
    assert take(db, claim) is not None
    assert take(db, claim, worker="media-2") is None


def test_the_second_of_two_results_changes_nothing(db: Database, announcer: RecordingAnnouncer, clock: Clock) -> None:
    account = an_account(db)
    (enrolment,) = some_leads(db, a_campaign(db, account), 1)
    spec = dialled(db, announcer)
    assert record_call(db, announcer, a_result(spec, clock.now))
    before = (call_row(db, spec.call_id), balance_row(db, account), enrolment_row(db, enrolment), events_sent(db))
    assert not record_call(db, announcer, a_result(spec, clock.now, Outcome.BUSY, EndReason.DIAL_BUSY))
    after = (call_row(db, spec.call_id), balance_row(db, account), enrolment_row(db, enrolment), events_sent(db))
    assert after == before


@pytest.mark.parametrize("token", [0, 2])
def test_a_result_under_another_fence_changes_nothing(
    db: Database, announcer: RecordingAnnouncer, clock: Clock, token: int
) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 1)
    spec = dialled(db, announcer)
    assert not record_call(db, announcer, a_result(spec, clock.now, lease_token=token))
    assert call_row(db, spec.call_id)["phase"] == "dialing"


def test_what_the_database_cannot_hold_is_dropped_not_the_call(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 1)
    spec = dialled(db, announcer)
    tool = ToolCall("book", {"day\x00": "mon\x00"}, {"ok": True}, 100, 5)
    result = replace(a_result(spec, clock.now), error_message="o\x00dd", tool_calls=(tool,))
    assert record_call(db, announcer, result)
    call = call_row(db, spec.call_id)
    assert call["error_message"] == "odd"
    assert call["tool_calls"] == [
        {"name": "book", "arguments": {"day": "mon"}, "result": {"ok": True}, "at_ms": 100, "took_ms": 5}
    ]
