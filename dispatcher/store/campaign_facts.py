"""A campaign counted: its name and status, its leads by state, its calls by result.

Counts come from live rows, never from counters. Reads only.
"""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import case, func, select

from dispatcher.store.db import Tx
from schema.outcomes import OUTCOMES
from schema.states import LIVE_PHASES, CallPhase, CallStatus, CampaignStatus, EnrolmentState
from schema.tables import calls, campaigns, enrolments

_CONNECTED = [outcome.value for outcome, facts in OUTCOMES.items() if facts.status is CallStatus.COMPLETED]


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """One campaign as stored, counted at the transaction's instant. Durations in seconds."""

    campaign_id: UUID
    account_id: UUID
    name: str
    status: CampaignStatus
    status_reason: str | None
    enrolments: dict[EnrolmentState, int]
    calls_total: int
    calls_live: int
    calls_connected: int
    outcomes: dict[str, int]
    dispositions: dict[str, int]
    talked_s: float
    billed_s: int


def campaign_facts(tx: Tx, campaign_id: UUID) -> CampaignFacts | None:
    """Read and count one campaign; None when there is none."""
    row = tx.connection.execute(select(campaigns).where(campaigns.c.id == campaign_id)).one_or_none()
    if row is None:
        return None
    sums = tx.connection.execute(
        select(
            func.count().label("total"),
            func.count(case((calls.c.phase.in_(LIVE_PHASES), 1))).label("live"),
            func.count(case((calls.c.outcome.in_(_CONNECTED), 1))).label("connected"),
            func.coalesce(func.sum(calls.c.talked_s), 0).label("talked_s"),
            func.coalesce(func.sum(calls.c.billed_s), 0).label("billed_s"),
        ).where(calls.c.campaign_id == campaign_id)
    ).one()
    return CampaignFacts(
        campaign_id=campaign_id,
        account_id=row.account_id,
        name=row.name,
        status=CampaignStatus(row.status),
        status_reason=row.status_reason,
        enrolments=_enrolments(tx, campaign_id),
        calls_total=sums.total,
        calls_live=sums.live,
        calls_connected=sums.connected,
        outcomes=_ended_by(tx, campaign_id, "outcome"),
        dispositions=_ended_by(tx, campaign_id, "disposition"),
        talked_s=float(sums.talked_s),
        billed_s=int(sums.billed_s),
    )


def _enrolments(tx: Tx, campaign_id: UUID) -> dict[EnrolmentState, int]:
    query = (
        select(enrolments.c.state, func.count())
        .where(enrolments.c.campaign_id == campaign_id)
        .group_by(enrolments.c.state)
    )
    counted = {EnrolmentState(state): count for state, count in tx.connection.execute(query)}
    return {state: counted.get(state, 0) for state in EnrolmentState}


def _ended_by(tx: Tx, campaign_id: UUID, column: str) -> dict[str, int]:
    key = calls.c[column]
    query = (
        select(key, func.count())
        .where(calls.c.campaign_id == campaign_id, calls.c.phase == CallPhase.ENDED, key.is_not(None))
        .group_by(key)
        .order_by(key)
    )
    return {name: count for name, count in tx.connection.execute(query)}  # noqa: C416 rows are not a dict's items to mypy
