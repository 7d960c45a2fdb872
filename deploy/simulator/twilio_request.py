"""What a dial request asks for: form fields of Twilio's create-call, read and judged. No I/O.

Source: Twilio, create a Call resource; error codes from its error dictionary.
"""

import re
from dataclasses import dataclass
from typing import Final

from multidict import MultiMapping

_E164: Final = re.compile(r"\+[1-9]\d{6,14}")
_EVENTS: Final = frozenset({"initiated", "ringing", "answered", "completed"})
_TWIML_CHARS: Final = 4000
_RING_DEFAULT_S: Final = 60
_RING_MAX_S: Final = 600
_TALK_DEFAULT_S: Final = 14_400
_DIGITS_CHARS: Final = 32


class RefusedRequest(ValueError):
    """A request Twilio answers with 400 and a code of its own."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class DialRequest:
    """A dial request that Twilio accepts."""

    to: str
    from_number: str
    twiml: str
    url: str
    status_callback: str
    status_events: frozenset[str]
    ring_s: float
    talk_s: float
    machine_detection: str
    async_amd: bool
    amd_callback: str
    send_digits: str


def read_dial(form: MultiMapping[str]) -> DialRequest:
    """Read a create-call form.

    Raises:
        RefusedRequest: Twilio would not place this call.
    """
    to, from_number = form.get("To", ""), form.get("From", "")
    twiml, url = form.get("Twiml", ""), form.get("Url", "")
    _judge_numbers(to, from_number)
    if not (twiml or url):
        raise RefusedRequest(21205, "Url parameter is required.")
    if len(twiml) > _TWIML_CHARS and not url:
        raise RefusedRequest(20001, f"Twiml exceeds {_TWIML_CHARS} characters")
    if len(form.get("SendDigits", "")) > _DIGITS_CHARS:
        raise RefusedRequest(21219, "SendDigits is too long")
    events = frozenset(name for each in form.getall("StatusCallbackEvent", []) for name in each.split())
    if not events <= _EVENTS:
        raise RefusedRequest(21626, f"Invalid StatusCallbackEvent: {', '.join(sorted(events - _EVENTS))}")
    return DialRequest(
        to=to,
        from_number=from_number,
        twiml="" if url else twiml,
        url=url,
        status_callback=form.get("StatusCallback", ""),
        status_events=events or frozenset({"completed"}),
        ring_s=min(_seconds(form, "Timeout", _RING_DEFAULT_S), _RING_MAX_S),
        talk_s=_seconds(form, "TimeLimit", _TALK_DEFAULT_S),
        machine_detection="" if form.get("SendDigits") else form.get("MachineDetection", ""),
        async_amd=form.get("AsyncAmd", "").lower() == "true",
        amd_callback=form.get("AsyncAmdStatusCallback", ""),
        send_digits=form.get("SendDigits", ""),
    )


def _judge_numbers(to: str, from_number: str) -> None:
    if not to:
        raise RefusedRequest(21201, "No 'To' number is specified")
    if not from_number:
        raise RefusedRequest(21213, "Caller phone number is required: No 'From' number specified")
    if not _E164.fullmatch(to):
        raise RefusedRequest(21211, f"The phone number you are attempting to call, {to}, is not valid.")
    if not _E164.fullmatch(from_number):
        raise RefusedRequest(21212, f"The source phone number provided, {from_number}, is not yet verified.")


def _seconds(form: MultiMapping[str], name: str, default: int) -> int:
    text = form.get(name, "")
    if not text:
        return default
    if not text.isdigit() or int(text) == 0:
        raise RefusedRequest(20001, f"Invalid {name}: {text}")
    return int(text)
