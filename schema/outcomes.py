"""How a call can end, as closed enums with a table of facts each.

`Outcome` is the technical result the dispatcher plans by; `EndReason` names what ended the call and whose fault it was;
`TelephonyStatus` and `AnsweredBy` are what the caller of the API sees beside them. The account's own conclusion
(disposition) is free text and lives with the call. Source: the create-call contract and the carriers' result tables.
"""

from dataclasses import dataclass
from enum import StrEnum

from schema.states import CallStatus


class AnsweredBy(StrEnum):
    """Who picked up."""

    HUMAN = "human"
    VOICEMAIL = "voicemail"
    IVR = "ivr"
    UNKNOWN = "unknown"


class TelephonyStatus(StrEnum):
    """`call_status`: the telephony result, apart from the execution status."""

    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    FAILED = "failed"
    NO_ANSWER = "no-answer"
    BUSY = "busy"
    REJECTED = "rejected"
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    """Closed technical result of one call."""

    HUMAN = "human"
    VOICEMAIL = "voicemail"
    IVR = "ivr"
    NO_SPEECH = "no_speech"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    INVALID_NUMBER = "invalid_number"
    FAILED = "failed"
    CARRIER_REFUSED = "carrier_refused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class OutcomeFacts:
    """What an outcome means to planning, billing and the public record.

    Attributes:
        status: the public status of a call that ended so.
        call_status: the telephony result shown beside it.
        spends_attempt: whether it counts against the lead's attempt budget.
        retry_as: the `retry_on` word that allows another attempt, or None when it is never retried by itself.
        permanent: whether the number itself is to blame, for good.
    """

    status: CallStatus
    call_status: TelephonyStatus
    spends_attempt: bool
    retry_as: str | None
    permanent: bool = False


OUTCOMES: dict[Outcome, OutcomeFacts] = {
    Outcome.HUMAN: OutcomeFacts(CallStatus.COMPLETED, TelephonyStatus.COMPLETED, True, None),
    Outcome.VOICEMAIL: OutcomeFacts(CallStatus.COMPLETED, TelephonyStatus.COMPLETED, True, "voicemail"),
    Outcome.IVR: OutcomeFacts(CallStatus.COMPLETED, TelephonyStatus.COMPLETED, True, None),
    Outcome.NO_SPEECH: OutcomeFacts(CallStatus.COMPLETED, TelephonyStatus.COMPLETED, True, "no_answer"),
    Outcome.NO_ANSWER: OutcomeFacts(CallStatus.FAILED, TelephonyStatus.NO_ANSWER, True, "no_answer"),
    Outcome.BUSY: OutcomeFacts(CallStatus.FAILED, TelephonyStatus.BUSY, True, "busy"),
    Outcome.REJECTED: OutcomeFacts(CallStatus.FAILED, TelephonyStatus.REJECTED, True, None),
    Outcome.INVALID_NUMBER: OutcomeFacts(CallStatus.FAILED, TelephonyStatus.FAILED, True, None, permanent=True),
    Outcome.FAILED: OutcomeFacts(CallStatus.FAILED, TelephonyStatus.FAILED, True, "failed"),
    Outcome.CARRIER_REFUSED: OutcomeFacts(CallStatus.FAILED, TelephonyStatus.FAILED, False, None),
    Outcome.CANCELLED: OutcomeFacts(CallStatus.CANCELLED, TelephonyStatus.CANCELLED, False, None),
    Outcome.EXPIRED: OutcomeFacts(CallStatus.FAILED, TelephonyStatus.FAILED, False, None),
    Outcome.AMBIGUOUS: OutcomeFacts(CallStatus.FAILED, TelephonyStatus.FAILED, True, None),
}


class Fault(StrEnum):
    """Whose doing an end was."""

    NOBODY = "nobody"
    CALLEE = "callee"
    CARRIER = "carrier"
    PROVIDER = "provider"
    GATEWAY = "gateway"
    ACCOUNT = "account"


class EndReason(StrEnum):
    """What ended a call. The prefix names whose fault it was where it was one."""

    USER_HANGUP = "user_hangup"
    AGENT_END_CALL = "agent_end_call"
    MAX_DURATION = "max_duration"
    INACTIVITY_TIMEOUT = "inactivity_timeout"
    VOICEMAIL_HANGUP = "voicemail_hangup"
    API_STOP = "api_stop"
    API_CANCEL = "api_cancel"
    CAMPAIGN_STOPPED = "campaign_stopped"
    GATE_REFUSED = "gate_refused"
    NEVER_TAKEN = "never_taken"
    DIAL_BUSY = "dial.busy"
    DIAL_NO_ANSWER = "dial.no_answer"
    DIAL_REJECTED = "dial.rejected"
    DIAL_INVALID_NUMBER = "dial.invalid_number"
    DIAL_FAILED = "dial.failed"
    CARRIER_REFUSED = "error.carrier.refused"
    CARRIER_AUTH = "error.carrier.auth"
    CARRIER_UNREACHABLE = "error.carrier.unreachable"
    CARRIER_NO_STREAM = "error.carrier.no_stream"
    CARRIER_STREAM_LOST = "error.carrier.stream_lost"
    CARRIER_UNKNOWN = "error.carrier.unknown_result"
    PROVIDER_AUTH = "error.provider.auth"
    PROVIDER_CLOSED = "error.provider.closed"
    PROVIDER_TIMEOUT = "error.provider.timeout"
    PROVIDER_ERROR = "error.provider.error"
    WORKER_LOST = "error.gateway.worker_lost"
    WORKER_SHUTDOWN = "error.gateway.worker_shutdown"
    GATEWAY_INTERNAL = "error.gateway.internal"


END_REASON_FAULTS: dict[EndReason, Fault] = {
    EndReason.USER_HANGUP: Fault.NOBODY,
    EndReason.AGENT_END_CALL: Fault.NOBODY,
    EndReason.MAX_DURATION: Fault.NOBODY,
    EndReason.INACTIVITY_TIMEOUT: Fault.CALLEE,
    EndReason.VOICEMAIL_HANGUP: Fault.NOBODY,
    EndReason.API_STOP: Fault.ACCOUNT,
    EndReason.API_CANCEL: Fault.ACCOUNT,
    EndReason.CAMPAIGN_STOPPED: Fault.ACCOUNT,
    EndReason.GATE_REFUSED: Fault.NOBODY,
    EndReason.NEVER_TAKEN: Fault.GATEWAY,
    EndReason.DIAL_BUSY: Fault.CALLEE,
    EndReason.DIAL_NO_ANSWER: Fault.CALLEE,
    EndReason.DIAL_REJECTED: Fault.CALLEE,
    EndReason.DIAL_INVALID_NUMBER: Fault.ACCOUNT,
    EndReason.DIAL_FAILED: Fault.CARRIER,
    EndReason.CARRIER_REFUSED: Fault.CARRIER,
    EndReason.CARRIER_AUTH: Fault.CARRIER,
    EndReason.CARRIER_UNREACHABLE: Fault.CARRIER,
    EndReason.CARRIER_NO_STREAM: Fault.CARRIER,
    EndReason.CARRIER_STREAM_LOST: Fault.CARRIER,
    EndReason.CARRIER_UNKNOWN: Fault.CARRIER,
    EndReason.PROVIDER_AUTH: Fault.PROVIDER,
    EndReason.PROVIDER_CLOSED: Fault.PROVIDER,
    EndReason.PROVIDER_TIMEOUT: Fault.PROVIDER,
    EndReason.PROVIDER_ERROR: Fault.PROVIDER,
    EndReason.WORKER_LOST: Fault.GATEWAY,
    EndReason.WORKER_SHUTDOWN: Fault.GATEWAY,
    EndReason.GATEWAY_INTERNAL: Fault.GATEWAY,
}

UNBILLED_FAULTS = frozenset({Fault.GATEWAY, Fault.PROVIDER, Fault.CARRIER})
"""Talk time of a call that one of these ended is not charged."""
