"""The last gate: what changed between the claim and the take decides, and nothing is spent on what it refuses."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest

from dispatcher.store.db import Database
from dispatcher.store.suppressions import suppress
from schema.states import CampaignStatus
from schema.tables import campaigns, enrolments, leads
from tests.builders.announcer import RecordingAnnouncer
from tests.builders.clock import Clock
from tests.builders.lives import claim_one, take
from tests.builders.rows import (
    a_campaign,
    a_number,
    a_policy,
    a_policy_version,
    an_accepted_call,
    an_account,
    balance_row,
    call_row,
    change,
    enrolment_row,
    lead_row,
    ledger_kinds,
    some_leads,
)

WEEK = {
    "windows": [{"days": ["mon", "tue", "wed", "thu", "fri"], "start": "09:00", "end": "11:00"}],
    "respect_legal_hours": False,
}


def refused(db: Database, announcer: RecordingAnnouncer, spoil: Callable[[], object]) -> UUID:
    """Claim one call, let something happen, and find the take refused with nothing held or spent."""
    claim = claim_one(db, announcer)
    spoil()
    assert take(db, claim) is None
    call = call_row(db, claim.call_id)
    assert (call["phase"], call["attempt_spent"], call["dialing_at"]) == ("cancelled", False, None)
    assert call["end_reason"] == "gate_refused"
    assert ledger_kinds(db, claim.call_id) == ["hold", "settle", "release"]
    account = call["account_id"]
    assert isinstance(account, UUID)
    assert balance_row(db, account)["available_s"] == 60_000
    return claim.call_id


def test_pausing_the_campaign_returns_the_lead_unspent(db: Database, announcer: RecordingAnnouncer) -> None:
    campaign = a_campaign(db, an_account(db))
    (enrolment,) = some_leads(db, campaign, 1)
    refused(db, announcer, lambda: change(db, campaigns, campaign, status=CampaignStatus.PAUSED))
    waits = enrolment_row(db, enrolment)
    assert (waits["state"], waits["attempts_used"], waits["blocked_by"]) == ("pending", 0, "PAUSED")


def test_stopping_the_campaign_expires_the_lead(db: Database, announcer: RecordingAnnouncer) -> None:
    campaign = a_campaign(db, an_account(db))
    (enrolment,) = some_leads(db, campaign, 1)
    refused(db, announcer, lambda: change(db, campaigns, campaign, status=CampaignStatus.CANCELLED))
    assert enrolment_row(db, enrolment)["state"] == "expired"


def test_a_lead_taken_out_of_the_campaign_stays_out(db: Database, announcer: RecordingAnnouncer) -> None:
    (enrolment,) = some_leads(db, a_campaign(db, an_account(db)), 1)
    refused(db, announcer, lambda: change(db, enrolments, enrolment, state="cancelled"))
    assert enrolment_row(db, enrolment)["state"] == "cancelled"


def test_a_window_that_closes_before_the_phone_has_rung_out_sends_the_lead_to_the_next_opening(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    clock.now = datetime(2026, 3, 2, 15, 59, 20, tzinfo=UTC)
    (enrolment,) = some_leads(db, a_campaign(db, an_account(db), schedule=WEEK), 1)
    refused(db, announcer, lambda: clock.advance(seconds=12))
    waits = enrolment_row(db, enrolment)
    assert (waits["state"], waits["blocked_by"]) == ("pending", "OUTSIDE_WINDOW")
    assert waits["next_due_at"] == datetime(2026, 3, 3, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize("change_of_mind", ["do_not_call", "unsubscribed", "suppressed"])
def test_an_opt_out_wins_until_the_last_moment(
    db: Database, announcer: RecordingAnnouncer, change_of_mind: str
) -> None:
    account = an_account(db)
    (enrolment,) = some_leads(db, a_campaign(db, account), 1)
    lead_id = lead_row(db, enrolment)["id"]
    assert isinstance(lead_id, UUID)

    def opt_out() -> None:
        if change_of_mind == "suppressed":
            with db.transaction() as tx:
                suppress(tx, account, a_number(0), source="api")
        elif change_of_mind == "do_not_call":
            change(db, leads, lead_id, do_not_call=True)
        else:
            change(db, leads, lead_id, status="Unsubscribed")

    refused(db, announcer, opt_out)
    closed = enrolment_row(db, enrolment)
    expected = "SUPPRESSED" if change_of_mind == "suppressed" else "OPTED_OUT"
    assert (closed["state"], closed["skip_reason"]) == ("skipped", expected)


def test_rules_edited_after_the_claim_are_the_ones_that_judge(db: Database, announcer: RecordingAnnouncer) -> None:
    campaign = a_campaign(db, an_account(db))
    (enrolment,) = some_leads(db, campaign, 1)
    evenings = {"windows": [{"days": ["mon"], "start": "18:00", "end": "20:00"}], "respect_legal_hours": False}
    refused(db, announcer, lambda: a_policy_version(db, campaign, a_policy(schedule=evenings), version=2))
    assert enrolment_row(db, enrolment)["next_due_at"] == datetime(2026, 3, 2, 23, 0, tzinfo=UTC)


def test_a_suppressed_number_is_not_dialled_by_a_direct_call_either(
    db: Database, announcer: RecordingAnnouncer
) -> None:
    account = an_account(db)
    call_id = an_accepted_call(db, account, number=a_number(7))

    def suppress_it() -> None:
        with db.transaction() as tx:
            suppress(tx, account, a_number(7), source="api")

    assert refused(db, announcer, suppress_it) == call_id


def test_an_execution_the_gate_holds_back_waits_under_its_own_call_id(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    clock.now = datetime(2026, 3, 2, 15, 59, 20, tzinfo=UTC)
    account = an_account(db)
    campaign = a_campaign(db, account, schedule=WEEK)
    (enrolment,) = some_leads(db, campaign, 1, state="due")
    row = enrolment_row(db, enrolment)
    call_id = an_accepted_call(
        db,
        account,
        number=a_number(0),
        campaign_id=campaign,
        lead_id=row["lead_id"],
        enrolment_id=enrolment,
        attempt_number=1,
        execution_key="visit-2026-03",
    )
    claim = claim_one(db, announcer)
    assert claim.call_id == call_id
    clock.advance(seconds=12)
    assert take(db, claim) is None
    assert call_row(db, call_id)["phase"] == "scheduled"
    assert enrolment_row(db, enrolment)["state"] == "due"
    clock.now = datetime(2026, 3, 3, 14, 0, tzinfo=UTC)
    again = claim_one(db, announcer)
    assert (again.call_id, again.lease_token) == (call_id, 2)
    assert take(db, claim) is None
    assert take(db, again) is not None
    assert ledger_kinds(db, call_id) == ["hold"]


def test_the_gate_keeps_what_the_dial_was_judged_by(db: Database, announcer: RecordingAnnouncer) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 1)
    spec = take(db, claim_one(db, announcer))
    assert spec is not None
    gate = call_row(db, spec.call_id)["gate"]
    assert isinstance(gate, dict)
    assert gate["local_times"] == {"America/New_York": "2026-03-02T10:00:00-05:00"}
    assert gate["zone_source"] == "lead"
