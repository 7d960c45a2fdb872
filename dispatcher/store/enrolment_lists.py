"""The leads of a campaign as a list, in the order they were enrolled. Reads only.

What stands in a lead's way is decided in `dispatcher.services.why`.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, exists, or_, select

from dispatcher.store.db import Tx
from dispatcher.store.slices import Sliced, sliced
from schema.outcomes import Outcome
from schema.reasons import ReasonCode
from schema.states import EnrolmentState, LeadStatus
from schema.tables import enrolments, leads, suppressions


@dataclass(frozen=True, slots=True)
class EnrolledRow:
    """One lead in a campaign as stored, beside what its person said about being called."""

    seq: int
    enrolment_id: UUID
    lead_id: UUID
    phone_number: str
    name: str | None
    state: EnrolmentState
    skip_reason: ReasonCode | None
    attempts_used: int
    refusals_used: int
    next_due_at: datetime
    callback_at: datetime | None
    blocked_by: ReasonCode | None
    blocked_until: datetime | None
    zones: tuple[str, ...]
    zone_source: str
    last_call_id: UUID | None
    last_outcome: Outcome | None
    disposition: str | None
    enrolled_at: datetime
    opted_out: bool
    suppressed: bool


def list_enrolled(
    tx: Tx, campaign_id: UUID, state: EnrolmentState | None, *, after_seq: int | None, limit: int
) -> Sliced[EnrolledRow]:
    """Read one slice of a campaign's leads, in order of enrolment."""
    suppressed = exists().where(
        suppressions.c.account_id == enrolments.c.account_id,
        suppressions.c.phone_number == enrolments.c.phone_number,
        or_(suppressions.c.until.is_(None), suppressions.c.until > tx.now),
    )
    query = (
        select(
            enrolments,
            leads.c.name,
            leads.c.do_not_call,
            leads.c.status.label("lead_status"),
            suppressed.label("suppressed"),
        )
        .join(leads, leads.c.id == enrolments.c.lead_id)
        .where(enrolments.c.campaign_id == campaign_id)
        .order_by(enrolments.c.seq)
        .limit(limit + 1)
    )
    if state is not None:
        query = query.where(enrolments.c.state == state)
    if after_seq is not None:
        query = query.where(enrolments.c.seq > after_seq)
    return sliced([_row(row) for row in tx.connection.execute(query).mappings()], limit)


def _row(row: RowMapping) -> EnrolledRow:
    return EnrolledRow(
        seq=row["seq"],
        enrolment_id=row["id"],
        lead_id=row["lead_id"],
        phone_number=row["phone_number"],
        name=row["name"],
        state=EnrolmentState(row["state"]),
        skip_reason=ReasonCode(row["skip_reason"]) if row["skip_reason"] else None,
        attempts_used=row["attempts_used"],
        refusals_used=row["refusals_used"],
        next_due_at=row["next_due_at"],
        callback_at=row["callback_at"],
        blocked_by=ReasonCode(row["blocked_by"]) if row["blocked_by"] else None,
        blocked_until=row["blocked_until"],
        zones=tuple(row["zones"]),
        zone_source=row["zone_source"],
        last_call_id=row["last_call_id"],
        last_outcome=Outcome(row["last_outcome"]) if row["last_outcome"] else None,
        disposition=row["disposition"],
        enrolled_at=row["created_at"],
        opted_out=row["do_not_call"] or row["lead_status"] == LeadStatus.UNSUBSCRIBED,
        suppressed=row["suppressed"],
    )
