"""Rows with defaults, written straight into the tables: an account with quota, a running campaign, leads, workers."""

import base64
import hashlib
import json
from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy import Table, insert, select, update

from dispatcher.store.db import Database
from dispatcher.store.quota import Hold, grant, hold
from schema.events import DEFAULT_CALL_EVENTS, EventType
from schema.tables import (
    accounts,
    calls,
    campaigns,
    deliveries,
    enrolments,
    leads,
    media_workers,
    policy_versions,
    quota_accounts,
    quota_entries,
)

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
TASK = "Confirm tomorrow's appointment with the patient."
CALLER_ID = "+18005551234"
WEBHOOK = "https://receiver.example/hooks"
ALL_DAY = {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "00:00", "end": "24:00"}
ALL_EVENTS = [event.value for event in (*DEFAULT_CALL_EVENTS, EventType.CALL_CANCELLED)]


def a_number(index: int) -> str:
    """Return the index-th of 800,000 valid New York numbers."""
    return f"+1212{2_000_000 + index:07d}"


def an_account(db: Database, *, minutes: int = 1_000, **columns: object) -> UUID:
    """Write an account with quota and room for many calls."""
    account_id = uuid4()
    values: dict[str, object] = {
        "id": account_id,
        "name": "Bright Dental",
        "webhook_secret": SECRET,
        "from_number": CALLER_ID,
        "max_concurrent_calls": 1_000,
        "max_calls_per_minute": 10_000,
        **columns,
    }
    with db.transaction() as tx:
        tx.connection.execute(insert(accounts).values(values))
        if minutes:
            grant(tx, account_id, minutes * 60)
    return account_id


def a_policy(**changes: object) -> dict[str, object]:
    """Return a policy body: open all day, a call of one minute, everybody told of everything."""
    return {
        "call_config": {"task": TASK, "max_duration": 1, "ring_timeout": 30},
        "schedule": {"windows": [ALL_DAY], "respect_legal_hours": False, "timezone": "America/New_York"},
        "pacing": {"max_concurrent_calls": 1_000, "calls_per_minute": 10_000},
        "webhook_url": WEBHOOK,
        "webhook_events": [
            *ALL_EVENTS,
            "campaign.paused",
            "campaign.resumed",
            "campaign.completed",
            "campaign.started",
        ],
        **changes,
    }


def a_campaign(db: Database, account_id: UUID, *, status: str = "running", **body: object) -> UUID:
    """Write a campaign with one policy version."""
    campaign_id = uuid4()
    policy = a_policy(**body)
    schedule = policy["schedule"]
    assert isinstance(schedule, dict)
    with db.transaction() as tx:
        tx.connection.execute(
            insert(campaigns).values(
                id=campaign_id,
                account_id=account_id,
                name="Recall",
                status=status,
                start_at=schedule.get("start_at"),
                end_at=schedule.get("end_at"),
            )
        )
    a_policy_version(db, campaign_id, policy)
    return campaign_id


def a_policy_version(db: Database, campaign_id: UUID, policy: dict[str, object], *, version: int = 1) -> UUID:
    """Write one more version of a campaign's rules and let the campaign follow it."""
    version_id = uuid4()
    with db.transaction() as tx:
        query = select(campaigns.c.account_id).where(campaigns.c.id == campaign_id)
        tx.connection.execute(
            insert(policy_versions).values(
                id=version_id,
                account_id=tx.connection.execute(query).scalar_one(),
                campaign_id=campaign_id,
                version=version,
                body=policy,
                body_hash=hashlib.sha256(json.dumps(policy).encode()).digest(),
            )
        )
        statement = update(campaigns).where(campaigns.c.id == campaign_id)
        tx.connection.execute(statement.values(policy_version_id=version_id))
    return version_id


def some_leads(
    db: Database,
    campaign_id: UUID,
    count: int,
    *,
    first: int = 0,
    zones: Sequence[str] = ("America/New_York",),
    lead: dict[str, object] | None = None,
    **columns: object,
) -> tuple[UUID, ...]:
    """Write leads and their enrolments, due now unless columns say otherwise; return the enrolments' ids."""
    with db.transaction() as tx:
        query = select(campaigns.c.account_id).where(campaigns.c.id == campaign_id)
        account_id = tx.connection.execute(query).scalar_one()
        people = [
            {"id": uuid4(), "account_id": account_id, "phone_number": a_number(first + index), **(lead or {})}
            for index in range(count)
        ]
        tx.connection.execute(insert(leads), people)
        rows = [
            {
                "id": uuid4(),
                "account_id": account_id,
                "campaign_id": campaign_id,
                "lead_id": person["id"],
                "phone_number": person["phone_number"],
                "zones": list(zones),
                "zone_source": "lead",
                "next_due_at": tx.now,
                **columns,
            }
            for person in people
        ]
        tx.connection.execute(insert(enrolments), rows)
    return tuple(UUID(str(row["id"])) for row in rows)


def a_worker(db: Database, worker_id: str = "media-1", *, slots: int = 50, draining: bool = False) -> str:
    """Write a media worker that was heard of just now."""
    with db.transaction() as tx:
        tx.connection.execute(
            insert(media_workers).values(
                id=worker_id, address="ws://127.0.0.1:9", slots=slots, draining=draining, heartbeat_at=tx.now
            )
        )
    return worker_id


def an_accepted_call(
    db: Database, account_id: UUID, *, number: str = "+12125550100", hold_s: int = 60, **columns: object
) -> UUID:
    """Write a call outside campaigns as the API accepts it: scheduled, due now, its seconds held."""
    call_id = uuid4()
    values: dict[str, object] = {
        "id": call_id,
        "account_id": account_id,
        "phone_number": number,
        "from_number": CALLER_ID,
        "config": {"task": TASK, "max_duration": 1, "webhook_url": WEBHOOK, "webhook_events": ALL_EVENTS},
        "hold_s": hold_s,
        **columns,
    }
    with db.transaction() as tx:
        tx.connection.execute(insert(calls).values({"due_at": tx.now, "created_at": tx.now, **values}))
        assert hold(tx, account_id, [Hold(call_id, None, hold_s)])
    return call_id


def call_row(db: Database, call_id: UUID) -> dict[str, object]:
    """Read one call as stored."""
    with db.transaction() as tx:
        return dict(tx.connection.execute(select(calls).where(calls.c.id == call_id)).mappings().one())


def call_rows(db: Database) -> list[dict[str, object]]:
    """Read every call as stored."""
    with db.transaction() as tx:
        return [dict(row) for row in tx.connection.execute(select(calls).order_by(calls.c.created_at)).mappings()]


def enrolment_row(db: Database, enrolment_id: UUID) -> dict[str, object]:
    """Read one enrolment as stored."""
    with db.transaction() as tx:
        return dict(tx.connection.execute(select(enrolments).where(enrolments.c.id == enrolment_id)).mappings().one())


def lead_row(db: Database, enrolment_id: UUID) -> dict[str, object]:
    """Read the lead of an enrolment as stored."""
    with db.transaction() as tx:
        query = select(leads).join(enrolments, enrolments.c.lead_id == leads.c.id)
        return dict(tx.connection.execute(query.where(enrolments.c.id == enrolment_id)).mappings().one())


def change(db: Database, table: Table, row_id: UUID, **columns: object) -> None:
    """Write some columns of one row."""
    with db.transaction() as tx:
        tx.connection.execute(update(table).where(table.c.id == row_id).values(columns))


def campaign_row(db: Database, campaign_id: UUID) -> dict[str, object]:
    """Read one campaign as stored."""
    with db.transaction() as tx:
        return dict(tx.connection.execute(select(campaigns).where(campaigns.c.id == campaign_id)).mappings().one())


def events_sent(db: Database) -> list[str]:
    """List the event types in the outbox, in order."""
    with db.transaction() as tx:
        return list(tx.connection.execute(select(deliveries.c.event_type).order_by(deliveries.c.seq)).scalars())


def balance_row(db: Database, account_id: UUID) -> dict[str, int]:
    """Read an account's balance as stored."""
    with db.transaction() as tx:
        query = select(quota_accounts).where(quota_accounts.c.account_id == account_id)
        row = tx.connection.execute(query).mappings().one()
        return {name: int(row[name]) for name in ("granted_s", "available_s", "held_s", "spent_s")}


def ledger_kinds(db: Database, call_id: UUID) -> list[str]:
    """List what the ledger says of a call, in order."""
    with db.transaction() as tx:
        query = select(quota_entries.c.kind).where(quota_entries.c.call_id == call_id).order_by(quota_entries.c.id)
        return list(tx.connection.execute(query).scalars())
