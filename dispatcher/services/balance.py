"""What an account is told of itself: its limits and its minutes.

Seconds inside, decimal minutes outside, never rounded in the account's favour. What was used is shown as the rest, so
that the hundredths add up.
"""

import math
from uuid import UUID

from dispatcher.refusals import Missing
from dispatcher.store.accounts import find_account
from dispatcher.store.db import Database
from dispatcher.store.quota import balance
from schema.account import AccountView, Balance, Limits

_HUNDREDTHS = 100


def minutes(seconds: int) -> float:
    """Show whole seconds as minutes with two decimals, rounded down."""
    return math.floor(seconds * _HUNDREDTHS / 60) / _HUNDREDTHS


def account_balance(db: Database, account_id: UUID) -> Balance:
    """Read the account's minutes."""
    with db.transaction() as tx:
        now = balance(tx, account_id)
    allocated, remaining = minutes(now.granted_s), minutes(now.available_s)
    reserved = math.ceil(now.held_s * _HUNDREDTHS / 60) / _HUNDREDTHS
    return Balance(
        remaining=remaining,
        allocated=allocated,
        used=max(0.0, round(allocated - remaining - reserved, 2)),
        reserved=reserved,
    )


def account_view(db: Database, account_id: UUID) -> AccountView:
    """Read the account itself.

    Raises:
        Missing: it is gone.
    """
    with db.transaction() as tx:
        account = find_account(tx, account_id)
    if account is None:
        raise Missing("Account")
    return AccountView(
        id=account.account_id,
        name=account.name,
        timezone=account.timezone,
        from_number=account.from_number,
        rounding_s=account.rounding_s,
        limits=Limits(
            max_concurrent_calls=account.max_concurrent_calls, max_calls_per_minute=account.max_calls_per_minute
        ),
        created_at=account.created_at,
    )
