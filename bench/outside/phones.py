"""The carrier: phones that are dialled over REST, join the media socket, speak 20 ms at a time and hear the agent.

A callee speaks for a second, listens, speaks again, and every second time begins while the agent still talks. Each
frame carries the phone's number and its own, so that whoever receives it elsewhere in this process knows both.
"""

import asyncio
from array import array
from binascii import a2b_base64, b2a_base64
from collections import deque
from time import monotonic
from urllib.parse import parse_qs
from xml.etree import ElementTree as ET

import orjson

from bench.outside.readings import Readings
from bench.outside.wire import Connection, Request, Session, open_websocket
from deploy.simulator.settings import DEFAULT_TWILIO_TOKEN
from deploy.simulator.twilio_callbacks import SIGNATURE_HEADER, signature

FRAME_S = 0.02
PHASES = 20
RING_S = 0.05
BYTES_PER_S = 8000
CYCLE_FRAMES = 500
_TURNS = ((0, 50), (300, 350))
"""The callee's turns within a cycle of 10 s; the second is answered until after the next has begun."""
_LOUD = tuple(any(begin <= at < end for begin, end in _TURNS) for at in range(CYCLE_FRAMES))
_REST = {loud: b2a_base64((b"\x30" if loud else b"\xff") * 157, newline=False) for loud in (False, True)}
_CYCLE_STEP_FRAMES = 37
"""How far apart in the cycle phones begin, so that at every moment some speak and some listen."""
_SEEN_FRAMES = 4096
_CONNECTED = b'{"event":"connected","protocol":"Call","version":"1.0.0"}'
LOUD_AGENT = 0x10
"""Agent speech is louder than any background sound: its mu-law samples are below this, sign apart."""


def header(audio: bytes) -> tuple[int, int]:
    """Read which phone sent a frame, and which of its frames it is."""
    value = int.from_bytes(audio[:3], "big")
    return value >> 12, value & 0xFFF


class Phone(Session):
    """One call. All instants are monotonic seconds.

    Attributes:
        sent_at: when each of the last frames left.
        awaits_speech_since: when the provider began to send the agent's next words; None when they have arrived.
        awaits_clear_since: when the provider said that the callee speaks over the agent.
    """

    def __init__(self, number: int, group: str, readings: Readings) -> None:
        self.number = number
        self.group = group
        self.sid = f"CA{number:032x}"
        self.sent_at = [0.0] * _SEEN_FRAMES
        self.awaits_speech_since: float | None = None
        self.awaits_clear_since: float | None = None
        self.connection: Connection | None = None
        self._loop = asyncio.get_running_loop()
        self._stream_sid = f"MZ{number:032x}".encode()
        self._frames = number * _CYCLE_STEP_FRAMES % CYCLE_FRAMES
        self._plays_until = 0.0
        self._speech_sounds = False
        self._marks: deque[bytes] = deque()
        self._first_frames = readings.of(group, "first_frame")
        self._cuts = readings.of(group, "cut")
        self._gaps = readings.of(group, "gap")
        self.heard = readings.of(group, "heard")

    @property
    def agent_sounds(self) -> bool:
        """Whether the agent is speaking into the callee's ear."""
        return self._speech_sounds and self._plays_until > monotonic()

    def is_loud(self, frame: int) -> bool:
        """Tell whether one of the last frames was speech."""
        behind = (self._frames - frame) % _SEEN_FRAMES
        return _LOUD[(self._frames - behind) % CYCLE_FRAMES]

    def opened(self, connection: Connection) -> None:
        """Begin the stream."""
        self.connection = connection
        start = {
            "event": "start",
            "sequenceNumber": "1",
            "streamSid": self._stream_sid.decode(),
            "start": {
                "accountSid": "AC",
                "streamSid": self._stream_sid.decode(),
                "callSid": self.sid,
                "tracks": ["inbound"],
                "customParameters": {},
                "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            },
        }
        connection.send_text(_CONNECTED)
        connection.send_text(orjson.dumps(start))

    def closed(self) -> None:
        """The other side is through."""
        self.connection = None

    def tick(self) -> None:
        """Send the next 20 ms."""
        if self.connection is None:
            return
        frame = self._frames = self._frames + 1
        seen = frame % _SEEN_FRAMES
        audio = b2a_base64((self.number << 12 | seen).to_bytes(3, "big"), newline=False)
        payload = audio + _REST[_LOUD[frame % CYCLE_FRAMES]]
        text = (
            b'{"event":"media","sequenceNumber":"%d","media":{"track":"inbound","chunk":"%d","timestamp":"%d",'
            b'"payload":"%b"},"streamSid":"%b"}'
        ) % (frame + 1, frame, frame * 20, payload, self._stream_sid)
        self.sent_at[seen] = monotonic()
        self.connection.send_text(text)

    def text(self, payload: bytes) -> None:
        """Take what the other side sends."""
        message = orjson.loads(payload)
        event = message["event"]
        if event == "media":
            self._play(message["media"]["payload"])
        elif event == "mark":
            self._mark(payload)
        elif event == "clear":
            self._clear()

    def _play(self, audio: str) -> None:
        now = monotonic()
        if a2b_base64(audio[:4])[0] & 0x7F < LOUD_AGENT:
            if self.awaits_speech_since is not None:
                self._first_frames.append((now - self.awaits_speech_since) * 1000)
                self.awaits_speech_since = None
            elif self._speech_sounds:
                self._gaps.append(max(0.0, now - self._plays_until) * 1000)
            self._speech_sounds = True
        size = len(audio) * 3 // 4 - audio[-2:].count("=")
        self._plays_until = max(self._plays_until, now) + size / BYTES_PER_S

    def _mark(self, payload: bytes) -> None:
        self._speech_sounds = False
        self._marks.append(payload)
        self._loop.call_later(max(0.0, self._plays_until - monotonic()), self._return_mark, payload)

    def _return_mark(self, payload: bytes) -> None:
        if self._marks and self._marks[0] is payload and self.connection is not None:
            self.connection.send_text(self._marks.popleft())

    def _clear(self) -> None:
        now = monotonic()
        if self.awaits_clear_since is not None:
            self._cuts.append((now - self.awaits_clear_since) * 1000)
            self.awaits_clear_since = None
        self._plays_until = now
        self._speech_sounds = False
        while self._marks and self.connection is not None:
            self.connection.send_text(self._marks.popleft())


class _Phase:
    """The phones that send at the same beat."""

    def __init__(self, offset_s: float, lateness: "array[float]") -> None:
        self.phones: list[Phone] = []
        self._loop = asyncio.get_running_loop()
        self._due_at = monotonic() + offset_s
        self._lateness = lateness
        self._loop.call_later(offset_s, self._beat)

    def _beat(self) -> None:
        now = monotonic()
        self._lateness.append((now - self._due_at) * 1000)
        self._due_at += FRAME_S
        self._loop.call_later(max(0.0, self._due_at - now), self._beat)
        for phone in self.phones:
            phone.tick()


class Exchange:
    """All phones, and the REST interface that dials them."""

    def __init__(self, readings: Readings) -> None:
        self.phones: dict[int, Phone] = {}
        self._readings = readings
        lateness = readings.of("world", "own_lateness")
        self._phases = [_Phase(index * FRAME_S / PHASES, lateness) for index in range(PHASES)]

    def dial(self, group: str, stream_url: str) -> Phone:
        """Let the next phone ring shortly and then join the stream."""
        phone = Phone(len(self.phones) + 1, group, self._readings)
        self.phones[phone.number] = phone
        min(self._phases, key=lambda phase: len(phase.phones)).phones.append(phone)
        headers = {SIGNATURE_HEADER: signature(DEFAULT_TWILIO_TOKEN, stream_url, {})}
        loop = asyncio.get_running_loop()
        loop.call_later(RING_S, lambda: loop.create_task(open_websocket(stream_url, phone, headers)))
        return phone

    def hang_up_all(self) -> None:
        """Let every callee hang up and forget them."""
        for phone in self.phones.values():
            if phone.connection is not None:
                phone.connection.close()
        for phase in self._phases:
            phase.phones.clear()

    def serve(self, request: Request, connection: Connection) -> None:
        """Answer a request to /2010-04-01/Accounts/…: dial, hang up, look up."""
        if request.path.endswith("/Calls.json"):
            form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
            stream = ET.fromstring(form["Twiml"]).find(".//Stream")
            assert stream is not None
            phone = self.dial(form["From"], stream.attrib["url"])
            connection.respond("201 Created", orjson.dumps({"sid": phone.sid, "status": "queued"}))
        else:
            sid = request.path.rpartition("/")[2].partition(".")[0]
            connection.respond("200 OK", orjson.dumps({"sid": sid, "status": "completed", "duration": "1"}))
