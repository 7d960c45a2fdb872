"""What an account is shown of a call and of a campaign, over the API and in webhooks alike.

One shape for both roads, so a receiver and a reader never see two truths. Which facts fill it is decided in
`dispatcher.services.call_record` and `dispatcher.services.campaign_record`. Follows docs of the call object: durations
in decimal minutes, `status` apart from `call_status`, `completed` true once post-processing is over.
"""

from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from schema.events import EventType
from schema.outcomes import AnsweredBy, EndReason, Outcome, TelephonyStatus
from schema.states import CallStatus, CampaignStatus
from schema.wire import Instant

API_VERSION: Literal["v1"] = "v1"


class Shown(BaseModel):
    """A JSON object we send: closed and immutable; its texts are ours, so their length is not bounded."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TranscriptLine(Shown):
    """One utterance. `user` says who spoke: the agent is `assistant`, the callee is `user`."""

    id: int
    user: Literal["assistant", "user"]
    text: str
    created_at: Instant


class ToolCallLine(Shown):
    """One tool the agent used; `at_ms` counts from the answer."""

    name: str
    arguments: dict[str, object]
    result: dict[str, object]
    at_ms: int
    took_ms: int


class CallRecord(Shown):
    """Everything an account may know of one of its calls.

    Attributes:
        duration: minutes talked, decimal.
        billed_minutes: minutes charged, decimal.
        transcript: None in a webhook whose transcript is too long to inline; `transcript_url` then says where it is.
        recording_url: None until there is a recording.
        latency: per stage, percentiles in milliseconds.
        completed: post-processing is over; nothing of the record will change.
    """

    call_id: UUID
    id: UUID
    account_id: UUID
    phone_number: str
    from_phone_number: str
    direction: Literal["outbound"] = "outbound"
    status: CallStatus
    call_status: TelephonyStatus | None
    answered_by: AnsweredBy | None
    outcome: Outcome | None
    disposition: str | None
    end_reason: EndReason | None
    error_message: str | None
    duration: float
    billed_minutes: float
    transcript: tuple[TranscriptLine, ...] | None
    transcript_url: str
    recording_url: str | None
    call_summary: str | None
    sentiment: str | None
    analysis: dict[str, object] | None
    analysis_error: str | None
    tool_calls: tuple[ToolCallLine, ...]
    latency: dict[str, dict[str, float]]
    campaign_id: UUID | None
    lead_id: UUID | None
    attempt_number: int | None
    metadata: dict[str, object]
    completed: bool
    created_at: Instant
    started_at: Instant | None
    end_at: Instant | None
    provider_call_id: str | None


class CampaignStats(Shown):
    """Where a campaign's leads and calls stand.

    Attributes:
        leads: enrolments by state; every state is present.
        outcomes: ended calls by outcome; only outcomes that occurred.
        dispositions: ended calls by disposition; only dispositions that occurred.
        minutes_talked: decimal minutes of all ended calls.
        minutes_billed: decimal minutes charged for all ended calls.
    """

    leads_total: int
    leads: dict[str, int]
    calls_total: int
    calls_live: int
    calls_connected: int
    outcomes: dict[str, int]
    dispositions: dict[str, int]
    minutes_talked: float
    minutes_billed: float


class CampaignRecord(Shown):
    """A campaign as its webhooks show it."""

    campaign_id: UUID
    name: str
    status: CampaignStatus
    status_reason: str | None
    stats: CampaignStats


class WebhookEnvelope(Shown):
    """The body of every webhook. `id` is the same in every try, and equals the `webhook-id` header."""

    id: str = Field(pattern=r"^evt_[0-9a-f]{32}$")
    type: EventType
    created_at: Instant
    api_version: Literal["v1"] = API_VERSION
    account_id: UUID
    data: CallRecord | CampaignRecord
