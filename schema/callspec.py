"""What passes between the dispatcher and a media worker about one call.

`CallSpec` goes out when a worker takes a call; `Progress` comes back while it lives; `CallResult` exactly once at its
end. Frozen values without behaviour: `media` knows nothing else of a call, `dispatcher` nothing else of its sound.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from schema.call_config import CallConfig
from schema.outcomes import AnsweredBy, EndReason, Outcome
from schema.states import CallPhase


@dataclass(frozen=True, slots=True)
class Claim:
    """A doorbell message: which call, under which fence. All a Celery message ever carries."""

    call_id: UUID
    lease_token: int


@dataclass(frozen=True, slots=True)
class CallSpec:
    """All a media worker needs to dial and hold one conversation.

    Attributes:
        config: prompts with their templates already filled.
        stream_token: secret of the media socket, 256 bit, URL-safe text; used once, for this call only.
        dial_deadline_s: seconds of the lease within which the carrier may be asked, on the worker's monotonic clock.
        hold_s: seconds of quota held, the hard limit of talk time.
    """

    call_id: UUID
    account_id: UUID
    campaign_id: UUID | None
    lease_token: int
    phone_number: str
    from_number: str
    config: CallConfig
    lead_context: dict[str, object]
    stream_token: str
    dial_deadline_s: float
    hold_s: int


@dataclass(frozen=True, slots=True)
class Progress:
    """A live call moved on: dialled (the carrier gave an id), ringing or answered."""

    call_id: UUID
    lease_token: int
    phase: CallPhase
    at: datetime
    provider_call_id: str | None = None
    answered_by: AnsweredBy | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One side's utterance. Agent text is cut to what was heard; times are ms after the answer."""

    position: int
    speaker: str
    text: str
    started_ms: int
    ended_ms: int
    interrupted: bool = False
    latency_ms: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One tool invocation during a call; `arguments` and `result` are JSON-ready."""

    name: str
    arguments: dict[str, object]
    result: dict[str, object]
    at_ms: int
    took_ms: int


@dataclass(frozen=True, slots=True)
class CallResult:
    """The one terminal record of a call.

    Attributes:
        talked_s: seconds from answer to hang-up, 0 when nobody answered.
        recording_path: stereo WAV, callee left, agent as heard right; None when not recorded.
        opted_out: the callee asked not to be called again.
    """

    call_id: UUID
    lease_token: int
    outcome: Outcome
    end_reason: EndReason
    answered_by: AnsweredBy | None
    provider_call_id: str | None
    talked_s: float
    answered_at: datetime | None
    ended_at: datetime
    turns: tuple[Turn, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    latency_ms: dict[str, dict[str, int]] = field(default_factory=dict)
    recording_path: str | None = None
    error_message: str | None = None
    opted_out: bool = False


@dataclass(frozen=True, slots=True)
class WorkerPulse:
    """One heartbeat of a media worker process: its identity, slots and the leases it renews."""

    worker_id: str
    address: str
    slots: int
    draining: bool
    leases: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Orphan:
    """A call whose worker is gone after the carrier may have been asked; to be settled by asking the carrier."""

    call_id: UUID
    lease_token: int
    phone_number: str
    from_number: str
    provider_call_id: str | None
    dialing_at: datetime
    answered_at: datetime | None
    known_provider_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OrphanFinding:
    """What the carrier said about an orphan.

    Attributes:
        asked: False when the carrier could not be asked; the call is then left as it is.
        provider_call_id: the carrier's call, or None when it has none of ours.
        talked_s: the carrier's own duration of it.
    """

    call_id: UUID
    lease_token: int
    asked: bool
    provider_call_id: str | None = None
    outcome: Outcome | None = None
    talked_s: float = 0.0
