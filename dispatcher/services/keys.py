"""API keys: minted once, recognised afterwards by their hash, each with the scopes it was given.

A key reads `tl_live_<prefix>_<secret>`: the prefix finds the row, the whole is compared by its SHA-256 in constant
time. The secret has 256 random bits and is shown once. A recognised key is remembered for a few seconds, so revoking
one takes that long to be felt.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from dispatcher.refusals import Missing
from dispatcher.store.accounts import Account, NewAccount, add_account, find_account_by_name, set_from_number
from dispatcher.store.db import Database
from dispatcher.store.keys import StoredKey, add_key, find_key, keys_of, revoke_key
from dispatcher.store.quota import Balance, balance, grant
from schema.account import Scope

KEY_START = "tl_live_"
REMEMBER_S = 5.0
MAX_REMEMBERED = 10_000
_PREFIX_BYTES = 6
_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking. `from_number` is the account's caller id of calls that name none."""

    account_id: UUID
    key_id: UUID
    scopes: frozenset[Scope]
    from_number: str | None


@dataclass(frozen=True, slots=True)
class MintedKey:
    """A new key, the only time its text exists, beside its account and what the account now has."""

    key: str
    scopes: tuple[Scope, ...]
    account: Account
    account_is_new: bool
    balance: Balance


@dataclass(frozen=True, slots=True)
class KeyOrder:
    """What a new key is to be.

    Attributes:
        minutes: call minutes granted to the account with it.
        from_number: the account's caller id from now on; None leaves it.
    """

    account: str
    name: str
    scopes: tuple[Scope, ...]
    minutes: int = 0
    from_number: str | None = None
    timezone: str | None = None
    max_concurrent_calls: int | None = None
    max_calls_per_minute: int | None = None


class KeyRing:
    """Recognises presented keys. Safe to share between threads; remembers those it knows for `remember_s` seconds."""

    def __init__(
        self, db: Database, *, remember_s: float = REMEMBER_S, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._db = db
        self._remember_s = remember_s
        self._monotonic = monotonic
        self._known: dict[bytes, tuple[float, Caller]] = {}

    def caller(self, presented: str) -> Caller | None:
        """Tell who presents this key; None when nobody may."""
        hashed = _hash(presented)
        known = self._known.get(hashed)
        if known is not None and self._monotonic() < known[0]:
            return known[1]
        caller = self._look_up(presented, hashed)
        if caller is None:
            self._known.pop(hashed, None)
            return None
        if len(self._known) >= MAX_REMEMBERED:
            self._known.clear()
        self._known[hashed] = (self._monotonic() + self._remember_s, caller)
        return caller

    def _look_up(self, presented: str, hashed: bytes) -> Caller | None:
        prefix, _, secret = presented.removeprefix(KEY_START).partition("_")
        if not (presented.startswith(KEY_START) and prefix and secret):
            return None
        with self._db.transaction() as tx:
            stored = find_key(tx, prefix)
        if stored is None or stored.revoked_at is not None or not hmac.compare_digest(stored.secret_hash, hashed):
            return None
        known_scopes = frozenset(Scope) & frozenset(stored.scopes)
        return Caller(
            account_id=stored.account_id,
            key_id=stored.key_id,
            scopes=frozenset(Scope(scope) for scope in known_scopes),
            from_number=stored.from_number,
        )


def mint_key(db: Database, order: KeyOrder) -> MintedKey:
    """Create a key, its account too when there is none of that name, and grant the minutes."""
    prefix = secrets.token_hex(_PREFIX_BYTES)
    key = f"{KEY_START}{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    with db.transaction() as tx:
        known = find_account_by_name(tx, order.account)
        account = known or add_account(tx, _new_account(order))
        if known is not None and order.from_number is not None:
            set_from_number(tx, account.account_id, order.from_number)
        add_key(
            tx,
            account.account_id,
            order.name,
            prefix=prefix,
            secret_hash=_hash(key),
            scopes=[scope.value for scope in order.scopes],
        )
        if order.minutes:
            grant(tx, account.account_id, order.minutes * 60, note=f"granted with key {prefix}")
        left = balance(tx, account.account_id)
    return MintedKey(key, order.scopes, account, known is None, left)


def list_keys(db: Database, account: str) -> tuple[StoredKey, ...]:
    """List the keys of the account of that name, oldest first.

    Raises:
        Missing: there is no such account.
    """
    with db.transaction() as tx:
        found = find_account_by_name(tx, account)
        if found is None:
            raise Missing(f"Account {account!r}")
        return keys_of(tx, found.account_id)


def revoke(db: Database, prefix: str) -> None:
    """Revoke the key with that prefix.

    Raises:
        Missing: no key that is still good has it.
    """
    with db.transaction() as tx:
        if not revoke_key(tx, prefix):
            raise Missing(f"A valid key with prefix {prefix!r}")


def _new_account(order: KeyOrder) -> NewAccount:
    return NewAccount(
        name=order.account,
        webhook_secret=f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}",
        from_number=order.from_number,
        timezone=order.timezone,
        max_concurrent_calls=order.max_concurrent_calls,
        max_calls_per_minute=order.max_calls_per_minute,
    )


def _hash(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
