"""Caps, media slots, fair shares and money bound what a tick may claim; all are counted from live rows."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

from dispatcher.services.claim import claim_direct, claim_due
from dispatcher.services.pausing import resume_paid
from dispatcher.services.record import record_call
from dispatcher.store.db import Database
from dispatcher.store.quota import grant
from schema.outcomes import EndReason, Outcome
from tests.builders.announcer import RecordingAnnouncer
from tests.builders.clock import Clock
from tests.builders.lives import a_result, beat, dialled, take
from tests.builders.rows import (
    a_campaign,
    a_number,
    a_worker,
    an_accepted_call,
    an_account,
    balance_row,
    call_rows,
    campaign_row,
    events_sent,
    some_leads,
)


def pacing(*, live: int = 1_000, per_minute: int = 10_000, **more: int) -> dict[str, int]:
    return {"max_concurrent_calls": live, "calls_per_minute": per_minute, **more}


def test_media_slots_bound_the_claims_and_free_themselves_when_calls_end(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 10)
    a_worker(db, slots=3)
    assert claim_due(db, announcer) == 3
    assert claim_due(db, announcer) == 0
    spec = take(db, announcer.claims[0])
    assert spec is not None
    assert claim_due(db, announcer) == 0
    record_call(db, announcer, a_result(spec, clock.now))
    assert claim_due(db, announcer) == 1


def test_silent_and_draining_workers_offer_no_slots(db: Database, announcer: RecordingAnnouncer, clock: Clock) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 10)
    a_worker(db, "media-silent", slots=5)
    clock.advance(seconds=16)
    a_worker(db, "media-draining", slots=5, draining=True)
    assert claim_due(db, announcer) == 0
    a_worker(db, "media-fresh", slots=2)
    assert claim_due(db, announcer) == 2


def test_calls_of_a_draining_worker_take_no_slots_from_the_others(db: Database, announcer: RecordingAnnouncer) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 10)
    a_worker(db, "media-1", slots=4)
    assert claim_due(db, announcer) == 4
    assert all(take(db, claim) for claim in announcer.claims)
    with db.transaction() as tx:
        tx.connection.exec_driver_sql("update media_workers set draining = true")
    a_worker(db, "media-2", slots=3)
    assert claim_due(db, announcer) == 3


def test_the_accounts_caps_hold_over_all_its_campaigns_and_direct_calls(
    db: Database, announcer: RecordingAnnouncer
) -> None:
    account = an_account(db, max_concurrent_calls=7)
    some_leads(db, a_campaign(db, account), 10)
    some_leads(db, a_campaign(db, account), 10, first=10)
    for index in range(3):
        an_accepted_call(db, account, number=a_number(100 + index))
    a_worker(db)
    assert claim_due(db, announcer) == 7


def test_starts_per_minute_roll(db: Database, announcer: RecordingAnnouncer, clock: Clock) -> None:
    account = an_account(db, max_calls_per_minute=4)
    some_leads(db, a_campaign(db, account), 20)
    beat(db)
    assert claim_due(db, announcer) == 4
    for claim in announcer.claims:
        spec = take(db, claim)
        assert spec is not None
        record_call(db, announcer, a_result(spec, clock.now))
    clock.advance(seconds=59)
    beat(db)
    assert claim_due(db, announcer) == 0
    clock.advance(seconds=1)
    assert claim_due(db, announcer) == 4


def test_a_campaigns_own_caps_hold(db: Database, announcer: RecordingAnnouncer, clock: Clock) -> None:
    account = an_account(db)
    some_leads(db, a_campaign(db, account, pacing=pacing(live=2)), 10)
    some_leads(db, a_campaign(db, account, pacing=pacing(per_minute=3)), 10, first=10)
    some_leads(db, a_campaign(db, account, pacing=pacing(max_calls_per_day=4)), 10, first=20)
    a_worker(db)
    assert claim_due(db, announcer) == 9
    for claim in announcer.claims:
        spec = take(db, claim)
        assert spec is not None
        record_call(db, announcer, a_result(spec, clock.now))
    clock.advance(minutes=2)
    beat(db)
    assert claim_due(db, announcer) == 5
    claimed = Counter(call["campaign_id"] for call in call_rows(db))
    assert sorted(claimed.values()) == [4, 4, 6]
    clock.advance(hours=23, minutes=58)
    beat(db)
    assert claim_due(db, announcer) == 4


def test_free_slots_are_shared_between_accounts_and_by_weight_within_one(
    db: Database, announcer: RecordingAnnouncer
) -> None:
    small, big = an_account(db), an_account(db)
    some_leads(db, a_campaign(db, small), 5)
    light, heavy = (a_campaign(db, big, pacing=pacing(weight=weight)) for weight in (1, 3))
    with db.transaction() as tx:
        tx.connection.exec_driver_sql("update campaigns set weight = 3 where id = %s", (heavy,))
    some_leads(db, light, 100)
    some_leads(db, heavy, 100, first=100)
    a_worker(db, slots=20)
    assert claim_due(db, announcer) == 20
    claimed = Counter(call["campaign_id"] for call in call_rows(db))
    assert claimed[light] + claimed[heavy] == 15
    assert 10 <= claimed[heavy] <= 12


def test_turns_go_round_when_there_is_one_slot_for_many_accounts(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    waiting = {an_account(db) for _ in range(5)}
    for account in waiting:
        some_leads(db, a_campaign(db, account), 5)
    a_worker(db, slots=1)
    for _ in waiting:
        assert claim_due(db, announcer) == 1
        spec = take(db, announcer.claims[-1])
        assert spec is not None
        record_call(db, announcer, a_result(spec, clock.advance(seconds=1)))
    assert {call["account_id"] for call in call_rows(db)} == waiting


def test_a_campaign_that_cannot_pay_pauses_by_itself_and_resumes_when_it_can(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    account = an_account(db, minutes=1)
    campaign = a_campaign(db, account)
    some_leads(db, campaign, 3)
    spec = dialled(db, announcer)
    assert claim_due(db, announcer) == 0
    assert campaign_row(db, campaign)["status"] == "running"
    record_call(db, announcer, a_result(spec, clock.now, talked_s=59))
    beat(db)
    assert claim_due(db, announcer) == 0
    paused = campaign_row(db, campaign)
    assert (paused["status"], paused["status_reason"]) == ("paused", "quota_exhausted")
    assert resume_paid(db) == 0
    with db.transaction() as tx:
        grant(tx, account, 59)
    assert resume_paid(db) == 1
    assert events_sent(db) == ["campaign.paused", "campaign.resumed"]
    assert claim_due(db, announcer) == 1


def test_unanswered_calls_give_their_seconds_back_so_that_the_campaign_goes_on(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    account = an_account(db, minutes=2)
    campaign = a_campaign(db, account)
    some_leads(db, campaign, 4)
    beat(db)
    assert claim_due(db, announcer) == 2
    for claim in announcer.claims[:2]:
        spec = take(db, claim)
        assert spec is not None
        record_call(db, announcer, a_result(spec, clock.now, Outcome.NO_ANSWER, EndReason.DIAL_NO_ANSWER))
    assert claim_due(db, announcer) == 2
    assert campaign_row(db, campaign)["status"] == "running"


def test_a_campaigns_own_budget_is_held_against_its_live_calls(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    account = an_account(db)
    campaign = a_campaign(db, account, quota={"max_minutes": 2})
    some_leads(db, campaign, 5)
    beat(db)
    assert claim_due(db, announcer) == 2
    for claim in announcer.claims:
        spec = take(db, claim)
        assert spec is not None
        record_call(db, announcer, a_result(spec, clock.now, talked_s=50))
    assert claim_due(db, announcer) == 0
    assert campaign_row(db, campaign)["status_reason"] == "quota_exhausted"
    assert balance_row(db, account)["spent_s"] == 100


def test_a_campaign_outside_its_hours_takes_no_slots_from_others(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    account = an_account(db)
    evenings = {"windows": [{"days": ["mon"], "start": "18:00", "end": "20:00"}], "respect_legal_hours": False}
    for index in range(3):
        some_leads(db, a_campaign(db, account, schedule=evenings), 20, first=20 * index)
    some_leads(db, a_campaign(db, account), 20, first=100, next_due_at=clock.now - timedelta(days=1))
    a_worker(db, slots=8)
    assert claim_due(db, announcer) == 8


def test_a_backlog_of_one_account_hides_nobody_elses_direct_call(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    crowded, other = an_account(db, max_concurrent_calls=1), an_account(db)
    for index in range(12):
        an_accepted_call(db, crowded, number=a_number(index))
    clock.advance(seconds=1)
    late = an_accepted_call(db, other)
    a_worker(db, slots=5)
    assert claim_due(db, announcer) == 2
    assert late in {claim.call_id for claim in announcer.claims}


def test_calls_to_a_busy_number_hide_no_call_behind_them(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    account = an_account(db)
    for _ in range(30):
        an_accepted_call(db, account, number=a_number(0))
    clock.advance(seconds=1)
    an_accepted_call(db, account, number=a_number(1))
    a_worker(db, slots=2)
    assert claim_due(db, announcer) == 2


def test_a_limit_of_a_tick_is_kept(db: Database, announcer: RecordingAnnouncer) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 10)
    a_worker(db)
    assert claim_due(db, announcer, limit=4) == 4


def test_a_call_is_claimed_in_the_transaction_that_accepts_it_only_when_there_is_room(db: Database) -> None:
    assert _claimed_at_once(db, an_account(db)) is False
    a_worker(db, slots=2)
    busy = an_account(db, max_concurrent_calls=1)
    assert _claimed_at_once(db, busy)
    assert _claimed_at_once(db, busy) is False
    assert _claimed_at_once(db, an_account(db))
    assert _claimed_at_once(db, an_account(db)) is False


def _claimed_at_once(db: Database, account: UUID) -> bool:
    call_id = an_accepted_call(db, account, number=a_number(len(call_rows(db))))
    with db.transaction() as tx:
        return claim_direct(tx, account, call_id) is not None
