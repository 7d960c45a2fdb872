"""Twilio's words for how a call stands, as tables, and what each means to us.

One home for both readers: status callbacks and call records fetched over REST. An unknown word is loud: the caller of
`outcome_of` gets FAILED, never a silent success. Source: Twilio, Call resource (Status), status callback parameters,
AnsweredBy values.
"""

from schema.outcomes import AnsweredBy, Outcome

LIVE_STATUSES = frozenset({"queued", "initiated", "ringing", "in-progress"})

_ENDED: dict[str, Outcome | None] = {
    "completed": None,
    "busy": Outcome.BUSY,
    "no-answer": Outcome.NO_ANSWER,
    "failed": Outcome.FAILED,
    "canceled": Outcome.CANCELLED,
}

_SIP_SAYS: dict[str, Outcome] = {
    "404": Outcome.INVALID_NUMBER,
    "410": Outcome.INVALID_NUMBER,
    "484": Outcome.INVALID_NUMBER,
    "604": Outcome.INVALID_NUMBER,
    "603": Outcome.REJECTED,
    "607": Outcome.REJECTED,
    "608": Outcome.REJECTED,
}
"""SIP answers that say more than `failed` or `busy` does: no such number, or the callee declined."""

ANSWERED_BY: dict[str, AnsweredBy] = {
    "human": AnsweredBy.HUMAN,
    "machine_start": AnsweredBy.VOICEMAIL,
    "machine_end_beep": AnsweredBy.VOICEMAIL,
    "machine_end_silence": AnsweredBy.VOICEMAIL,
    "machine_end_other": AnsweredBy.VOICEMAIL,
    "fax": AnsweredBy.VOICEMAIL,
    "unknown": AnsweredBy.UNKNOWN,
}


def has_ended(status: str) -> bool:
    """Tell whether the status is one of a call that is over."""
    return status in _ENDED


def outcome_of(status: str, sip_code: str = "") -> Outcome | None:
    """Name the outcome of an ended call; None for an answered one that completed. `sip_code` refines failed, busy."""
    outcome = _ENDED.get(status, Outcome.FAILED)
    if outcome in (Outcome.FAILED, Outcome.BUSY):
        return _SIP_SAYS.get(sip_code, outcome)
    return outcome
