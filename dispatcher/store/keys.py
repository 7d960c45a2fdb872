"""API keys as stored: a public prefix to find them by, the hash of the whole, what they may do.

The secret itself is never here. Who may do what with a key is decided in `dispatcher.services.keys`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, insert, select, update

from dispatcher.store.db import Tx
from schema.tables import accounts, api_keys


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key and what every request needs to know of its account."""

    key_id: UUID
    account_id: UUID
    name: str
    prefix: str
    secret_hash: bytes
    scopes: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None
    from_number: str | None


_KEYS = select(api_keys, accounts.c.from_number).join(accounts, accounts.c.id == api_keys.c.account_id)


def find_key(tx: Tx, prefix: str) -> StoredKey | None:
    """Read the key with that prefix, revoked or not."""
    found = _keys(tx, api_keys.c.prefix == prefix)
    return found[0] if found else None


def keys_of(tx: Tx, account_id: UUID) -> tuple[StoredKey, ...]:
    """List the keys of an account, oldest first."""
    return _keys(tx, api_keys.c.account_id == account_id)


def add_key(tx: Tx, account_id: UUID, name: str, *, prefix: str, secret_hash: bytes, scopes: Sequence[str]) -> UUID:
    """Store a new key."""
    query = insert(api_keys).values(
        account_id=account_id,
        name=name,
        prefix=prefix,
        secret_hash=secret_hash,
        scopes=list(scopes),
        created_at=tx.now,
    )
    key_id: UUID = tx.connection.execute(query.returning(api_keys.c.id)).scalar_one()
    return key_id


def revoke_key(tx: Tx, prefix: str) -> bool:
    """Revoke a key from now on; False when there is none to revoke."""
    query = update(api_keys).where(api_keys.c.prefix == prefix, api_keys.c.revoked_at.is_(None))
    return tx.connection.execute(query.values(revoked_at=tx.now)).rowcount == 1


def _keys(tx: Tx, which: ColumnElement[bool]) -> tuple[StoredKey, ...]:
    query = _KEYS.where(which).order_by(api_keys.c.created_at)
    return tuple(
        StoredKey(
            key_id=row["id"],
            account_id=row["account_id"],
            name=row["name"],
            prefix=row["prefix"],
            secret_hash=bytes(row["secret_hash"]),
            scopes=tuple(row["scopes"]),
            created_at=row["created_at"],
            revoked_at=row["revoked_at"],
            from_number=row["from_number"],
        )
        for row in tx.connection.execute(query).mappings()
    )
