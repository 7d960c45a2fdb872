"""Campaigns and the leads enrolled in them, over HTTP.

The rules of a campaign are `schema.policy`; this module adds its name, its status and where each lead stands.
"""

from typing import Self
from uuid import UUID

from pydantic import Field, model_validator

from schema.call_config import CallConfig
from schema.events import EventType
from schema.leads import MAX_BULK_ROWS, BulkMode, RawRow, RowFault
from schema.outcomes import Outcome
from schema.pages import PageQuery
from schema.policy import ContactLimits, Pacing, PolicyBody, QuotaLimits, Retry, Schedule
from schema.reasons import Hold, ReasonCode
from schema.records import CampaignStats
from schema.states import CampaignStatus, EnrolmentState, StatusReason
from schema.wire import Instant, Name, Wire

MAX_ENROLLED_IDS = 10_000


class CreateCampaign(PolicyBody):
    """A campaign's name and rules. It is created as a draft: add leads, then start it."""

    name: Name


class Campaign(Wire):
    """A campaign with the rules it follows now.

    Attributes:
        version: of the rules; every change of them is a new one.
        stats: where its leads and calls stand; null in lists.
    """

    id: UUID
    account_id: UUID
    name: str
    status: CampaignStatus
    status_reason: StatusReason | None
    version: int
    call_config: CallConfig
    from_numbers: tuple[str, ...]
    from_strategy: str
    schedule: Schedule
    pacing: Pacing
    retry: Retry
    contact_limits: ContactLimits
    quota: QuotaLimits
    webhook_url: str | None
    webhook_events: tuple[EventType, ...] | None
    metadata: dict[str, object]
    created_at: Instant
    updated_at: Instant
    started_at: Instant | None
    completed_at: Instant | None
    stats: CampaignStats | None = None


class CampaignQuery(PageQuery):
    """Filters of GET /v1/campaigns."""

    status: CampaignStatus | None = None


class StopQuery(Wire):
    """How hard to stop."""

    hangup: bool = Field(default=False, description="also end the calls that are live now")


class EnrolLeads(Wire):
    """Leads to add to a campaign: known ones by id, or new ones in full, never both."""

    lead_ids: tuple[UUID, ...] | None = Field(default=None, min_length=1, max_length=MAX_ENROLLED_IDS)
    leads: tuple[RawRow, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_BULK_ROWS,
        description="each row has the fields of POST /v1/leads; a bad row is reported and does not fail the others",
    )
    mode: BulkMode = BulkMode.MERGE

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.lead_ids is None) == (self.leads is None):
            raise ValueError("lead_ids: give either lead_ids or leads")
        return self


class EnrolResult(Wire):
    """What became of the leads sent.

    Attributes:
        already_enrolled: leads that were in the campaign before, left as they are.
        number_invalid: enrolled, but never called because their number cannot exist.
        errors: rows that were refused; `index` counts within what was sent.
    """

    campaign_id: UUID
    total_processed: int
    enrolled: int
    already_enrolled: int
    duplicates: int
    number_invalid: int
    invalid: int
    errors: tuple[RowFault, ...]


class WhyNot(Wire):
    """Why a lead is not called now: the first blocker and the cheapest way to remove it.

    Attributes:
        hold: never, time (passes by itself), capacity, or person (somebody must act).
        until: when to look again; null when only an action helps.
    """

    code: ReasonCode
    hold: Hold
    text: str
    fix: str
    until: Instant | None


class EnrolledLead(Wire):
    """Where one lead stands in a campaign.

    Attributes:
        zones: the time zones the person may be in; calls fit all of them.
        zone_source: where they come from: lead, number, campaign or unknown.
        why: null when nothing stands in the way or the lead is on the phone.
    """

    lead_id: UUID
    phone_number: str
    name: str | None
    state: EnrolmentState
    attempts_used: int
    attempts_left: int
    next_attempt_at: Instant | None
    zones: tuple[str, ...]
    zone_source: str
    last_call_id: UUID | None
    last_outcome: Outcome | None
    disposition: str | None
    why: WhyNot | None
    enrolled_at: Instant


class EnrolledLeadQuery(PageQuery):
    """Filters of GET /v1/campaigns/{id}/leads."""

    state: EnrolmentState | None = None
