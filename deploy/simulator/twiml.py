"""Reads the TwiML verbs an outbound AI call needs; any other verb is refused, as Twilio refuses unknown ones (12100).

Source: Twilio, TwiML for Programmable Voice: Connect/Stream, Dial, Hangup, Pause, Play digits.
"""

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import Final

_MAX_PARAMETER_CHARS: Final = 500


class TwimlError(ValueError):
    """The document cannot be carried out; `code` is Twilio's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code


@dataclass(frozen=True, slots=True)
class ConnectStream:
    """Connect the callee to a media socket in both directions."""

    url: str
    name: str
    parameters: tuple[tuple[str, str], ...]
    status_callback: str


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait in silence."""

    length_s: float


@dataclass(frozen=True, slots=True)
class PlayDigits:
    """Send touch tones to the callee."""

    digits: str


@dataclass(frozen=True, slots=True)
class DialNumber:
    """Connect the callee to another number."""

    number: str


Verb = ConnectStream | Hangup | Pause | PlayDigits | DialNumber


def read_twiml(text: str) -> tuple[Verb, ...]:
    """Return the verbs of a document, in order.

    Raises:
        TwimlError: it is no such document.
    """
    try:
        root = ET.fromstring(text)  # noqa: S314 - written by the other side of our own loopback
    except ET.ParseError as error:
        raise TwimlError(12100, f"Document parse failure: {error}") from error
    if root.tag != "Response":
        raise TwimlError(12100, f"Document root is {root.tag}, not Response")
    return tuple(_verb(element) for element in root)


def _verb(element: ET.Element) -> Verb:
    match element.tag:
        case "Connect":
            stream = element.find("Stream")
            if stream is None:
                raise TwimlError(12200, "Connect without Stream")
            return _stream(stream)
        case "Hangup":
            return Hangup()
        case "Pause":
            return Pause(float(element.get("length", "1")))
        case "Play" if element.get("digits"):
            return PlayDigits(element.get("digits", ""))
        case "Dial":
            number = element.findtext("Number") or (element.text or "").strip()
            if not number:
                raise TwimlError(13214, "Dial without a number")
            return DialNumber(number)
        case other:
            raise TwimlError(12200, f"Schema validation warning: {other}")


def _stream(element: ET.Element) -> ConnectStream:
    url = element.get("url", "")
    if not url:
        raise TwimlError(31920, "Stream without url")
    parameters = tuple((p.get("name", ""), p.get("value", "")) for p in element.findall("Parameter"))
    for name, value in parameters:
        if len(name) + len(value) > _MAX_PARAMETER_CHARS:
            raise TwimlError(21631, f"Parameter {name} exceeds {_MAX_PARAMETER_CHARS} characters")
    return ConnectStream(url, element.get("name", ""), parameters, element.get("statusCallback", ""))
