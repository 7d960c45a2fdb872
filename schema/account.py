"""The account over HTTP: who it is, what it may do at once and how many minutes it has.

Minutes are decimal; inside, quota is whole seconds.
"""

from enum import StrEnum
from typing import Literal
from uuid import UUID

from schema.wire import Instant, Wire


class Scope(StrEnum):
    """What an API key may do. Writing does not include reading."""

    CALLS_READ = "calls:read"
    CALLS_WRITE = "calls:write"
    CAMPAIGNS_READ = "campaigns:read"
    CAMPAIGNS_WRITE = "campaigns:write"
    LEADS_READ = "leads:read"
    LEADS_WRITE = "leads:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    ACCOUNT_READ = "account:read"
    ACCOUNT_WRITE = "account:write"


class Balance(Wire):
    """Call minutes: `allocated` = `remaining` + `reserved` + `used`.

    Attributes:
        reserved: held by calls that have not ended yet.
        bonus_remaining: part of `remaining` that was a gift; this installation grants none.
        period_end: when minutes lapse; null because they do not.
    """

    type: Literal["call_minutes"] = "call_minutes"
    remaining: float
    allocated: float
    used: float
    reserved: float
    bonus_remaining: float = 0.0
    period_end: Instant | None = None


class Limits(Wire):
    """What the account may do at once."""

    max_concurrent_calls: int
    max_calls_per_minute: int


class AccountView(Wire):
    """The account the API key belongs to.

    Attributes:
        from_number: caller id of calls that name none.
        rounding_s: talk time is charged in steps of so many seconds.
    """

    id: UUID
    name: str
    timezone: str
    from_number: str | None
    rounding_s: int
    limits: Limits
    created_at: Instant
