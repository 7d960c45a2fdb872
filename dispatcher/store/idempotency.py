"""Replies kept per Idempotency-Key, written in the transaction whose work they report.

A key is worked on by one transaction at a time: the lock is Postgres' own and ends with the connection, so a crash
leaves neither a half-done work nor a stuck key.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from dispatcher.store.db import Tx
from schema.tables import idempotency_keys

KEPT_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class KeptReply:
    """The reply to the first request of a key. `request_hash` tells whether another request is the same."""

    request_hash: bytes
    status: int
    body: dict[str, object]


def hold_key(tx: Tx, account_id: UUID, key: str) -> bool:
    """Reserve the key until the transaction ends; False when another transaction has it."""
    lock = func.pg_try_advisory_xact_lock(func.hashtextextended(f"{account_id}:{key}", 0))
    return bool(tx.connection.execute(select(lock)).scalar_one())


def kept_reply(tx: Tx, account_id: UUID, key: str) -> KeptReply | None:
    """Read the reply kept for the key, if it has not lapsed."""
    row = tx.connection.execute(
        select(
            idempotency_keys.c.request_hash, idempotency_keys.c.response_status, idempotency_keys.c.response_body
        ).where(
            idempotency_keys.c.account_id == account_id,
            idempotency_keys.c.key == key,
            idempotency_keys.c.expires_at > tx.now,
        )
    ).one_or_none()
    return None if row is None else KeptReply(bytes(row.request_hash), row.response_status, row.response_body)


def keep_reply(tx: Tx, account_id: UUID, key: str, reply: KeptReply) -> None:
    """Keep the reply for 24 hours, in place of a lapsed one."""
    values = {
        "request_hash": reply.request_hash,
        "response_status": reply.status,
        "response_body": reply.body,
        "locked_until": tx.now,
        "expires_at": tx.now + KEPT_FOR,
        "created_at": tx.now,
    }
    query = insert(idempotency_keys).values(account_id=account_id, key=key, **values)
    tx.connection.execute(query.on_conflict_do_update(index_elements=["account_id", "key"], set_=values))
