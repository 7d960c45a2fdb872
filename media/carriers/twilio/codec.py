"""Frames of Twilio's bidirectional media stream: JSON text in, values out, and back. No I/O.

Audio is mono mu-law, 8000 Hz, base64 inside JSON; one inbound frame is 20 ms = 160 bytes. Unknown events are passed
over so that a new kind of frame never ends a call. Source: Twilio, Media Streams WebSocket messages.
"""

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from dataclasses import dataclass, field

import orjson

ENCODING = "audio/x-mulaw"
SAMPLE_RATE_HZ = 8000


class MalformedFrame(ValueError):
    """The frame is not what the protocol allows."""


@dataclass(frozen=True, slots=True)
class StreamConnected:
    """The very first frame: which protocol is spoken."""


@dataclass(frozen=True, slots=True)
class StreamStarted:
    """The stream is up: its ids and the parameters of the TwiML."""

    stream_sid: str
    call_sid: str
    parameters: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MarkPlayed:
    """A mark of ours was reached, or returned by a clear."""

    name: str


@dataclass(frozen=True, slots=True)
class DigitPressed:
    """The callee pressed a key."""

    digit: str


@dataclass(frozen=True, slots=True)
class StreamStopped:
    """The call or the stream is over."""


StreamFrame = bytes | StreamConnected | StreamStarted | MarkPlayed | DigitPressed | StreamStopped | None
"""Callee audio as bare bytes, for there are fifty a second; None for a frame that concerns nobody here."""


def decode(message: str | bytes) -> StreamFrame:
    """Read one text frame.

    Raises:
        MalformedFrame: It is not JSON, lacks a required field, or announces audio that is not mu-law at 8000 Hz.
    """
    try:
        frame = orjson.loads(message)
        event = frame["event"]
        if event == "media":
            media = frame["media"]
            return None if media.get("track") == "outbound" else a2b_base64(media["payload"], strict_mode=True)
        if event == "mark":
            return MarkPlayed(str(frame["mark"]["name"]))
        if event == "dtmf":
            return DigitPressed(str(frame["dtmf"]["digit"]))
        if event == "start":
            return _started(frame["start"], frame.get("streamSid"))
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, Base64Error, ValueError) as error:
        raise MalformedFrame(str(error)) from error
    if event == "stop":
        return StreamStopped()
    return StreamConnected() if event == "connected" else None


def _started(start: dict[str, object], outer_sid: object) -> StreamStarted:
    stream_sid = start.get("streamSid") or outer_sid
    call_sid = start["callSid"]
    if not isinstance(stream_sid, str) or not isinstance(call_sid, str):
        raise MalformedFrame("start without streamSid or callSid")
    described = start.get("mediaFormat")
    if isinstance(described, dict):
        encoding, rate = described.get("encoding", ENCODING), described.get("sampleRate", SAMPLE_RATE_HZ)
        if encoding != ENCODING or int(rate) != SAMPLE_RATE_HZ:
            raise MalformedFrame(f"audio is {encoding} at {rate} Hz")
    given = start.get("customParameters")
    parameters = {str(name): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
    return StreamStarted(stream_sid, call_sid, parameters)


class StreamEncoder:
    """Builds the frames of one stream; everything but the audio is prepared once."""

    __slots__ = ("_clear", "_mark_head", "_media_head")

    def __init__(self, stream_sid: str) -> None:
        sid = orjson.dumps(stream_sid)
        self._media_head = b'{"event":"media","streamSid":' + sid + b',"media":{"payload":"'
        self._mark_head = b'{"event":"mark","streamSid":' + sid + b',"mark":{"name":'
        self._clear = b'{"event":"clear","streamSid":' + sid + b"}"

    def media(self, audio: bytes) -> bytes:
        """Encode agent audio, mono mu-law 8000 Hz, as one frame's text."""
        return self._media_head + b2a_base64(audio, newline=False) + b'"}}'

    def mark(self, name: str) -> bytes:
        """Encode a mark behind all audio sent so far."""
        return self._mark_head + orjson.dumps(name) + b"}}"

    def clear(self) -> bytes:
        """Encode the request to drop what has not been played."""
        return self._clear
