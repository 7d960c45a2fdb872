"""Putting leads into a campaign, and keeping what an enrolment copied from its lead true.

An enrolment holds the number and the zone set so that a tick need not look them up. Where its state goes after that is
the business of ticks and calls.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, bindparam, case, func, select, update
from sqlalchemy.dialects.postgresql import insert

from dispatcher.store.db import Tx
from schema.policy import Schedule
from schema.reasons import ReasonCode
from schema.states import WAITING_ENROLMENTS, CallPhase, CampaignStatus, EnrolmentState
from schema.tables import calls, campaigns, enrolments, leads, policy_versions

OPEN_CAMPAIGNS = (
    CampaignStatus.DRAFT.value,
    CampaignStatus.SCHEDULED.value,
    CampaignStatus.RUNNING.value,
    CampaignStatus.PAUSED.value,
)


@dataclass(frozen=True, slots=True)
class NewEnrolment:
    """A lead to be put into a campaign; with `skip_reason` it is in it but never called."""

    lead_id: UUID
    phone_number: str
    zones: tuple[str, ...]
    zone_source: str
    skip_reason: ReasonCode | None = None


@dataclass(frozen=True, slots=True)
class NextAttempt:
    """Where an enrolled lead stands: the number of its next attempt, and whether a call already waits for it."""

    enrolment_id: UUID
    phone_number: str
    state: EnrolmentState
    number: int
    asked_for: bool


@dataclass(frozen=True, slots=True)
class OpenEnrolment:
    """An enrolment that waits or was skipped, in a campaign that is not over, beside its lead as it is now."""

    enrolment_id: UUID
    state: EnrolmentState
    skip_reason: ReasonCode | None
    attempts_used: int
    phone_number: str
    lead_timezone: str | None
    schedule: Schedule


@dataclass(frozen=True, slots=True)
class RenewedEnrolment:
    """What an enrolment should hold now; `due_now` lets the next tick judge it at once."""

    enrolment_id: UUID
    phone_number: str
    zones: tuple[str, ...]
    zone_source: str
    state: EnrolmentState
    skip_reason: ReasonCode | None
    due_now: bool


def enrol(tx: Tx, account_id: UUID, campaign_id: UUID, new: Sequence[NewEnrolment]) -> frozenset[UUID]:
    """Put leads into a campaign, in this order, and return those that were not in it before."""
    if not new:
        return frozenset()
    if len(new) > 1:
        _lock_entrance(tx, campaign_id)
    query = insert(enrolments).on_conflict_do_nothing(index_elements=["campaign_id", "lead_id"])
    rows = [
        {
            "account_id": account_id,
            "campaign_id": campaign_id,
            "lead_id": one.lead_id,
            "phone_number": one.phone_number,
            "zones": list(one.zones),
            "zone_source": one.zone_source,
            "state": _state(one.skip_reason).value,
            "skip_reason": one.skip_reason.value if one.skip_reason else None,
            "next_due_at": tx.now,
            "created_at": tx.now,
            "updated_at": tx.now,
        }
        for one in new
    ]
    return frozenset(tx.connection.execute(query.returning(enrolments.c.lead_id), rows).scalars())


def next_attempt(tx: Tx, campaign_id: UUID, lead_id: UUID) -> NextAttempt:
    """Read, and keep from changing, where an enrolled lead stands."""
    row = tx.connection.execute(
        select(enrolments)
        .where(enrolments.c.campaign_id == campaign_id, enrolments.c.lead_id == lead_id)
        .with_for_update(key_share=True)
    ).one()
    waits = select(calls.c.id).where(
        calls.c.enrolment_id == row.id, calls.c.attempt_spent, calls.c.phase == CallPhase.SCHEDULED
    )
    return NextAttempt(
        enrolment_id=row.id,
        phone_number=row.phone_number,
        state=EnrolmentState(row.state),
        number=row.attempts_used + 1,
        asked_for=tx.connection.execute(waits).first() is not None,
    )


def ask_for(tx: Tx, enrolment_id: UUID, due_at: datetime) -> None:
    """Make an enrolment due because somebody asked for its next attempt, whatever came before."""
    query = update(enrolments).where(enrolments.c.id == enrolment_id)
    tx.connection.execute(
        query.values(
            state=EnrolmentState.DUE.value,
            skip_reason=None,
            next_due_at=due_at,
            blocked_by=None,
            blocked_until=None,
            updated_at=tx.now,
        )
    )


def open_enrolments(tx: Tx, lead_ids: Sequence[UUID]) -> tuple[OpenEnrolment, ...]:
    """Read, and keep from changing, the waiting and skipped enrolments of these leads in campaigns not yet over."""
    states = [state.value for state in (*WAITING_ENROLMENTS, EnrolmentState.SKIPPED)]
    query = (
        select(
            enrolments.c.id,
            enrolments.c.state,
            enrolments.c.skip_reason,
            enrolments.c.attempts_used,
            leads.c.phone_number,
            leads.c.timezone,
            policy_versions.c.body["schedule"].label("schedule"),
        )
        .join(leads, leads.c.id == enrolments.c.lead_id)
        .join(campaigns, campaigns.c.id == enrolments.c.campaign_id)
        .join(policy_versions, policy_versions.c.id == campaigns.c.policy_version_id)
        .where(
            enrolments.c.lead_id.in_(lead_ids),
            enrolments.c.state.in_(states),
            campaigns.c.status.in_(OPEN_CAMPAIGNS),
        )
        .order_by(enrolments.c.id)
        .with_for_update(of=enrolments, key_share=True)
    )
    return tuple(
        OpenEnrolment(
            enrolment_id=row.id,
            state=EnrolmentState(row.state),
            skip_reason=ReasonCode(row.skip_reason) if row.skip_reason else None,
            attempts_used=row.attempts_used,
            phone_number=row.phone_number,
            lead_timezone=row.timezone,
            schedule=Schedule.model_validate(row.schedule),
        )
        for row in tx.connection.execute(query)
    )


def renew_enrolments(tx: Tx, renewed: Sequence[RenewedEnrolment]) -> None:
    """Write what the enrolments should hold now; what blocked them before is forgotten."""
    if not renewed:
        return
    query = (
        update(enrolments)
        .where(enrolments.c.id == bindparam("enrolment_id"))
        .values(
            phone_number=bindparam("phone_number"),
            zones=bindparam("zones"),
            zone_source=bindparam("zone_source"),
            state=bindparam("state"),
            skip_reason=bindparam("skip_reason"),
            next_due_at=case((bindparam("due_now", type_=Boolean), tx.now), else_=enrolments.c.next_due_at),
            blocked_by=None,
            blocked_until=None,
            updated_at=tx.now,
        )
    )
    rows = [
        {
            "enrolment_id": one.enrolment_id,
            "phone_number": one.phone_number,
            "zones": list(one.zones),
            "zone_source": one.zone_source,
            "state": one.state.value,
            "skip_reason": one.skip_reason.value if one.skip_reason else None,
            "due_now": one.due_now,
        }
        for one in renewed
    ]
    tx.connection.execute(query, rows)


def _lock_entrance(tx: Tx, campaign_id: UUID) -> None:
    """Let one batch at a time into a campaign, so that two batches never wait for each other's rows in a circle."""
    tx.connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"enrol:{campaign_id}", 0))))


def _state(skip_reason: ReasonCode | None) -> EnrolmentState:
    return EnrolmentState.PENDING if skip_reason is None else EnrolmentState.SKIPPED
