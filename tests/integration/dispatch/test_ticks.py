"""Each tick of a job is run once, however many beats and messages ring for it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from dispatcher.errors import UnknownJob
from dispatcher.services.tick import INTERVALS_S, Job, run_tick
from dispatcher.store.db import Database
from schema.tables import idempotency_keys, ticks
from tests.builders.announcer import RecordingAnnouncer
from tests.builders.clock import Clock
from tests.builders.lives import beat
from tests.builders.rows import a_campaign, an_account, some_leads


def test_a_tick_runs_once_and_the_next_one_again(db: Database, announcer: RecordingAnnouncer, clock: Clock) -> None:
    assert run_tick(db, announcer, "claim")
    assert not run_tick(db, announcer, "claim")
    clock.advance(seconds=1)
    assert run_tick(db, announcer, "claim")


def test_doubled_beats_ringing_at_once_run_each_job_once(db: Database, announcer: RecordingAnnouncer) -> None:
    with ThreadPoolExecutor(8) as pool:
        ran = list(pool.map(lambda job: (job, run_tick(db, announcer, job.value)), list(Job) * 8))
    assert sorted(job for job, done in ran if done) == sorted(Job)


def test_the_claim_tick_claims(db: Database, announcer: RecordingAnnouncer) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 3)
    beat(db)
    run_tick(db, announcer, "claim")
    assert len(announcer.claims) == 3


def test_a_job_nobody_knows_is_refused(db: Database, announcer: RecordingAnnouncer) -> None:
    with pytest.raises(UnknownJob, match="tidy"):
        run_tick(db, announcer, "tidy")


def test_housekeeping_deletes_what_is_past_its_time(db: Database, announcer: RecordingAnnouncer, clock: Clock) -> None:
    account = an_account(db)
    with db.transaction() as tx:
        for key, expires_at in (("old", clock.now - timedelta(1)), ("new", clock.now + timedelta(1))):
            tx.connection.execute(
                insert(idempotency_keys).values(
                    account_id=account, key=key, request_hash=b"", locked_until=clock.now, expires_at=expires_at
                )
            )
        tx.connection.execute(insert(ticks).values(job="claim", tick_at=clock.now - timedelta(hours=2)))
    run_tick(db, announcer, "housekeeping")
    with db.transaction() as tx:
        assert tx.connection.execute(select(idempotency_keys.c.key)).scalars().all() == ["new"]
        assert tx.connection.execute(select(ticks.c.job)).scalars().all() == ["housekeeping"]


def test_every_job_has_an_interval() -> None:
    assert set(INTERVALS_S) == set(Job)
