"""What the rules are told and what they answer: frozen values, no behaviour.

Whoever calls the rules gathers these facts in its own transaction; the rules never look anything up. All instants are
aware. The same facts serve preview, tick, last gate, why page and audit.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from schema.outcomes import Outcome
from schema.reasons import ReasonCode
from schema.states import EnrolmentState

UNLIMITED = 1_000_000_000
"""Stands for "no limit" in a capacity."""


@dataclass(frozen=True, slots=True)
class LeadFacts:
    """A person as the rules see them.

    Attributes:
        phone_number: E.164.
        zones: IANA names of every zone the person may be in; empty means unknown and fails closed.
        zone_source: lead, number, campaign or unknown.
    """

    lead_id: UUID
    phone_number: str
    zones: tuple[str, ...]
    zone_source: str
    opted_out: bool
    suppressed: bool


@dataclass(frozen=True, slots=True)
class History:
    """What happened so far to a lead in a campaign, and to its number in the account.

    Attributes:
        next_due_at: the plan's next instant; binding once the lead was called or asked for explicitly.
        callback_at: instant the person asked for; None once it was honoured.
        live_call: another call of the account is live on this number (never the call being judged itself).
        dials_at: dials to this number over the account, ascending, at least `Policy.lookback` back. A call that the
            carrier refused before ringing is none.
        outcomes: outcomes of the attempts spent in this enrolment, in order. Missing ones are taken for the worst.
        unanswered_at: dial instants of this enrolment's unanswered attempts, for the daypart rule.
    """

    state: EnrolmentState
    attempts_used: int
    refusals_used: int
    last_outcome: Outcome | None
    next_due_at: datetime
    callback_at: datetime | None
    live_call: bool
    dials_at: tuple[datetime, ...]
    outcomes: tuple[Outcome, ...] = ()
    unanswered_at: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Capacity:
    """What is free at this instant: counted from live rows, never kept. None means no such limit."""

    media_free: int
    account_live_free: int
    account_starts_free: int
    campaign_live_free: int
    campaign_starts_free: int
    campaign_day_free: int | None
    caller_ids_free: int
    quota_available_s: int
    campaign_quota_free_s: int | None
    carrier_starts_free: int | None = None

    @classmethod
    def unlimited(cls) -> "Capacity":
        """Return a capacity that blocks nothing, for previews and for gates that already hold their slot."""
        return _UNLIMITED


_UNLIMITED = Capacity(
    media_free=UNLIMITED,
    account_live_free=UNLIMITED,
    account_starts_free=UNLIMITED,
    campaign_live_free=UNLIMITED,
    campaign_starts_free=UNLIMITED,
    campaign_day_free=None,
    caller_ids_free=UNLIMITED,
    quota_available_s=UNLIMITED,
    campaign_quota_free_s=None,
)


@dataclass(frozen=True, slots=True)
class Reason:
    """One blocker: its code, when it clears by itself (None: nobody knows) and the inputs it was judged by."""

    code: ReasonCode
    until: datetime | None
    inputs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Allow:
    """Call now."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now. `until` is when the first blocker clears by itself, None when it waits for capacity or a person."""

    until: datetime | None
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Never:
    """Not in this campaign."""

    reasons: tuple[Reason, ...]


Verdict: TypeAlias = Allow | Wait | Never
