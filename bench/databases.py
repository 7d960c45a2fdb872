"""Databases for the benches: a fresh one in the embedded stack, filled by SQL so that a million rows take seconds."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from sqlalchemy.engine import make_url

from deploy.embedded.stack import controlled_stack
from dispatcher.store.db import Database
from schema.migrations.run import upgrade

ACCOUNT_ID = uuid.UUID(int=1)
CAMPAIGN_ID = uuid.UUID(int=2)
POLICY_ID = uuid.UUID(int=3)


@contextmanager
def fresh_database() -> Iterator[str]:
    """Yield the URL of a migrated, empty database of servers of its own; everything is gone afterwards."""
    with TemporaryDirectory() as folder, controlled_stack(Path(folder) / "stack") as stack:
        upgrade(stack.addresses.database_url)
        yield stack.addresses.database_url


def plain_url(database_url: str) -> str:
    """Give the URL as psycopg itself takes it."""
    return make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)


def fill(database_url: str, policy_body: str, enrolments: int) -> None:
    """Insert one account with ample quota, one running campaign and that many due enrolments."""
    with psycopg.connect(plain_url(database_url), autocommit=True) as connection:
        connection.execute(
            "insert into accounts (id, name, webhook_secret, from_number, max_concurrent_calls, max_calls_per_minute)"
            " values (%s, 'bench', 'whsec_', '+18005551234', 1000000, 1000000)",
            (ACCOUNT_ID,),
        )
        connection.execute(
            "insert into quota_accounts (account_id, granted_s, available_s) values (%s, 1000000000, 1000000000)",
            (ACCOUNT_ID,),
        )
        connection.execute(
            "insert into campaigns (id, account_id, name, status, policy_version_id)"
            " values (%s, %s, 'bench', 'running', %s)",
            (CAMPAIGN_ID, ACCOUNT_ID, POLICY_ID),
        )
        connection.execute(
            "insert into policy_versions (id, account_id, campaign_id, version, body, body_hash)"
            " values (%s, %s, %s, 1, %s, '')",
            (POLICY_ID, ACCOUNT_ID, CAMPAIGN_ID, policy_body),
        )
        connection.execute(
            "insert into leads (id, account_id, phone_number, name)"
            " select ('00000000-0000-0000-0001-' || lpad(to_hex(n), 12, '0'))::uuid, %s,"
            " '+1212' || lpad((2000000 + n)::text, 7, '0'), 'Lead ' || n from generate_series(1, %s) n",
            (ACCOUNT_ID, enrolments),
        )
        connection.execute(
            "insert into enrolments (account_id, campaign_id, lead_id, phone_number, zones, zone_source, next_due_at)"
            " select %s, %s, id, phone_number, array['America/New_York'], 'number', now() - interval '1 minute'"
            " from leads",
            (ACCOUNT_ID, CAMPAIGN_ID),
        )
        connection.execute(
            "insert into media_workers (id, address, slots, heartbeat_at)"
            " values ('bench', 'ws://bench', 1000000, now() + interval '1 hour')"
        )
        connection.execute("vacuum analyze")


@contextmanager
def database(url: str) -> Iterator[Database]:
    """Open the services' view of a database."""
    opened = Database(url)
    try:
        yield opened
    finally:
        opened.dispose()
