"""Rows with defaults: an account, its campaigns, leads and calls, written straight into the tables."""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update

from dispatcher.store.db import Database
from dispatcher.store.transcripts import save_turns
from schema.callspec import Turn
from schema.outcomes import Outcome
from schema.states import CallPhase
from schema.tables import accounts, calls, campaigns, deliveries, enrolments, leads, policy_versions

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
TASK = "Confirm tomorrow's appointment with the patient."
SAID = (
    Turn(1, "agent", "Hello, this is Sarah.", 200, 1_700),
    Turn(2, "callee", "Yes, I will come tomorrow.", 2_100, 3_900),
)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


def an_account(db: Database) -> UUID:
    account_id = uuid4()
    with db.transaction() as tx:
        tx.connection.execute(insert(accounts).values(id=account_id, name="Bright Dental", webhook_secret=SECRET))
    return account_id


def a_campaign(db: Database, account_id: UUID, **body: object) -> tuple[UUID, UUID]:
    """Write a campaign with one policy version; return both ids."""
    campaign_id, version_id = uuid4(), uuid4()
    policy = {"call_config": {"task": TASK}, **body}
    with db.transaction() as tx:
        tx.connection.execute(
            insert(campaigns).values(
                id=campaign_id,
                account_id=account_id,
                name="Recall",
                status="running",
                status_reason="user",
                policy_version_id=version_id,
            )
        )
        tx.connection.execute(
            insert(policy_versions).values(
                id=version_id,
                account_id=account_id,
                campaign_id=campaign_id,
                version=1,
                body=policy,
                body_hash=json.dumps(policy).encode(),
            )
        )
    return campaign_id, version_id


def a_lead(db: Database, account_id: UUID, campaign_id: UUID, *, number: int = 1, state: str = "pending") -> UUID:
    """Write a lead and its enrolment; return the enrolment's id."""
    lead_id, enrolment_id, phone_number = uuid4(), uuid4(), f"+1415555{number:04d}"
    with db.transaction() as tx:
        tx.connection.execute(insert(leads).values(id=lead_id, account_id=account_id, phone_number=phone_number))
        tx.connection.execute(
            insert(enrolments).values(
                id=enrolment_id,
                account_id=account_id,
                campaign_id=campaign_id,
                lead_id=lead_id,
                phone_number=phone_number,
                zones=["America/New_York"],
                zone_source="lead",
                state=state,
            )
        )
    return enrolment_id


def a_call(
    db: Database,
    account_id: UUID,
    *,
    config: Mapping[str, object] | None = None,
    said: tuple[Turn, ...] = SAID,
    **columns: object,
) -> UUID:
    """Write a call that ended well and waits for post-processing, unless columns say otherwise."""
    call_id = uuid4()
    with db.transaction() as tx:
        values: dict[str, object] = {
            "id": call_id,
            "account_id": account_id,
            "phone_number": "+14155551234",
            "from_number": "+18005551234",
            "config": {"task": TASK, **(config or {})},
            "phase": CallPhase.ENDED,
            "outcome": Outcome.HUMAN,
            "answered_by": "human",
            "end_reason": "user_hangup",
            "provider_call_id": "CA123",
            "created_at": tx.now - timedelta(minutes=3),
            "dialing_at": tx.now - timedelta(minutes=3),
            "answered_at": tx.now - timedelta(seconds=150),
            "ended_at": tx.now,
            "talked_s": 150,
            "billed_s": 150,
            "post_due_at": tx.now,
            **columns,
        }
        tx.connection.execute(insert(calls).values(values))
        save_turns(tx, call_id, said)
    return call_id


def change_call(db: Database, call_id: UUID, **columns: object) -> None:
    with db.transaction() as tx:
        tx.connection.execute(update(calls).where(calls.c.id == call_id).values(columns))


def call_row(db: Database, call_id: UUID) -> dict[str, object]:
    with db.transaction() as tx:
        return dict(tx.connection.execute(select(calls).where(calls.c.id == call_id)).mappings().one())


def delivery_rows(db: Database) -> list[dict[str, object]]:
    with db.transaction() as tx:
        found = tx.connection.execute(select(deliveries).order_by(deliveries.c.seq)).mappings()
        return [dict(row) for row in found]
