"""Several dispatchers and workers at once on one database: no call twice, no cap exceeded, no second unspent."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from dispatcher.services.claim import claim_direct, claim_due
from dispatcher.services.record import record_call
from dispatcher.services.rescue import adopt_orphan, rescue
from dispatcher.store.claims import lock_account
from dispatcher.store.db import Database
from dispatcher.store.enrolments import lock_enrolment
from tests.builders.announcer import RecordingAnnouncer
from tests.builders.clock import Clock
from tests.builders.lives import a_result, claim_one, dialled, take
from tests.builders.rows import (
    a_campaign,
    a_worker,
    an_accepted_call,
    an_account,
    balance_row,
    call_rows,
    campaign_row,
    events_sent,
    ledger_kinds,
    some_leads,
)

CLAIMERS = 4


def test_claimers_at_once_never_claim_a_lead_twice_nor_more_than_there_are_slots(db: Database) -> None:
    account = an_account(db)
    some_leads(db, a_campaign(db, account), 200)
    some_leads(db, a_campaign(db, an_account(db)), 200, first=200)
    a_worker(db, slots=150)
    announcer = RecordingAnnouncer()
    start = Barrier(CLAIMERS)

    def claim() -> int:
        start.wait()
        return claim_due(db, announcer, limit=60)

    with ThreadPoolExecutor(CLAIMERS) as pool:
        claimed = sum(future.result() for future in [pool.submit(claim) for _ in range(CLAIMERS)])
    rows = call_rows(db)
    assert 0 < len(rows) == claimed == len(announcer.claims) <= 150
    assert len({row["enrolment_id"] for row in rows}) == len(rows)
    assert balance_row(db, account)["held_s"] == 60 * sum(row["account_id"] == account for row in rows)


def test_of_workers_taking_one_message_at_once_one_gets_the_call(db: Database, announcer: RecordingAnnouncer) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 1)
    claim = claim_one(db, announcer)
    start = Barrier(CLAIMERS)

    def take_it(index: int) -> bool:
        start.wait()
        return take(db, claim, worker=f"media-{index}") is not None

    with ThreadPoolExecutor(CLAIMERS) as pool:
        assert sum(pool.map(take_it, range(CLAIMERS))) == 1


def test_of_results_handed_in_at_once_one_counts(db: Database, announcer: RecordingAnnouncer, clock: Clock) -> None:
    account = an_account(db)
    campaign = a_campaign(db, account)
    some_leads(db, campaign, 1)
    spec = dialled(db, announcer)
    start = Barrier(CLAIMERS)

    def record(_: int) -> bool:
        start.wait()
        return record_call(db, announcer, a_result(spec, clock.now))

    with ThreadPoolExecutor(CLAIMERS) as pool:
        assert sum(pool.map(record, range(CLAIMERS))) == 1
    assert ledger_kinds(db, spec.call_id) == ["hold", "settle", "release"]
    assert events_sent(db) == ["campaign.completed"]


def test_calls_ending_at_once_complete_the_campaign_once(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    campaign = a_campaign(db, an_account(db))
    some_leads(db, campaign, CLAIMERS)
    a_worker(db)
    claim_due(db, announcer)
    specs = [spec for claim in announcer.claims if (spec := take(db, claim)) is not None]
    start = Barrier(CLAIMERS)

    def record(index: int) -> bool:
        start.wait()
        return record_call(db, announcer, a_result(specs[index], clock.now))

    with ThreadPoolExecutor(CLAIMERS) as pool:
        assert all(pool.map(record, range(CLAIMERS)))
    assert campaign_row(db, campaign)["status"] == "completed"
    assert events_sent(db) == ["campaign.completed"]


def test_a_late_take_and_the_rescue_at_once_end_in_one_of_the_two(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    account = an_account(db)
    some_leads(db, a_campaign(db, account), 12)
    a_worker(db)
    claim_due(db, announcer)
    clock.advance(seconds=16)
    with ThreadPoolExecutor(CLAIMERS) as pool:
        rescued = pool.submit(rescue, db, RecordingAnnouncer())
        taken = sum(spec is not None for spec in pool.map(lambda claim: take(db, claim), announcer.claims))
        assert rescued.result() + taken == len(announcer.claims)
    assert balance_row(db, account)["held_s"] == 60 * taken


def test_of_workers_adopting_an_orphan_at_once_one_gets_it(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 1)
    spec = dialled(db, announcer)
    clock.advance(seconds=30)
    start = Barrier(CLAIMERS)

    def adopt(index: int) -> bool:
        start.wait()
        return adopt_orphan(db, spec.call_id, f"media-{index}") is not None

    with ThreadPoolExecutor(CLAIMERS) as pool:
        assert sum(pool.map(adopt, range(CLAIMERS))) == 1


def test_a_lead_another_transaction_holds_is_passed_over_without_waiting(
    db: Database, announcer: RecordingAnnouncer
) -> None:
    held, *_ = some_leads(db, a_campaign(db, an_account(db)), 5)
    a_worker(db)
    with db.transaction() as tx:
        lock_enrolment(tx, held)
        assert claim_due(db, announcer) == 4
    assert claim_due(db, announcer) == 1


def test_accepting_a_call_never_waits_for_a_claimer_of_the_account(db: Database) -> None:
    account = an_account(db)
    a_worker(db)
    call_id = an_accepted_call(db, account)
    with db.transaction() as claimer:
        lock_account(claimer, account)
        with db.transaction() as accepting:
            assert claim_direct(accepting, account, call_id) is None
    with db.transaction() as accepting:
        assert claim_direct(accepting, account, call_id) is not None
