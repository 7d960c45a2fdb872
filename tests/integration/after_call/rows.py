"""Rows of what comes after a call: an ended call with its transcript, a campaign that tells only whom it is told to."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update

from dispatcher.store.db import Database
from dispatcher.store.transcripts import save_turns
from schema.callspec import Turn
from schema.outcomes import Outcome
from schema.states import CallPhase
from schema.tables import calls, campaigns, deliveries
from tests.builders import rows
from tests.builders.rows import TASK

SAID = (
    Turn(1, "agent", "Hello, this is Sarah.", 200, 1_700),
    Turn(2, "callee", "Yes, I will come tomorrow.", 2_100, 3_900),
)


def a_campaign(db: Database, account_id: UUID, **body: object) -> tuple[UUID, UUID]:
    """Write a running campaign without a webhook, unless the body names one; return its id and its policy version's."""
    campaign_id = rows.a_campaign(
        db, account_id, status="running", **{"webhook_url": None, "webhook_events": None, **body}
    )
    with db.transaction() as tx:
        query = select(campaigns.c.policy_version_id).where(campaigns.c.id == campaign_id)
        return campaign_id, tx.connection.execute(query).scalar_one()


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


def delivery_rows(db: Database) -> list[dict[str, object]]:
    with db.transaction() as tx:
        found = tx.connection.execute(select(deliveries).order_by(deliveries.c.seq)).mappings()
        return [dict(row) for row in found]
