"""Creating and steering calls over HTTP.

`CreateCall` is one of three shapes: a task, full instructions, or the execution of a campaign's next attempt. How a
call sounds is `schema.call_config`; what is shown of it afterwards is `schema.records`.
"""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Discriminator, Field, RootModel, StringConstraints, Tag

from schema.call_config import CallConfig
from schema.outcomes import AnsweredBy, TelephonyStatus
from schema.pages import PageQuery
from schema.records import TranscriptLine
from schema.states import CallStatus
from schema.wire import E164, Fields, Instant, Prompt, Wire

ExecutionKey = Annotated[str, StringConstraints(min_length=8, max_length=255)]
AttemptNumber = Annotated[int, Field(ge=1, le=1_000)]

EXECUTION = "execution"
TASK = "task"
INSTRUCTIONS = "instructions"


class DirectCall(CallConfig):
    """One call to a given number, with its own configuration.

    Attributes:
        lead_id: a lead of the account; its fields become variables of the conversation.
        campaign_id: a campaign of the account to which the call is counted.
        lead_context: variables of the conversation; they win over the lead's fields of the same name.
        scheduled_at: when to dial; now when absent.
        idempotency_key: the same key always names the same call.
    """

    phone_number: E164
    lead_id: UUID | None = None
    campaign_id: UUID | None = None
    lead_context: Fields = Field(default_factory=dict)
    scheduled_at: Instant | None = None
    idempotency_key: ExecutionKey | None = None
    attempt_number: AttemptNumber | None = None


class TaskCall(DirectCall):
    """A direct call told what to do in a sentence or two."""

    task: Prompt


class InstructionsCall(DirectCall):
    """A direct call with full system instructions."""

    instructions: Prompt


class CampaignExecution(Wire):
    """The next attempt of a lead in a campaign, under the campaign's rules.

    Attributes:
        attempt_number: the attempts already used, plus one.
        scheduled_at: not before this instant; the calling window still applies.
    """

    campaign_id: UUID
    lead_id: UUID
    idempotency_key: ExecutionKey
    attempt_number: AttemptNumber
    scheduled_at: Instant | None = None
    lead_context: Fields = Field(default_factory=dict)


def _shape(body: object) -> str:
    if not isinstance(body, dict):
        return TASK
    if "phone_number" not in body and "campaign_id" in body:
        return EXECUTION
    return INSTRUCTIONS if "instructions" in body and "task" not in body else TASK


class CreateCall(
    RootModel[
        Annotated[
            Annotated[TaskCall, Tag(TASK)]
            | Annotated[InstructionsCall, Tag(INSTRUCTIONS)]
            | Annotated[CampaignExecution, Tag(EXECUTION)],
            Discriminator(_shape),
        ]
    ]
):
    """POST /v1/calls: `task`, or `instructions`, or a campaign execution without `phone_number`."""


class CreatedCall(Wire):
    """The call that was created, or found under its idempotency key."""

    call_id: UUID
    provider_call_id: str | None
    status: CallStatus


class CallQuery(PageQuery):
    """Filters of GET /v1/calls; all given ones must match."""

    status: CallStatus | None = None
    call_status: TelephonyStatus | None = None
    disposition: Annotated[str, StringConstraints(max_length=64)] | None = None
    answered_by: AnsweredBy | None = None
    campaign_id: UUID | None = None
    lead_id: UUID | None = None
    phone_number: E164 | None = None
    created_from: Instant | None = Field(default=None, description="inclusive")
    created_to: Instant | None = Field(default=None, description="exclusive")


class CallMoved(Wire):
    """The answer to stop and cancel: the status after it."""

    ok: Literal[True] = True
    call_id: UUID
    status: CallStatus


class CallTimelineEntry(Wire):
    """One thing that happened to a call."""

    id: int
    kind: str
    at: Instant
    data: dict[str, object]


class CallTimeline(Wire):
    """Everything that happened to a call, in order."""

    call_id: UUID
    data: tuple[CallTimelineEntry, ...]


class Transcript(Wire):
    """What was said in a call, in order; empty until it has ended."""

    call_id: UUID
    completed: bool
    transcript: tuple[TranscriptLine, ...]
