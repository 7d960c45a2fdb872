"""Accounts: who is a tenant, with which caller id, caps and webhook secret.

Quota is `dispatcher.store.quota`, keys are `dispatcher.store.keys`.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping, insert, select, update

from dispatcher.store.db import Tx
from schema.tables import accounts


@dataclass(frozen=True, slots=True)
class Account:
    """One tenant. `rounding_s` is the step in which talk time is charged."""

    account_id: UUID
    name: str
    timezone: str
    from_number: str | None
    max_concurrent_calls: int
    max_calls_per_minute: int
    rounding_s: int
    webhook_secret: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be created; None leaves the default."""

    name: str
    webhook_secret: str
    from_number: str | None = None
    timezone: str | None = None
    max_concurrent_calls: int | None = None
    max_calls_per_minute: int | None = None


def find_account(tx: Tx, account_id: UUID) -> Account | None:
    """Read one account."""
    row = tx.connection.execute(select(accounts).where(accounts.c.id == account_id)).mappings().one_or_none()
    return None if row is None else _account(row)


def find_account_by_name(tx: Tx, name: str) -> Account | None:
    """Read the oldest account of that name and keep it from changing until the commit."""
    query = select(accounts).where(accounts.c.name == name).order_by(accounts.c.created_at).limit(1).with_for_update()
    row = tx.connection.execute(query).mappings().one_or_none()
    return None if row is None else _account(row)


def add_account(tx: Tx, new: NewAccount) -> Account:
    """Create an account."""
    given = {
        "from_number": new.from_number,
        "timezone": new.timezone,
        "max_concurrent_calls": new.max_concurrent_calls,
        "max_calls_per_minute": new.max_calls_per_minute,
    }
    values = {name: value for name, value in given.items() if value is not None}
    query = insert(accounts).values(name=new.name, webhook_secret=new.webhook_secret, created_at=tx.now, **values)
    return _account(tx.connection.execute(query.returning(accounts)).mappings().one())


def set_from_number(tx: Tx, account_id: UUID, from_number: str) -> None:
    """Change the caller id of calls that name none."""
    tx.connection.execute(update(accounts).where(accounts.c.id == account_id).values(from_number=from_number))


def _account(row: RowMapping) -> Account:
    return Account(
        account_id=row["id"],
        name=row["name"],
        timezone=row["timezone"],
        from_number=row["from_number"],
        max_concurrent_calls=row["max_concurrent_calls"],
        max_calls_per_minute=row["max_calls_per_minute"],
        rounding_s=row["rounding_s"],
        webhook_secret=row["webhook_secret"],
        created_at=row["created_at"],
    )
