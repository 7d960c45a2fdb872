"""A campaign's rules made ready for deciding: windows compiled, limits as durations.

Compiled once per policy version; a change of the campaign's status is a cheap copy. Does not know leads or calls.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from dispatcher.rules.legal import legal_layer
from dispatcher.rules.quota import hold_for
from dispatcher.rules.windows import Windows, compile_windows, narrowed
from schema.policy import PolicyBody
from schema.states import CampaignStatus

ROLLING_SPAN = timedelta(hours=24)
"""The rolling cap looks this far back from every instant."""


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """One version of a campaign's rules.

    Attributes:
        hold_s: seconds of quota one call holds.
        windows: the campaign's own windows; `windows_for` adds the law's.
        lookback: how far back `History.dials_at` must reach.
    """

    campaign_id: UUID
    status: CampaignStatus
    body: PolicyBody
    hold_s: int
    windows: Windows
    start_at: datetime | None
    end_at: datetime | None
    min_gap: timedelta
    rolling_cap: int
    max_attempts: int
    daypart_span: timedelta
    respects_law: bool

    @property
    def lookback(self) -> timedelta:
        """Return how far back dials to a number matter."""
        return max(ROLLING_SPAN, self.min_gap)

    def windows_for(self, phone_number: str) -> Windows:
        """Return the windows that apply to a number: the campaign's and, where respected, the law's."""
        return narrowed(self.windows, legal_layer(phone_number)) if self.respects_law else self.windows

    def with_status(self, status: CampaignStatus) -> Self:
        """Return the same rules under the campaign's current status."""
        return self if status is self.status else replace(self, status=status)


def compile_policy(body: PolicyBody, *, campaign_id: UUID, status: CampaignStatus) -> Policy:
    """Return the rules of a policy version, ready for `decide`."""
    return Policy(
        campaign_id=campaign_id,
        status=status,
        body=body,
        hold_s=hold_for(body.call_config.max_duration),
        windows=compile_windows(body.schedule),
        start_at=body.schedule.start_at,
        end_at=body.schedule.end_at,
        min_gap=timedelta(minutes=body.contact_limits.min_gap_minutes),
        rolling_cap=body.contact_limits.max_attempts_per_24h,
        max_attempts=body.retry.max_attempts,
        daypart_span=timedelta(hours=body.retry.avoid_same_daypart_hours),
        respects_law=body.schedule.respect_legal_hours,
    )
