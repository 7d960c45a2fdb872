"""Leads as stored: read, listed, changed one at a time. Saving many by number is `dispatcher.store.lead_batches`.

A lead is unique by number within its account. What a change means for the lead's enrolments is decided elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, case, select, update

from dispatcher.store.db import Tx
from dispatcher.store.slices import Slice, Sliced, newest_first, sliced
from schema.states import LeadStatus
from schema.tables import leads


@dataclass(frozen=True, slots=True)
class StoredLead:
    """One person."""

    lead_id: UUID
    account_id: UUID
    phone_number: str
    name: str | None
    email: str | None
    timezone: str | None
    external_id: str | None
    status: LeadStatus
    notes: str | None
    tags: tuple[str, ...]
    metadata: dict[str, object]
    do_not_call: bool
    attempts_total: int
    last_called_at: datetime | None
    converted_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class LeadFilter:
    """Which leads to list; None matches all."""

    phone_number: str | None = None
    status: LeadStatus | None = None
    tag: str | None = None
    external_id: str | None = None
    updated_since: datetime | None = None


def find_lead(tx: Tx, account_id: UUID, lead_id: UUID, *, lock: bool = False) -> StoredLead | None:
    """Read one lead of the account; `lock` keeps it from changing until the commit."""
    query = select(leads).where(leads.c.account_id == account_id, leads.c.id == lead_id)
    row = tx.connection.execute(query.with_for_update(key_share=True) if lock else query).mappings().one_or_none()
    return None if row is None else _lead(row)


def find_leads(tx: Tx, account_id: UUID, lead_ids: Sequence[UUID]) -> dict[UUID, StoredLead]:
    """Read several leads of the account; unknown ones are absent."""
    query = select(leads).where(leads.c.account_id == account_id, leads.c.id.in_(lead_ids))
    return {row["id"]: _lead(row) for row in tx.connection.execute(query).mappings()}


def number_taken(tx: Tx, account_id: UUID, phone_number: str, *, but: UUID) -> bool:
    """Tell whether another lead of the account has the number."""
    query = select(leads.c.id).where(
        leads.c.account_id == account_id, leads.c.phone_number == phone_number, leads.c.id != but
    )
    return tx.connection.execute(query).first() is not None


def find_by_number(tx: Tx, account_id: UUID, phone_number: str) -> UUID | None:
    """Return the id of the account's lead with that number."""
    query = select(leads.c.id).where(leads.c.account_id == account_id, leads.c.phone_number == phone_number)
    lead_id: UUID | None = tx.connection.execute(query).scalar_one_or_none()
    return lead_id


def list_leads(tx: Tx, account_id: UUID, which: LeadFilter, slice_: Slice) -> Sliced[StoredLead]:
    """Read one slice of the account's leads, newest first."""
    query = select(leads).where(leads.c.account_id == account_id)
    if which.phone_number is not None:
        query = query.where(leads.c.phone_number == which.phone_number)
    if which.status is not None:
        query = query.where(leads.c.status == which.status)
    if which.tag is not None:
        query = query.where(leads.c.tags.any_() == which.tag)
    if which.external_id is not None:
        query = query.where(leads.c.external_id == which.external_id)
    if which.updated_since is not None:
        query = query.where(leads.c.updated_at >= which.updated_since)
    rows = tx.connection.execute(newest_first(query, leads, slice_)).mappings().all()
    return sliced([_lead(row) for row in rows], slice_.limit)


def change_lead(tx: Tx, lead_id: UUID, changes: Mapping[str, object]) -> StoredLead:
    """Write the named columns of a lead that exists."""
    query = update(leads).where(leads.c.id == lead_id).values(**changes, updated_at=tx.now).returning(leads)
    return _lead(tx.connection.execute(query).mappings().one())


def opt_out_number(tx: Tx, account_id: UUID, phone_number: str) -> None:
    """Mark the lead with that number, if there is one, as somebody not to be called."""
    query = update(leads).where(leads.c.account_id == account_id, leads.c.phone_number == phone_number)
    tx.connection.execute(query.values(do_not_call=True, status=LeadStatus.UNSUBSCRIBED.value, updated_at=tx.now))


def opt_in_number(tx: Tx, account_id: UUID, phone_number: str) -> UUID | None:
    """Lift what `opt_out_number` did and return the lead's id; None when no lead has the number."""
    query = update(leads).where(leads.c.account_id == account_id, leads.c.phone_number == phone_number)
    status = case(
        (leads.c.status == LeadStatus.UNSUBSCRIBED, LeadStatus.NEW.value),
        else_=leads.c.status,
    )
    query = query.values(do_not_call=False, status=status, updated_at=tx.now)
    lead_id: UUID | None = tx.connection.execute(query.returning(leads.c.id)).scalar_one_or_none()
    return lead_id


def _lead(row: RowMapping) -> StoredLead:
    return StoredLead(
        lead_id=row["id"],
        account_id=row["account_id"],
        phone_number=row["phone_number"],
        name=row["name"],
        email=row["email"],
        timezone=row["timezone"],
        external_id=row["external_id"],
        status=LeadStatus(row["status"]),
        notes=row["notes"],
        tags=tuple(row["tags"]),
        metadata=row["metadata"],
        do_not_call=row["do_not_call"],
        attempts_total=row["attempts_total"],
        last_called_at=row["last_called_at"],
        converted_at=row["converted_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
