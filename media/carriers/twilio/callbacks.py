"""Reads Twilio's webhooks about a call: status callbacks and the asynchronous machine detection. No I/O.

Both kinds may come to the same address. Callbacks arrive late, doubled and out of order; `rank` lets the reader drop
what a later event has overtaken. Whether a callback is genuine is decided in `signature`.
"""

from collections.abc import Mapping
from typing import assert_never

from media.carriers.twilio.statuses import ANSWERED_BY, has_ended, outcome_of
from media.ports import CarrierAnswered, CarrierEnded, CarrierEvent, CarrierMachineResult, CarrierRinging
from schema.outcomes import AnsweredBy


def parse_status(form: Mapping[str, str]) -> CarrierEvent | None:
    """Read one callback; None when it says nothing new (queued, initiated, or a word we do not know)."""
    status = form.get("CallStatus")
    if status is None:
        return parse_machine(form)
    if status == "ringing":
        return CarrierRinging()
    if status == "in-progress":
        return CarrierAnswered()
    if not has_ended(status):
        return None
    sip_code = form.get("SipResponseCode", "")
    detail = f"{status} (SIP {sip_code})" if sip_code else status
    return CarrierEnded(outcome_of(status, sip_code), _seconds(form.get("CallDuration")), detail)


def parse_machine(form: Mapping[str, str]) -> CarrierMachineResult | None:
    """Read a machine detection callback; None when it carries no verdict. A new word counts as unknown."""
    verdict = form.get("AnsweredBy")
    if not verdict:
        return None
    return CarrierMachineResult(ANSWERED_BY.get(verdict, AnsweredBy.UNKNOWN))


def rank(event: CarrierEvent) -> int:
    """Order events along a call's life: an event below the highest rank seen is late and means nothing."""
    match event:
        case CarrierRinging():
            return 1
        case CarrierAnswered() | CarrierMachineResult():
            return 2
        case CarrierEnded():
            return 3
    assert_never(event)


def _seconds(text: str | None) -> float:
    try:
        return max(0.0, float(text or 0))
    except ValueError:
        return 0.0
