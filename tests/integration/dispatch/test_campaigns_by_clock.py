"""Campaigns that start, end and complete by themselves; each move happens once and is told once."""

from datetime import timedelta

from dispatcher.services.claim import claim_due
from dispatcher.services.finish import advance_campaigns, finish_campaign
from dispatcher.services.record import record_call
from dispatcher.store.db import Database
from tests.builders.announcer import RecordingAnnouncer
from tests.builders.clock import Clock
from tests.builders.lives import a_result, all_dialled, beat, claim_one, dialled, take
from tests.builders.rows import (
    ALL_DAY,
    a_campaign,
    an_accepted_call,
    an_account,
    balance_row,
    call_row,
    campaign_row,
    enrolment_row,
    events_sent,
    some_leads,
)


def schedule(**more: object) -> dict[str, object]:
    return {"windows": [ALL_DAY], "respect_legal_hours": False, **more}


def test_a_scheduled_campaign_starts_at_its_time(db: Database, clock: Clock) -> None:
    start_at = clock.now + timedelta(hours=1)
    campaign = a_campaign(db, an_account(db), status="scheduled", schedule=schedule(start_at=start_at.isoformat()))
    some_leads(db, campaign, 1)
    assert advance_campaigns(db) == 0
    clock.now = start_at
    assert advance_campaigns(db) == 1
    assert advance_campaigns(db) == 0
    assert (campaign_row(db, campaign)["status"], campaign_row(db, campaign)["started_at"]) == ("running", start_at)
    assert events_sent(db) == ["campaign.started"]


def test_the_last_lead_completes_the_campaign_with_one_event(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    campaign = a_campaign(db, an_account(db))
    some_leads(db, campaign, 2)
    first, second = all_dialled(db, announcer)
    record_call(db, announcer, a_result(first, clock.now))
    assert campaign_row(db, campaign)["status"] == "running"
    record_call(db, announcer, a_result(second, clock.now))
    done = campaign_row(db, campaign)
    assert (done["status"], done["status_reason"], done["completed_at"]) == ("completed", "all_leads_done", clock.now)
    assert not finish_campaign(db, campaign)
    assert advance_campaigns(db) == 0
    assert events_sent(db) == ["campaign.completed"]


def test_a_campaign_whose_leads_can_never_be_called_completes_with_the_next_tick(
    db: Database, announcer: RecordingAnnouncer
) -> None:
    campaign = a_campaign(db, an_account(db))
    some_leads(db, campaign, 3, lead={"do_not_call": True})
    beat(db)
    assert claim_due(db, announcer) == 0
    assert advance_campaigns(db) == 1
    assert campaign_row(db, campaign)["status"] == "completed"


def test_a_running_campaign_without_leads_waits_for_some(db: Database) -> None:
    campaign = a_campaign(db, an_account(db))
    assert advance_campaigns(db) == 0
    assert campaign_row(db, campaign)["status"] == "running"


def test_at_its_end_a_campaign_drops_who_waits_and_completes_with_its_last_live_call(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    end_at = clock.now + timedelta(minutes=10)
    campaign = a_campaign(db, an_account(db), schedule=schedule(end_at=end_at.isoformat()))
    (enrolment,) = some_leads(db, campaign, 1)
    spec = dialled(db, announcer)
    (waiting,) = some_leads(db, campaign, 1, first=5, next_due_at=end_at)
    clock.now = end_at
    assert advance_campaigns(db) == 0
    assert (enrolment_row(db, waiting)["state"], enrolment_row(db, enrolment)["state"]) == ("expired", "in_call")
    record_call(db, announcer, a_result(spec, clock.now))
    assert campaign_row(db, campaign)["status"] == "completed"
    assert events_sent(db) == ["campaign.completed"]


def test_a_claim_that_outlives_the_campaigns_end_is_not_dialled(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    end_at = clock.now + timedelta(seconds=5)
    campaign = a_campaign(db, an_account(db), schedule=schedule(end_at=end_at.isoformat()))
    (enrolment,) = some_leads(db, campaign, 1)
    claim = claim_one(db, announcer)
    clock.now = end_at
    assert take(db, claim) is None
    assert enrolment_row(db, enrolment)["state"] == "expired"


def test_an_execution_not_started_by_the_campaigns_end_expires_and_gives_its_seconds_back(
    db: Database, clock: Clock
) -> None:
    end_at = clock.now + timedelta(minutes=1)
    account = an_account(db)
    campaign = a_campaign(db, account, schedule=schedule(end_at=end_at.isoformat()))
    (enrolment,) = some_leads(db, campaign, 1, state="due", next_due_at=end_at)
    call_id = an_accepted_call(
        db, account, campaign_id=campaign, enrolment_id=enrolment, attempt_number=1, execution_key="visit-1234"
    )
    with db.transaction() as tx:
        tx.connection.exec_driver_sql("insert into campaign_spend (campaign_id, held_s) values (%s, 60)", (campaign,))
    clock.now = end_at
    assert advance_campaigns(db) == 1
    assert (call_row(db, call_id)["phase"], enrolment_row(db, enrolment)["state"]) == ("expired", "expired")
    assert balance_row(db, account)["held_s"] == 0
