"""What is said to Twilio's REST interface about calls, and what its answers mean. No I/O.

The one hard question is here: did a dial that did not succeed reach anybody? Only an answer that proves a refusal
counts as one; everything else is `DialUnknown`, which is never dialled again by itself. Source: Twilio, Call resource,
error dictionary.
"""

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from xml.sax.saxutils import quoteattr

import orjson

from media.carriers.twilio.statuses import LIVE_STATUSES, outcome_of
from media.errors import CarrierRefusal, DialUnknown
from media.ports import CarrierCall, DialRequest
from schema.outcomes import EndReason, Outcome

API_VERSION = "2010-04-01"
TWIML_MAX_CHARS = 4000
RING_TIMEOUT_MAX_S = 600

_INVALID_NUMBER_CODES = frozenset({21211, 21214, 21217})
_AUTH_STATUSES = frozenset({401, 403})
_SILENT_STATUSES = frozenset({500, 502, 504})
_PROVEN_CODES = frozenset({20429, 20503})
_ENDED_CODES = frozenset({20404, 21220})
_DIGITS = re.compile(r"\+?\d{6,}")


def twiml(stream_url: str) -> str:
    """Write the instructions that connect the callee to our socket in both directions.

    Raises:
        ValueError: The address has a query string, which Twilio refuses, or the text is over 4000 characters.
    """
    if "?" in stream_url:
        raise ValueError("a media stream address must not have a query string")
    text = f"<Response><Connect><Stream url={quoteattr(stream_url)}/></Connect></Response>"
    if len(text) > TWIML_MAX_CHARS:
        raise ValueError(f"TwiML is over {TWIML_MAX_CHARS} characters")
    return text


def dial_form(request: DialRequest) -> dict[str, str | list[str]]:
    """Write the form of a dial. Machine detection is asynchronous: otherwise the callee would hear silence."""
    form: dict[str, str | list[str]] = {
        "To": request.to,
        "From": request.from_,
        "Twiml": twiml(request.stream_url),
        "StatusCallback": request.status_url,
        "StatusCallbackMethod": "POST",
        "StatusCallbackEvent": ["initiated", "ringing", "answered", "completed"],
        "Timeout": str(min(request.ring_timeout_s, RING_TIMEOUT_MAX_S)),
        "TimeLimit": str(request.time_limit_s),
    }
    if request.detect_machine:
        form["MachineDetection"] = "Enable"
        form["AsyncAmd"] = "true"
        form["AsyncAmdStatusCallback"] = request.status_url
        form["AsyncAmdStatusCallbackMethod"] = "POST"
    return form


def read_dial(status: int, body: bytes) -> str:
    """Read the answer to a dial: Twilio's id of the call.

    Raises:
        CarrierRefusal: The answer proves that no call was placed.
        DialUnknown: It proves nothing.
    """
    answer = read_object(body)
    if status < 300:
        sid = answer.get("sid")
        if not isinstance(sid, str) or not sid:
            raise DialUnknown(f"HTTP {status} without the id of the call")
        return sid
    code = answer.get("code")
    detail = describe(status, answer)
    if status in _SILENT_STATUSES and code not in _PROVEN_CODES:
        raise DialUnknown(detail)
    if status in _AUTH_STATUSES:
        raise CarrierRefusal(detail, EndReason.CARRIER_AUTH, Outcome.CARRIER_REFUSED, status)
    if code in _INVALID_NUMBER_CODES:
        raise CarrierRefusal(detail, EndReason.DIAL_INVALID_NUMBER, Outcome.INVALID_NUMBER, status)
    raise CarrierRefusal(detail, EndReason.CARRIER_REFUSED, Outcome.CARRIER_REFUSED, status)


def already_ended(status: int, body: bytes) -> bool:
    """Tell whether the answer to a hang-up says that there is nothing left to end."""
    return status == 404 or (status == 400 and read_object(body).get("code") in _ENDED_CODES)


@dataclass(frozen=True, slots=True)
class ListedCall:
    """One call of a listing; `created_at` unix seconds, None when Twilio gave no readable date."""

    call: CarrierCall
    created_at: float | None


@dataclass(frozen=True, slots=True)
class CallPage:
    """One page of calls, newest first, and the path of the next page."""

    calls: tuple[ListedCall, ...]
    next_path: str | None


def read_page(body: bytes) -> CallPage:
    """Read a page of a call listing.

    Raises:
        ValueError: It is not one.
    """
    answer = read_object(body)
    listed = answer.get("calls")
    if not isinstance(listed, list):
        raise ValueError("a listing without calls")  # noqa: TRY004 - a broken answer, not a wrong argument
    next_path = answer.get("next_page_uri")
    calls = tuple(ListedCall(read_call(record), _created_at(record)) for record in listed if isinstance(record, dict))
    return CallPage(calls, next_path if isinstance(next_path, str) and next_path.startswith("/") else None)


def read_call(record: dict[str, object]) -> CarrierCall:
    """Read one call record. Raises ValueError when it has no id or status."""
    sid, status = record.get("sid"), record.get("status")
    if not isinstance(sid, str) or not isinstance(status, str):
        raise ValueError("a call record without sid or status")  # noqa: TRY004 - a broken answer
    live = status in LIVE_STATUSES
    duration = record.get("duration")
    talked_s = float(duration) if isinstance(duration, str | int | float) and duration != "" else 0.0
    return CarrierCall(sid, live, None if live else outcome_of(status), talked_s)


def _created_at(record: dict[str, object]) -> float | None:
    text = record.get("date_created")
    if not isinstance(text, str):
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:
        return None


def read_object(body: bytes) -> dict[str, object]:
    """Read a JSON object; an unreadable or other body reads as an empty one."""
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def describe(status: int, answer: dict[str, object]) -> str:
    """Say what Twilio answered, without phone numbers."""
    message = answer.get("message")
    said = _DIGITS.sub("<number>", message)[:200] if isinstance(message, str) else "no message"
    code = answer.get("code")
    return f"HTTP {status}, code {code}: {said}" if code is not None else f"HTTP {status}: {said}"
