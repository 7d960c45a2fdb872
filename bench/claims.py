"""Claims per second through the real service on 1,000,000 due enrolments, beside two hand-written claims.

Ours judges every lead by decide(), holds quota, writes call, ledger and enrolment. The raw claim only takes due rows
in batches of 100 over the same index and marks them: nothing can beat it. The bare writes do all that ours writes, in
one statement per batch, and judge nothing.
"""

import psycopg

from bench.databases import ACCOUNT_ID, CAMPAIGN_ID, POLICY_ID, database, fill, fresh_database, plain_url
from bench.measure import Figure, per_second, setting, side_by_side
from dispatcher.announce import SilentAnnouncer
from dispatcher.services.claim import claim_due
from dispatcher.store.db import Database
from schema.policy import PolicyBody

ENROLMENTS = int(setting("BENCH_ENROLMENTS", 1_000_000, 100_000))
PER_ROUND = 900
"""Rounds of all stay below the 10,000 live calls a campaign may have."""
BATCH = 100
HOLD_S = 300
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

_DUE = """
    select id, lead_id, phone_number from enrolments
    where campaign_id = %(campaign_id)s and state = 'pending' and next_due_at <= now()
    order by next_due_at, seq limit %(batch)s for update skip locked
"""
RAW_CLAIM = f"""
    with due as materialized ({_DUE})
    update enrolments e set state = 'claimed', updated_at = now() from due where e.id = due.id
"""
BARE_WRITES = f"""
    with due as materialized ({_DUE}), made as (
        insert into calls (id, account_id, campaign_id, lead_id, enrolment_id, policy_version_id, attempt_number,
            phone_number, from_number, config, phase, lease_token, lease_until, due_at, claimed_at, created_at, hold_s)
        select gen_random_uuid(), %(account_id)s, %(campaign_id)s, lead_id, id, %(policy_id)s, 1, phone_number,
            '+18005551234', (select body -> 'call_config' from policy_versions where id = %(policy_id)s),
            'claimed', 1, now() + interval '15 seconds', now(), now(), now(), %(hold_s)s
        from due on conflict do nothing returning id, enrolment_id
    ), entries as (
        insert into quota_entries (account_id, campaign_id, call_id, kind, amount_s, created_at)
        select %(account_id)s, %(campaign_id)s, id, 'hold', %(hold_s)s, now() from made
    ), held as (
        update quota_accounts set available_s = available_s - %(hold_s)s * (select count(*) from made),
            held_s = held_s + %(hold_s)s * (select count(*) from made), updated_at = now()
        where account_id = %(account_id)s
    ), spend as (
        insert into campaign_spend as spend (campaign_id, held_s)
        select %(campaign_id)s, %(hold_s)s * (select count(*) from made)
        on conflict (campaign_id) do update set held_s = spend.held_s + excluded.held_s
    )
    update enrolments e set state = 'claimed', last_call_id = made.id, updated_at = now()
    from made where e.id = made.enrolment_id
"""
_PARAMETERS = {
    "campaign_id": CAMPAIGN_ID,
    "account_id": ACCOUNT_ID,
    "policy_id": POLICY_ID,
    "batch": BATCH,
    "hold_s": HOLD_S,
}


def run() -> list[Figure]:
    """Measure all three, alternating, on one database."""
    with fresh_database() as url:
        body = PolicyBody.model_validate(ALWAYS).model_dump_json()
        fill(url, body, ENROLMENTS)
        with database(url) as db, psycopg.connect(plain_url(url), autocommit=True) as connection:
            claim_due(db, SilentAnnouncer(), limit=BATCH)
            ours, raw, bare = side_by_side(
                lambda: per_second(lambda: claim_due(db, SilentAnnouncer(), limit=PER_ROUND)),
                lambda: per_second(lambda: _in_batches(connection, RAW_CLAIM)),
                lambda: per_second(lambda: _in_batches(connection, BARE_WRITES)),
            )
            claimed = _claimed(db)
    what = f"claims through the service, {ENROLMENTS:,} due"
    return [
        Figure(
            what,
            "per second",
            f">= {TARGET_PER_S:,} and >= {TARGET_RATIO:.0%} of raw",
            ours,
            baseline=raw,
            baseline_name="the raw SKIP LOCKED claim in batches of 100",
            met=ours >= TARGET_PER_S and ours >= TARGET_RATIO * raw,
            note=f"{claimed:,} calls claimed in all",
        ),
        Figure(
            what,
            "per second",
            "(reported)",
            ours,
            baseline=bare,
            baseline_name="the same rows written by one hand-made statement per 100, nothing judged",
        ),
    ]


def _in_batches(connection: "psycopg.Connection[tuple[object, ...]]", statement: str) -> int:
    done = 0
    while done < PER_ROUND:
        taken = connection.execute(statement, _PARAMETERS).rowcount
        if taken == 0:
            raise RuntimeError("no due enrolments are left; raise BENCH_ENROLMENTS")
        done += taken
    return done


def _claimed(db: Database) -> int:
    with db.transaction() as tx:
        return int(tx.connection.exec_driver_sql("select count(*) from calls where phase = 'claimed'").scalar_one())
