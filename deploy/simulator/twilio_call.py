"""The life of one outbound call on the simulated network: queued, initiated, ringing, in-progress, and its one end.

The person at the number decides what happens; the caller's request bounds it (ring and talk limits). Whoever ends the
call first wins: `end` is the only way out and works once.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Final

import aiohttp

from deploy.simulator import mulaw
from deploy.simulator.callees import Person
from deploy.simulator.ledger import CallTruth
from deploy.simulator.performance import CannedPerformance, Performance
from deploy.simulator.stage import Stage, require_loopback
from deploy.simulator.twilio_callbacks import SIGNATURE_HEADER, Callbacks, signature
from deploy.simulator.twilio_json import rfc2822
from deploy.simulator.twilio_request import DialRequest
from deploy.simulator.twilio_stream import MediaStream
from deploy.simulator.twiml import (
    ConnectStream,
    DialNumber,
    Hangup,
    Pause,
    PlayDigits,
    TwimlError,
    Verb,
    read_twiml,
)

_FRAME_S: Final = mulaw.FRAME_MS / 1000
_SETUP_S: Final = 0.02

UNANSWERED: Final[dict[str, tuple[str, int]]] = {
    "busy": ("busy", 486),
    "no_answer": ("no-answer", 487),
    "rejected": ("busy", 603),
    "failed": ("failed", 404),
}


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ended: its final status, who ended it, and the SIP code."""

    status: str
    by: str
    sip_code: int = 200


class PhoneCall:
    """One call. `run` lives it from beginning to end."""

    def __init__(self, stage: Stage, truth: CallTruth, request: DialRequest, person: Person) -> None:
        self.truth = truth
        self._stage = stage
        self._request = request
        self._person = person
        self._callbacks = Callbacks(stage, truth)
        self._sequence = 0
        self._ending: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._work: list[asyncio.Task[None]] = []
        self._verbs: asyncio.Task[None] | None = None
        self._stream: MediaStream | None = None
        canned = "twilio" in stage.settings.canned
        self._performance = CannedPerformance(person) if canned else Performance(person)

    def end(self, ending: Ending) -> None:
        """End the call, unless it has ended."""
        if not self._ending.done():
            self._ending.set_result(ending)

    def redirect(self, twiml: str) -> None:
        """Leave the current instructions and carry out others."""
        if self._verbs is not None:
            self._verbs.cancel()
        self._verbs = self._stage.spawn(self._follow(twiml))
        self._work.append(self._verbs)

    def observe(self) -> CallTruth:
        """Return the truth so far, with what has been heard and said up to now."""
        self.truth.hear(self._performance.ear)
        self.truth.said = self._performance.said
        return self.truth

    async def run(self, queued_s: float) -> None:
        """Live the call."""
        self._work.append(self._stage.spawn(self._place(queued_s)))
        ending = await self._ending
        truth = self.observe()
        truth.ended_at = time.time()
        if self._stream is not None:
            await self._stream.stop()
        for task in self._work:
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        truth.ended_by, truth.sip_code = ending.by, ending.sip_code
        self._become(ending.status, "completed", final=True)
        await self._callbacks.finish()
        self._stage.ledger.ended(truth)

    async def _place(self, queued_s: float) -> None:
        await asyncio.sleep(queued_s + _SETUP_S)
        self.truth.started_at = time.time()
        self._become("initiated", "initiated")
        person, request = self._person, self._request
        if person.outcome == "failed":
            await asyncio.sleep(person.ring_s)
            self.end(self._unanswered())
            return
        self._become("ringing", "ringing")
        if request.ring_s < person.ring_s:
            await asyncio.sleep(request.ring_s)
            self.end(Ending("no-answer", "ring_timeout", 487))
            return
        await asyncio.sleep(person.ring_s)
        if person.outcome != "answer":
            self.end(self._unanswered())
            return
        self._answer()

    def _unanswered(self) -> Ending:
        status, sip_code = UNANSWERED[self._person.outcome]
        return Ending(status, "callee", self._person.sip_code or sip_code)

    def _answer(self) -> None:
        self.truth.answered_at = time.time()
        self._become("in-progress", "answered")
        loop = asyncio.get_running_loop()
        loop.call_later(self._request.talk_s, self.end, Ending("completed", "time_limit"))
        detection = self._stage.spawn(self._detect_machine())
        self._work.append(detection)
        waits = bool(self._request.machine_detection) and not self._request.async_amd
        self._verbs = self._stage.spawn(self._follow(self._request.twiml, after=detection if waits else None))
        self._work += [self._verbs, self._stage.spawn(self._converse())]

    async def _detect_machine(self) -> None:
        request, verdict = self._request, self._person.answered_by
        if not request.machine_detection:
            return
        if request.machine_detection == "Enable" and verdict.startswith("machine"):
            verdict = "machine_start"
        await asyncio.sleep(self._person.amd_s)
        self.truth.answered_by = verdict
        if request.async_amd:
            form = {
                "AccountSid": self._stage.settings.twilio_sid,
                "CallSid": self.truth.sid,
                "AnsweredBy": verdict,
                "MachineDetectionDuration": str(round(self._person.amd_s * 1000)),
            }
            self._callbacks.tell(request.amd_callback, f"amd:{verdict}", form)

    async def _converse(self) -> None:
        """Live 20 ms after 20 ms on an absolute clock, with or without a media stream."""
        loop = asyncio.get_running_loop()
        due_at = loop.time()
        performance = self._performance
        while True:
            stream = self._stream
            heard = stream.play(performance.at_ms) if stream is not None else None
            tick = performance.tick(heard)
            self.truth.digits_sent += tick.digits
            if stream is not None:
                await stream.send(tick)
            if tick.hangs_up:
                self.end(Ending("completed", "callee"))
                return
            due_at += _FRAME_S
            await asyncio.sleep(max(0.0, due_at - loop.time()))

    async def _follow(self, twiml: str, after: asyncio.Task[None] | None = None) -> None:
        if after is not None:
            await after
        try:
            verbs = read_twiml(twiml or await self._fetch_twiml())
        except (TwimlError, aiohttp.ClientError, TimeoutError, ValueError) as error:
            self.truth.twiml_error = str(error)
            self.end(Ending("completed", "twiml_error"))
            return
        for verb in verbs:
            await self._carry_out(verb)
        self.end(Ending("completed", self._last_verb_by(verbs)))

    def _last_verb_by(self, verbs: tuple[Verb, ...]) -> str:
        if verbs and isinstance(verbs[-1], ConnectStream):
            return "stream_error" if self.truth.stream_error else "stream_closed"
        return "twiml_end"

    async def _fetch_twiml(self) -> str:
        url = self._request.url
        require_loopback(url)
        form = self._form("in-progress")
        headers = {SIGNATURE_HEADER: signature(self._stage.settings.twilio_token, url, form)}
        async with self._stage.http.post(url, data=form, headers=headers) as answer:
            return await answer.text()

    async def _carry_out(self, verb: Verb) -> None:
        match verb:
            case ConnectStream():
                await self._connect(verb)
            case Hangup():
                self.end(Ending("completed", "twiml_hangup"))
            case Pause(length_s):
                await asyncio.sleep(length_s)
            case PlayDigits(digits):
                self.truth.send_digits += digits
            case DialNumber(number):
                self.truth.transferred_to = number
                await asyncio.sleep(self._stage.callees.at(number).ring_s)

    async def _connect(self, verb: ConnectStream) -> None:
        stream = MediaStream(self._stage, self.truth, verb)
        self._stream = stream
        self._tell_stream(verb, stream, "stream-started")
        try:
            await stream.run(self._performance.at_ms)
        finally:
            self._stream = None
            if not self._ending.done():
                await stream.stop()
            self._tell_stream(verb, stream, "stream-error" if self.truth.stream_error else "stream-stopped")

    def _tell_stream(self, verb: ConnectStream, stream: MediaStream, event: str) -> None:
        form = {
            "AccountSid": self._stage.settings.twilio_sid,
            "CallSid": self.truth.sid,
            "StreamSid": stream.sid,
            "StreamName": verb.name,
            "StreamEvent": event,
            "Timestamp": rfc2822(time.time()) or "",
        }
        if event == "stream-error":
            form["StreamError"] = self.truth.stream_error or ""
        self._callbacks.tell(verb.status_callback, event, form)

    def _become(self, status: str, event: str, *, final: bool = False) -> None:
        self.truth.status = status
        self.truth.updated_at = time.time()
        if event not in self._request.status_events:
            return
        form = self._form(status)
        if final:
            form["SipResponseCode"] = str(self.truth.sip_code)
            form["CallDuration"] = str(self.truth.duration_s)
            form["Duration"] = str(-(-self.truth.duration_s // 60))
        self._callbacks.tell(self._request.status_callback, status, form)

    def _form(self, status: str) -> dict[str, str]:
        form = {
            "AccountSid": self._stage.settings.twilio_sid,
            "ApiVersion": "2010-04-01",
            "CallSid": self.truth.sid,
            "CallStatus": status,
            "CallbackSource": "call-progress-events",
            "Called": self.truth.to,
            "Caller": self.truth.from_number,
            "Direction": "outbound-api",
            "From": self.truth.from_number,
            "SequenceNumber": str(self._sequence),
            "Timestamp": rfc2822(time.time()) or "",
            "To": self.truth.to,
        }
        if self.truth.answered_by is not None:
            form["AnsweredBy"] = self.truth.answered_by
        self._sequence += 1
        return form
