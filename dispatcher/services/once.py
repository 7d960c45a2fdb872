"""A change asked for over HTTP, done once per Idempotency-Key.

The reply is kept in the transaction of the work it reports: after a crash either both are there or neither. Only
successes are kept, for a refusal has changed nothing and asking again is safe.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from dispatcher.refusals import KeyBusy, KeyReused
from dispatcher.store.db import Database, Tx
from dispatcher.store.idempotency import KeptReply, hold_key, keep_reply, kept_reply
from schema.wire import Wire


@dataclass(frozen=True, slots=True)
class Reply:
    """What the caller is told: an HTTP status and a body; `replayed` when it was said before."""

    status: int
    body: Wire | dict[str, object]
    replayed: bool = False


def request_hash(method: str, path: str, body: bytes) -> bytes:
    """Tell requests apart: the same method, path and body are the same request."""
    return hashlib.sha256(b"\0".join((method.encode(), path.encode(), body))).digest()


def once(db: Database, account_id: UUID, key: str, hashed: bytes, act: Callable[[Tx], Reply]) -> Reply:
    """Do `act` in one transaction, or repeat the reply it gave to the same request under the same key.

    Raises:
        KeyBusy: the key's first request has not finished.
        KeyReused: the key belongs to another request.
        Refusal: whatever `act` raises; nothing is kept then.
    """
    with db.transaction() as tx:
        if (reply := _said_before(tx, account_id, key, hashed)) is not None:
            return reply
        if not hold_key(tx, account_id, key):
            raise KeyBusy("Another request with this Idempotency-Key is still being worked on; try again shortly")
        if (reply := _said_before(tx, account_id, key, hashed)) is not None:
            return reply
        reply = act(tx)
        body = reply.body if isinstance(reply.body, dict) else reply.body.model_dump(mode="json")
        keep_reply(tx, account_id, key, KeptReply(hashed, reply.status, body))
        return reply


def _said_before(tx: Tx, account_id: UUID, key: str, hashed: bytes) -> Reply | None:
    kept = kept_reply(tx, account_id, key)
    if kept is None:
        return None
    if kept.request_hash != hashed:
        raise KeyReused("This Idempotency-Key was used for another request; use a new key for a new request")
    return Reply(kept.status, kept.body, replayed=True)
