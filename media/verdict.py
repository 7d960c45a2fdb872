"""What became of one call: the facts a session collects, and the outcome they amount to. Pure.

Rules: a carrier's refusal or ring result stands as it is; a fault of carrier, provider or gateway after the answer is a
failed call; a machine is voicemail whatever was said; who spoke, or whom the carrier took for a person, is human.
"""

from dataclasses import dataclass
from datetime import datetime

from schema.outcomes import END_REASON_FAULTS, UNBILLED_FAULTS, AnsweredBy, EndReason, Outcome

RING_RESULTS: dict[Outcome, EndReason] = {
    Outcome.BUSY: EndReason.DIAL_BUSY,
    Outcome.NO_ANSWER: EndReason.DIAL_NO_ANSWER,
    Outcome.REJECTED: EndReason.DIAL_REJECTED,
    Outcome.INVALID_NUMBER: EndReason.DIAL_INVALID_NUMBER,
}
"""End reasons of calls that the carrier ended before the answer; anything else is DIAL_FAILED."""

UNANSWERED: dict[EndReason, Outcome] = {
    EndReason.API_STOP: Outcome.CANCELLED,
    EndReason.API_CANCEL: Outcome.CANCELLED,
    EndReason.CAMPAIGN_STOPPED: Outcome.CANCELLED,
    EndReason.DIAL_NO_ANSWER: Outcome.NO_ANSWER,
    EndReason.NEVER_TAKEN: Outcome.CARRIER_REFUSED,
}
"""Outcomes of calls that we ended before the answer; anything else is FAILED."""

ANSWERED_BY: dict[AnsweredBy, Outcome] = {
    AnsweredBy.HUMAN: Outcome.HUMAN,
    AnsweredBy.VOICEMAIL: Outcome.VOICEMAIL,
    AnsweredBy.IVR: Outcome.IVR,
}
"""What the carrier's word on who picked up makes of a call; anything else is decided by who spoke."""


@dataclass(slots=True)
class CallFacts:
    """What is known of a call so far. `_at` without `_utc` are monotonic seconds.

    Attributes:
        dial_unknown: nobody knows whether the carrier placed the call.
        carrier_spoke: the carrier called back or opened the media socket, so it did place it.
        carrier_ended: the carrier has reported the end; there is nothing to hang up.
        carrier_outcome: its refusal, or its result of ringing.
    """

    provider_call_id: str | None = None
    dial_unknown: bool = False
    carrier_spoke: bool = False
    carrier_ended: bool = False
    carrier_outcome: Outcome | None = None
    answered_by: AnsweredBy | None = None
    answered_at: float | None = None
    answered_at_utc: datetime | None = None
    end_reason: EndReason | None = None
    ended_at: float = 0.0
    ended_at_utc: datetime | None = None
    error_message: str | None = None

    @property
    def talked_s(self) -> float:
        """Seconds from answer to end, 0 when nobody answered."""
        return max(0.0, self.ended_at - self.answered_at) if self.answered_at is not None else 0.0


def outcome_of(facts: CallFacts, end_reason: EndReason, *, callee_spoke: bool) -> Outcome:
    """Return the technical result of an ended call."""
    if facts.carrier_outcome is not None:
        return facts.carrier_outcome
    if facts.answered_at is None:
        if facts.dial_unknown and not facts.carrier_spoke:
            return Outcome.AMBIGUOUS
        return UNANSWERED.get(end_reason, Outcome.FAILED)
    if END_REASON_FAULTS[end_reason] in UNBILLED_FAULTS:
        return Outcome.FAILED
    by_nobody = Outcome.HUMAN if callee_spoke else Outcome.NO_SPEECH
    return ANSWERED_BY.get(facts.answered_by, by_nobody) if facts.answered_by is not None else by_nobody


def who_answered(facts: CallFacts, outcome: Outcome) -> AnsweredBy | None:
    """Return who picked up: the carrier's word, else a person who was heard speaking; None when nobody did."""
    if facts.answered_at is None:
        return None
    if facts.answered_by in (None, AnsweredBy.UNKNOWN) and outcome is Outcome.HUMAN:
        return AnsweredBy.HUMAN
    return facts.answered_by or AnsweredBy.UNKNOWN
