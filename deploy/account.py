"""Open an account with minutes and a key on an installation of this machine: for the demo, `make up` and tests."""

from dataclasses import dataclass

from dispatcher.services.keys import KeyOrder, mint_key
from dispatcher.store.db import Database
from schema.account import Scope

LIVE_CALLS = 100
CALLS_PER_MINUTE = 1_000


@dataclass(frozen=True, slots=True)
class OpenedAccount:
    """What a customer is handed; both secrets are shown once."""

    account_id: str
    api_key: str
    webhook_secret: str


def open_account(database_url: str, *, name: str, minutes: int, from_number: str) -> OpenedAccount:
    """Create the account when there is none of that name, grant the minutes and mint a key that may do everything."""
    database = Database(database_url, pool_size=1)
    try:
        order = KeyOrder(
            account=name,
            name="everything",
            scopes=tuple(Scope),
            minutes=minutes,
            from_number=from_number,
            max_concurrent_calls=LIVE_CALLS,
            max_calls_per_minute=CALLS_PER_MINUTE,
        )
        minted = mint_key(database, order)
    finally:
        database.dispose()
    return OpenedAccount(str(minted.account.account_id), minted.key, minted.account.webhook_secret)
