"""Claims per second through the real service on a million due enrolments, beside the raw claim of the same rows.

Ours judges every lead by decide(), holds quota, writes call, ledger and enrolment; the baseline only takes due rows in
batches of 100 and marks them, which no dispatcher can beat.
"""

import os

import psycopg

from bench.measure import Figure, per_second, side_by_side
from bench.world import CAMPAIGN_ID, database, fill, fresh_database, plain_url
from dispatcher.announce import SilentAnnouncer
from dispatcher.services.claim import claim_due
from dispatcher.store.db import Database
from schema.policy import PolicyBody

ENROLMENTS = int(os.environ.get("BENCH_ENROLMENTS", "1000000"))
PER_ROUND = 1_500
BATCH = 100
TARGET_PER_S = 1_000
TARGET_RATIO = 0.5

ALWAYS = {
    "call_config": {"task": "Confirm the appointment"},
    "schedule": {
        "windows": [{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "00:00", "end": "24:00"}],
        "respect_legal_hours": False,
    },
    "pacing": {"max_concurrent_calls": 10_000, "calls_per_minute": 100_000},
}

RAW_CLAIM = """
    update enrolments set state = 'claimed', updated_at = now() where id in (
        select id from enrolments where campaign_id = %s and state in ('pending', 'due', 'retry_wait')
        and next_due_at <= now() order by next_due_at, seq limit %s for update skip locked)
"""


def run() -> list[Figure]:
    """Measure both, alternating, on one database."""
    with fresh_database() as url:
        body = PolicyBody.model_validate(ALWAYS).model_dump_json()
        fill(url, body, ENROLMENTS)
        with database(url) as db, psycopg.connect(plain_url(url), autocommit=True) as connection:
            claim_due(db, SilentAnnouncer(), limit=BATCH)
            ours, raw = side_by_side(
                lambda: per_second(lambda: claim_due(db, SilentAnnouncer(), limit=PER_ROUND)),
                lambda: per_second(lambda: _raw(connection)),
            )
            claimed = _claimed(db)
    return [
        Figure(
            f"claims through the service, {ENROLMENTS:,} due",
            "per second",
            f">= {TARGET_PER_S:,} and >= {TARGET_RATIO:.0%} of raw",
            ours,
            baseline=raw,
            baseline_name="raw SKIP LOCKED in batches of 100",
            met=ours >= TARGET_PER_S and ours >= TARGET_RATIO * raw,
            note=claimed,
        )
    ]


def _raw(connection: "psycopg.Connection[tuple[object, ...]]") -> int:
    done = 0
    while done < PER_ROUND:
        done += connection.execute(RAW_CLAIM, (CAMPAIGN_ID, BATCH)).rowcount
    return done


def _claimed(db: Database) -> str:
    with db.transaction() as tx:
        waiting = tx.connection.exec_driver_sql("select count(*) from calls where phase = 'claimed'").scalar_one()
    return f"{waiting} calls claimed in all"
