"""Media Streams messages: what Twilio writes as JSON text, and what it accepts from us. No I/O, no clock.

Twilio is strict about what it accepts: a binary or unreadable message is error 31950, a wrong streamSid, an unknown
event or an unexpected field is 31951, and both end the stream. Source: Twilio, Media Streams WebSocket messages.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from binascii import b2a_base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from deploy.simulator import mulaw

CONNECTED: Final = '{"event":"connected","protocol":"Call","version":"1.0.0"}'


class StreamError(ValueError):
    """A message that ends the stream; `code` is Twilio's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code} {message}")
        self.code = code


@dataclass(frozen=True, slots=True)
class PlayAudio:
    """Audio for the callee, mono mu-law 8000 Hz, any length."""

    audio: bytes


@dataclass(frozen=True, slots=True)
class PlaceMark:
    """A mark to return when what came before it has been heard."""

    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    """Drop what has not been heard."""


Order = PlayAudio | PlaceMark | Clear


def read_order(text: str, stream_sid: str) -> Order:
    """Read one message from the other side.

    Raises:
        StreamError: Twilio would end the stream over it.
    """
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise StreamError(31950, f"Malformed message: {error}") from error
    if not isinstance(message, dict):
        raise StreamError(31950, "Malformed message: not an object")
    event = message.get("event")
    if message.get("streamSid") != stream_sid:
        raise StreamError(31951, f"Invalid message: streamSid {message.get('streamSid')!r}")
    match event:
        case "media":
            return PlayAudio(_payload(_fields(message, "media", "payload")))
        case "mark":
            name = _fields(message, "mark", "name")
            return PlaceMark(name)
        case "clear" if message.keys() == {"event", "streamSid"}:
            return Clear()
        case _:
            raise StreamError(31951, f"Invalid message: event {event!r} with fields {sorted(message)}")


def _fields(message: dict[str, Any], name: str, field: str) -> str:
    inner = message.get(name)
    if message.keys() != {"event", "streamSid", name} or not isinstance(inner, dict) or inner.keys() != {field}:
        raise StreamError(31951, f"Invalid message: {name} with fields {sorted(message)}")
    value = inner[field]
    if not isinstance(value, str):
        raise StreamError(31951, f"Invalid message: {name}.{field} is no string")
    return value


def _payload(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except Base64Error as error:
        raise StreamError(31951, f"Invalid message: payload is no base64: {error}") from error


class StreamWriter:
    """Writes the messages of one stream, numbered as Twilio numbers them."""

    def __init__(self, stream_sid: str, account_sid: str, call_sid: str) -> None:
        self._stream_sid = stream_sid
        self._account_sid = account_sid
        self._call_sid = call_sid
        self._sequence = 0
        self._chunk = 0
        self._head = '{"event":"media","sequenceNumber":"'
        self._tail = '"},"streamSid":"' + stream_sid + '"}'
        self._silence = b2a_base64(mulaw.SILENCE_FRAME, newline=False).decode("ascii")

    def start(self, parameters: Mapping[str, str]) -> str:
        """Write the start message."""
        start = {
            "accountSid": self._account_sid,
            "streamSid": self._stream_sid,
            "callSid": self._call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": dict(parameters),
        }
        return self._message("start", start=start)

    def media(self, frame: bytes | None) -> str:
        """Write 20 ms of the callee's side; None is silence."""
        self._sequence += 1
        self._chunk += 1
        payload = self._silence if frame is None else b2a_base64(frame, newline=False).decode("ascii")
        at_ms = (self._chunk - 1) * mulaw.FRAME_MS
        return (
            f'{self._head}{self._sequence}","media":{{"track":"inbound","chunk":"{self._chunk}",'
            f'"timestamp":"{at_ms}","payload":"{payload}{self._tail}'
        )

    def mark(self, name: str) -> str:
        """Return a mark."""
        return self._message("mark", mark={"name": name})

    def dtmf(self, digit: str) -> str:
        """Write a touch tone the callee sent."""
        return self._message("dtmf", dtmf={"track": "inbound_track", "digit": digit})

    def stop(self) -> str:
        """Write the last message."""
        return self._message("stop", stop={"accountSid": self._account_sid, "callSid": self._call_sid})

    def _message(self, event: str, **fields: object) -> str:
        self._sequence += 1
        message = {"event": event, "sequenceNumber": str(self._sequence), **fields, "streamSid": self._stream_sid}
        return orjson.dumps(message).decode()
