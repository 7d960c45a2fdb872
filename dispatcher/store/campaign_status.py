"""The status of campaigns as the clock and the balance move it. Moves a person asks for are `store.campaigns`.

The lock taken here waits for claims and takes that share the campaign, so that none of them acts on an old status.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import literal, select, update

from dispatcher.store.db import Tx
from dispatcher.store.sql import sql
from schema.states import CampaignStatus, StatusReason
from schema.tables import campaigns

_ENDED = (CampaignStatus.COMPLETED, CampaignStatus.CANCELLED)

_START_DUE = sql("select id from campaigns where status = 'scheduled' and (start_at is null or start_at <= :now)")
_END_DUE = sql("select id from campaigns where status = 'running' and end_at <= :now")
_MAYBE_DONE = sql("""
    select m.id from campaigns m
    where m.status = 'running' and coalesce(
            (select 1 from enrolments e where e.campaign_id = m.id and e.state = 'pending' limit 1),
            (select 1 from enrolments e where e.campaign_id = m.id and e.state in ('due', 'retry_wait') limit 1),
            (select 1 from enrolments e where e.campaign_id = m.id and e.state in ('claimed', 'in_call') limit 1)
        ) is null
      and (select 1 from enrolments e where e.campaign_id = m.id limit 1) is not null
    """)
"""Asked campaign by campaign, in scalar subqueries, which no planner turns into a join over all enrolments."""


@dataclass(frozen=True, slots=True)
class LockedCampaign:
    """A campaign nobody else can move until the commit."""

    campaign_id: UUID
    account_id: UUID
    status: CampaignStatus
    reason: StatusReason | None
    policy_version_id: UUID
    start_at: datetime | None
    end_at: datetime | None


def lock_campaign(tx: Tx, campaign_id: UUID) -> LockedCampaign:
    """Read a campaign and keep everybody from acting on its status until the commit."""
    query = select(campaigns).where(campaigns.c.id == campaign_id).with_for_update(key_share=True)
    row = tx.connection.execute(query).one()
    return LockedCampaign(
        campaign_id=row.id,
        account_id=row.account_id,
        status=CampaignStatus(row.status),
        reason=StatusReason(row.status_reason) if row.status_reason else None,
        policy_version_id=row.policy_version_id,
        start_at=row.start_at,
        end_at=row.end_at,
    )


def set_status(tx: Tx, campaign_id: UUID, status: CampaignStatus, reason: StatusReason) -> None:
    """Give a locked campaign its next status, with the instants of its first start and of its end."""
    values: dict[str, object] = {"status": status, "status_reason": reason, "updated_at": tx.now}
    statement = update(campaigns).where(campaigns.c.id == campaign_id)
    if status in _ENDED:
        values["completed_at"] = tx.now
    tx.connection.execute(statement.values(values))
    if status is CampaignStatus.RUNNING:
        tx.connection.execute(statement.where(campaigns.c.started_at.is_(None)).values(started_at=tx.now))


def paused_for(tx: Tx, reason: StatusReason) -> tuple[UUID, ...]:
    """List campaigns paused for a reason."""
    query = select(campaigns.c.id).where(
        campaigns.c.status == literal(CampaignStatus.PAUSED.value, literal_execute=True),
        campaigns.c.status_reason == reason,
    )
    return tuple(tx.connection.execute(query).scalars())


def start_due(tx: Tx) -> Sequence[UUID]:
    """List scheduled campaigns whose start has come."""
    return tuple(tx.connection.execute(_START_DUE, {"now": tx.now}).scalars())


def end_due(tx: Tx) -> Sequence[UUID]:
    """List running campaigns whose end has come; a paused one ends when it is resumed."""
    return tuple(tx.connection.execute(_END_DUE, {"now": tx.now}).scalars())


def maybe_done(tx: Tx) -> Sequence[UUID]:
    """List running campaigns that have enrolments, none of them open."""
    return tuple(tx.connection.execute(_MAYBE_DONE).scalars())
