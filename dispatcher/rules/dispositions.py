"""The built-in business conclusion of a call, used where the account's own rules name none.

Does not know transcripts or analysis results.
"""

from schema.outcomes import Outcome

BUILT_IN: dict[Outcome, str] = {
    Outcome.HUMAN: "no_outcome",
    Outcome.VOICEMAIL: "voicemail",
    Outcome.IVR: "ivr",
    Outcome.NO_SPEECH: "no_speech",
    Outcome.NO_ANSWER: "no_answer",
    Outcome.BUSY: "busy",
    Outcome.REJECTED: "rejected",
    Outcome.INVALID_NUMBER: "invalid_number",
    Outcome.FAILED: "failed",
    Outcome.CARRIER_REFUSED: "failed",
    Outcome.CANCELLED: "cancelled",
    Outcome.EXPIRED: "expired",
    Outcome.AMBIGUOUS: "ambiguous",
}


def disposition_of(outcome: Outcome) -> str:
    """Return the built-in disposition of an outcome."""
    return BUILT_IN[outcome]
