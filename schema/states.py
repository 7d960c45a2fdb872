"""The states of calls, enrolments and campaigns, and what each one means.

Each state says who moves it on and after how long. Which transition happens when is decided in `dispatcher`;
this module only lists what exists and which moves are legal. Follows ARCHITECTURE.md, "Call states".
"""

from enum import StrEnum


class CallStatus(StrEnum):
    """Public execution status of a call, as the API and webhooks show it."""

    PENDING = "pending"
    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class CallPhase(StrEnum):
    """Internal phase of a call.

    scheduled: accepted, not yet sent to a media worker. The claim tick moves it on when it is due and capacity is free.
    claimed: leased for a media worker that has not yet asked the carrier. `take` moves it on within the claim lease;
        the rescue tick returns it, unspent, when the lease runs out. The only phase taken back automatically.
    dialing: the carrier may have been asked. The media worker moves it on; after its lease the rescue asks the carrier.
    ringing: the carrier reports ringing. Moved on by the carrier's next event, at most the ring timeout later.
    answered: a live conversation. Ends by either side or at max_duration; after its lease the rescue asks the carrier.
    ended: terminal, the carrier's story is complete.
    cancelled: terminal, never dialled, taken back by a person, a pause or a stop.
    expired: terminal, never dialled, its time ran out.
    ambiguous: terminal for the machine, the carrier could not tell whether it dialled. Only a person re-dials it.
    """

    SCHEDULED = "scheduled"
    CLAIMED = "claimed"
    DIALING = "dialing"
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    AMBIGUOUS = "ambiguous"


LIVE_PHASES = (
    CallPhase.CLAIMED,
    CallPhase.DIALING,
    CallPhase.RINGING,
    CallPhase.ANSWERED,
)
"""Phases that occupy a slot, a caller id and the callee's number. Capacity is counted from rows in these phases."""

TERMINAL_PHASES = (
    CallPhase.ENDED,
    CallPhase.CANCELLED,
    CallPhase.EXPIRED,
    CallPhase.AMBIGUOUS,
)

CALL_MOVES: dict[CallPhase, frozenset[CallPhase]] = {
    CallPhase.SCHEDULED: frozenset({CallPhase.CLAIMED, CallPhase.CANCELLED, CallPhase.EXPIRED}),
    CallPhase.CLAIMED: frozenset({CallPhase.SCHEDULED, CallPhase.DIALING, CallPhase.CANCELLED, CallPhase.EXPIRED}),
    CallPhase.DIALING: frozenset({CallPhase.RINGING, CallPhase.ANSWERED, CallPhase.ENDED, CallPhase.AMBIGUOUS}),
    CallPhase.RINGING: frozenset({CallPhase.ANSWERED, CallPhase.ENDED, CallPhase.AMBIGUOUS}),
    CallPhase.ANSWERED: frozenset({CallPhase.ENDED, CallPhase.AMBIGUOUS}),
    CallPhase.ENDED: frozenset(),
    CallPhase.CANCELLED: frozenset(),
    CallPhase.EXPIRED: frozenset(),
    CallPhase.AMBIGUOUS: frozenset({CallPhase.ENDED}),
}


class EnrolmentState(StrEnum):
    """State of a lead inside a campaign.

    pending: never called here. The claim tick moves it on once it is due and allowed.
    due: asked for by an explicit execution request; otherwise like pending.
    claimed: a call row exists and waits for a media worker.
    in_call: the call is being dialled or is live.
    retry_wait: called before; due again at `next_due_at`.
    completed: reached, or closed by an outcome rule. Terminal.
    exhausted: the attempt budget is spent. Terminal.
    skipped: never callable here; `skip_reason` says why. Terminal until its cause is mended.
    cancelled: taken out by a person or by stopping the campaign. Terminal.
    expired: the campaign ended before its turn. Terminal.
    """

    PENDING = "pending"
    DUE = "due"
    CLAIMED = "claimed"
    IN_CALL = "in_call"
    RETRY_WAIT = "retry_wait"
    COMPLETED = "completed"
    EXHAUSTED = "exhausted"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


WAITING_ENROLMENTS = (
    EnrolmentState.PENDING,
    EnrolmentState.DUE,
    EnrolmentState.RETRY_WAIT,
)
"""States the claim tick looks at."""

OPEN_ENROLMENTS = (*WAITING_ENROLMENTS, EnrolmentState.CLAIMED, EnrolmentState.IN_CALL)
"""A campaign is complete when no enrolment is in one of these."""


class CampaignStatus(StrEnum):
    """Status of a campaign. draft and paused place no calls; completed and cancelled are terminal."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


CAMPAIGN_MOVES: dict[CampaignStatus, frozenset[CampaignStatus]] = {
    CampaignStatus.DRAFT: frozenset({CampaignStatus.SCHEDULED, CampaignStatus.RUNNING, CampaignStatus.CANCELLED}),
    CampaignStatus.SCHEDULED: frozenset({CampaignStatus.RUNNING, CampaignStatus.DRAFT, CampaignStatus.CANCELLED}),
    CampaignStatus.RUNNING: frozenset({CampaignStatus.PAUSED, CampaignStatus.COMPLETED, CampaignStatus.CANCELLED}),
    CampaignStatus.PAUSED: frozenset({CampaignStatus.RUNNING, CampaignStatus.CANCELLED}),
    CampaignStatus.COMPLETED: frozenset(),
    CampaignStatus.CANCELLED: frozenset(),
}


class StatusReason(StrEnum):
    """Why a campaign has its status."""

    USER = "user"
    QUOTA_EXHAUSTED = "quota_exhausted"
    ERROR_RATE = "error_rate"
    END_AT_REACHED = "end_at_reached"
    ALL_LEADS_DONE = "all_leads_done"
    START_AT = "start_at"


class LeadStatus(StrEnum):
    """Where a person stands. Never moves from Converted or Unsubscribed back to Contacted."""

    NEW = "New"
    CONTACTED = "Contacted"
    CONVERTED = "Converted"
    UNSUBSCRIBED = "Unsubscribed"
