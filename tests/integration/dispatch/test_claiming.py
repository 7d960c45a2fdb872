"""Who gets claimed, who waits until when, and who is never called."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dispatcher.services.claim import claim_due
from dispatcher.store.db import Database
from dispatcher.store.suppressions import suppress
from tests.builders.announcer import RecordingAnnouncer
from tests.builders.clock import Clock
from tests.builders.lives import beat, claim_one
from tests.builders.rows import (
    a_campaign,
    a_number,
    a_worker,
    an_accepted_call,
    an_account,
    balance_row,
    call_row,
    call_rows,
    enrolment_row,
    some_leads,
)

AFTERNOONS = {"windows": [{"days": ["mon"], "start": "13:00", "end": "18:00"}], "respect_legal_hours": False}


def test_a_due_lead_becomes_a_fenced_and_paid_call_whose_worker_is_rung(
    db: Database, announcer: RecordingAnnouncer
) -> None:
    account = an_account(db)
    (enrolment,) = some_leads(db, a_campaign(db, account), 1)
    claim = claim_one(db, announcer)
    call = call_row(db, claim.call_id)
    assert (call["phase"], call["lease_token"], call["hold_s"]) == ("claimed", claim.lease_token, 60)
    assert enrolment_row(db, enrolment)["state"] == "claimed"
    assert balance_row(db, account)["held_s"] == 60


def test_a_claimed_call_keeps_the_configuration_of_its_policy_version(
    db: Database, announcer: RecordingAnnouncer
) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 1)
    config = call_row(db, claim_one(db, announcer).call_id)["config"]
    assert config == {"task": "Confirm tomorrow's appointment with the patient.", "max_duration": 1, "ring_timeout": 30}


def test_a_lead_outside_its_hours_leaves_the_due_index_until_they_open(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    (enrolment,) = some_leads(db, a_campaign(db, an_account(db), schedule=AFTERNOONS), 1)
    beat(db)
    assert claim_due(db, announcer) == 0
    waits = enrolment_row(db, enrolment)
    opens_at = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
    assert (waits["next_due_at"], waits["blocked_by"], waits["blocked_until"]) == (opens_at, "OUTSIDE_WINDOW", opens_at)
    clock.now = opens_at
    claim_one(db, announcer)
    assert enrolment_row(db, enrolment)["blocked_by"] is None


def test_a_crowd_outside_its_hours_does_not_hide_who_may_be_called(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    campaign = a_campaign(db, an_account(db), schedule=AFTERNOONS)
    some_leads(db, campaign, 300)
    some_leads(db, campaign, 1, first=900, zones=["Europe/Berlin"], next_due_at=clock.now + timedelta(microseconds=1))
    clock.advance(seconds=1)
    a_worker(db, slots=1)
    assert claim_due(db, announcer) == 1
    assert call_row(db, announcer.claims[0].call_id)["phone_number"] == a_number(900)


@dataclass(frozen=True)
class Hopeless:
    """A lead that is never called here, and how its enrolment closes."""

    state: str
    reason: str | None
    lead: dict[str, object] = field(default_factory=dict)
    columns: dict[str, Any] = field(default_factory=dict)


HOPELESS = {
    "do_not_call": Hopeless("skipped", "OPTED_OUT", lead={"do_not_call": True}),
    "unsubscribed": Hopeless("skipped", "OPTED_OUT", lead={"status": "Unsubscribed"}),
    "no_zone": Hopeless("skipped", "ZONE_UNKNOWN", columns={"zones": []}),
    "no_such_number": Hopeless("skipped", "NUMBER_INVALID", columns={"phone_number": "+12125"}),
    "budget_spent": Hopeless("exhausted", None, columns={"attempts_used": 3, "state": "retry_wait"}),
    "permanent": Hopeless("exhausted", None, columns={"last_outcome": "invalid_number", "state": "retry_wait"}),
}


@pytest.mark.parametrize("case", HOPELESS.values(), ids=HOPELESS.keys())
def test_who_is_never_called_is_closed_with_the_reason(
    db: Database, announcer: RecordingAnnouncer, case: Hopeless
) -> None:
    (enrolment,) = some_leads(db, a_campaign(db, an_account(db)), 1, lead=case.lead, **case.columns)
    beat(db)
    assert claim_due(db, announcer) == 0
    closed = enrolment_row(db, enrolment)
    assert (closed["state"], closed["skip_reason"]) == (case.state, case.reason)


def test_a_suppressed_number_is_never_claimed_until_its_suppression_ends(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    account = an_account(db)
    (enrolment,) = some_leads(db, a_campaign(db, account), 1)
    other = an_account(db)
    some_leads(db, a_campaign(db, other), 1)
    with db.transaction() as tx:
        suppress(tx, account, a_number(0), source="api")
        suppress(tx, other, a_number(0), source="api", until=clock.now - timedelta(seconds=1))
    claim = claim_one(db, announcer)
    assert call_row(db, claim.call_id)["account_id"] == other
    assert enrolment_row(db, enrolment)["skip_reason"] == "SUPPRESSED"


def test_a_number_on_a_live_call_waits_across_campaigns_but_not_across_accounts(
    db: Database, announcer: RecordingAnnouncer
) -> None:
    account = an_account(db)
    some_leads(db, a_campaign(db, account), 1)
    claim_one(db, announcer)
    call_id = an_accepted_call(db, account, number=a_number(0))
    assert claim_due(db, announcer) == 0
    assert call_row(db, call_id)["phase"] == "scheduled"
    an_accepted_call(db, an_account(db), number=a_number(0))
    claim_one(db, announcer)


def test_two_accepted_calls_to_one_number_go_one_after_the_other(db: Database, announcer: RecordingAnnouncer) -> None:
    account = an_account(db)
    an_accepted_call(db, account, number=a_number(0))
    an_accepted_call(db, account, number=a_number(0))
    claim_one(db, announcer)
    assert claim_due(db, announcer) == 0


def test_a_call_scheduled_for_later_waits_for_its_time(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    an_accepted_call(db, an_account(db), due_at=clock.now + timedelta(minutes=5))
    beat(db)
    assert claim_due(db, announcer) == 0
    clock.advance(minutes=5)
    claim_one(db, announcer)


@pytest.mark.parametrize("status", ["draft", "scheduled", "paused", "completed", "cancelled"])
def test_only_running_campaigns_claim(db: Database, announcer: RecordingAnnouncer, status: str) -> None:
    some_leads(db, a_campaign(db, an_account(db), status=status), 1)
    beat(db)
    assert claim_due(db, announcer) == 0


def test_retries_are_not_starved_by_fresh_leads_nor_the_other_way_round(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    campaign = a_campaign(db, an_account(db))
    some_leads(db, campaign, 50, next_due_at=clock.now - timedelta(hours=5))
    some_leads(db, campaign, 50, first=50, state="retry_wait", attempts_used=1, last_outcome="busy")
    a_worker(db, slots=40)
    assert claim_due(db, announcer) == 40
    retries = [call for call in call_rows(db) if str(call["phone_number"]) >= a_number(50)]
    assert len(retries) == 30


def test_round_robin_spreads_calls_over_the_caller_ids(db: Database, announcer: RecordingAnnouncer) -> None:
    pool = ["+12125550001", "+12125550002", "+12125550003"]
    campaign = a_campaign(db, an_account(db), from_numbers=pool, from_strategy="round_robin")
    some_leads(db, campaign, 30)
    beat(db)
    assert claim_due(db, announcer) == 30
    shown = [call["from_number"] for call in call_rows(db)]
    assert {number: shown.count(number) for number in pool} == dict.fromkeys(pool, 10)


def test_without_any_caller_id_nobody_is_called_and_the_reason_is_shown(
    db: Database, announcer: RecordingAnnouncer
) -> None:
    (enrolment,) = some_leads(db, a_campaign(db, an_account(db, from_number=None)), 1)
    beat(db)
    assert claim_due(db, announcer) == 0
    assert enrolment_row(db, enrolment)["blocked_by"] == "NUMBER_CAP"
