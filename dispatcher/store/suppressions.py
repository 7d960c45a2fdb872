"""The account's do-not-call list, one row a number.

A row whose `until` has passed no longer suppresses. What suppression does to calls is decided in `dispatcher.rules`.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, case, delete, func, literal_column, null, or_, select
from sqlalchemy.dialects.postgresql import insert

from dispatcher.store.db import Tx
from dispatcher.store.slices import Slice, Sliced, newest_first, sliced
from schema.tables import suppressions


@dataclass(frozen=True, slots=True)
class StoredSuppression:
    """One suppressed number."""

    suppression_id: UUID
    account_id: UUID
    phone_number: str
    source: str
    reason: str | None
    until: datetime | None
    created_at: datetime


def suppress(
    tx: Tx,
    account_id: UUID,
    phone_number: str,
    *,
    source: str,
    reason: str | None = None,
    until: datetime | None = None,
) -> tuple[StoredSuppression, bool]:
    """Put the number on the list, or renew its row; True when it was not on it before.

    Renewing never shortens: what holds for good stays so, of two instants the later one counts.
    """
    values = {"source": source, "reason": reason, "until": until}
    query = insert(suppressions).values(account_id=account_id, phone_number=phone_number, created_at=tx.now, **values)
    longer = case(
        (or_(suppressions.c.until.is_(None), query.excluded.until.is_(None)), null()),
        else_=func.greatest(suppressions.c.until, query.excluded.until),
    )
    renewed = {"source": source, "reason": func.coalesce(query.excluded.reason, suppressions.c.reason), "until": longer}
    query = query.on_conflict_do_update(index_elements=["account_id", "phone_number"], set_=renewed)
    row = (
        tx.connection.execute(query.returning(suppressions, literal_column("(xmax = 0)").label("is_new")))
        .mappings()
        .one()
    )
    return _suppression(row), row["is_new"]


def is_suppressed(tx: Tx, account_id: UUID, phone_number: str) -> bool:
    """Tell whether the number is on the list now."""
    query = select(suppressions.c.id).where(
        suppressions.c.account_id == account_id,
        suppressions.c.phone_number == phone_number,
        or_(suppressions.c.until.is_(None), suppressions.c.until > tx.now),
    )
    return tx.connection.execute(query).first() is not None


def unsuppress(tx: Tx, account_id: UUID, suppression_id: UUID) -> StoredSuppression | None:
    """Take a number off the list and return its row; None when the account has no such row."""
    query = delete(suppressions).where(suppressions.c.account_id == account_id, suppressions.c.id == suppression_id)
    row = tx.connection.execute(query.returning(suppressions)).mappings().one_or_none()
    return None if row is None else _suppression(row)


def list_suppressions(tx: Tx, account_id: UUID, phone_number: str | None, slice_: Slice) -> Sliced[StoredSuppression]:
    """Read one slice of the account's list, newest first."""
    query = select(suppressions).where(suppressions.c.account_id == account_id)
    if phone_number is not None:
        query = query.where(suppressions.c.phone_number == phone_number)
    rows = tx.connection.execute(newest_first(query, suppressions, slice_)).mappings().all()
    return sliced([_suppression(row) for row in rows], slice_.limit)


def _suppression(row: RowMapping) -> StoredSuppression:
    return StoredSuppression(
        suppression_id=row["id"],
        account_id=row["account_id"],
        phone_number=row["phone_number"],
        source=row["source"],
        reason=row["reason"],
        until=row["until"],
        created_at=row["created_at"],
    )
