"""One call from dialling to its terminal record, in one task group.

Dials while the providers connect, joins the carrier's media socket to the pipeline, keeps the deadlines, hangs up, and
always ends with exactly one `CallResult`. Knows no campaign, no vendor and no database; what happens becomes facts in
`chronicle.py`, facts become an outcome in `verdict.py`, what is said is the pipeline's.
"""

import asyncio
from typing import assert_never

import structlog

from media.audio.ambience import ambience_of
from media.audio.recorder import StereoRecorder
from media.audio.spool import RecordingFile
from media.call_host import CallHost
from media.chronicle import Chronicle
from media.deadlines import Due
from media.errors import CarrierError, DialUnknown, ProviderError
from media.inbox import (
    AgentFailed,
    AgentOver,
    CallInbox,
    DialFailed,
    DigitPressed,
    LegJoined,
    LegLeft,
    Mail,
    StopRequested,
)
from media.line import Cut, Line
from media.parting import all_of, end_agent, first_fault, hang_up
from media.pipelines.pipeline import Conversation, Pipeline
from media.ports import Carrier, DialRequest, Leg
from media.studio import Studio
from media.verdict import outcome_of, who_answered
from schema.callspec import CallResult, CallSpec
from schema.outcomes import EndReason
from schema.states import CallPhase

log = structlog.get_logger()

DIAL_LIMIT_S = 30.0
"""Longest a session waits for its dial request; the carrier's adapter gives up sooner."""
CARRIER_LIMIT_S = 5
"""How much later than ours the carrier's own limit ends a call whose worker is gone."""
LOOK_UP_S = 3.0


async def run_call(
    spec: CallSpec, *, carrier: Carrier, pipeline: Pipeline, host: CallHost, inbox: CallInbox, studio: Studio
) -> CallResult:
    """Carry one call and return its terminal record.

    The inbox takes the carrier's callbacks and media socket. To end the call early use `inbox.stop`: cancelling hangs
    up too, but leaves no record.
    """
    session = _Session(spec, carrier=carrier, pipeline=pipeline, host=host, inbox=inbox, studio=studio)
    return await session.run()


class _Session:
    """The moving parts of one call."""

    def __init__(
        self, spec: CallSpec, *, carrier: Carrier, pipeline: Pipeline, host: CallHost, inbox: CallInbox, studio: Studio
    ) -> None:
        self._spec = spec
        self._carrier = carrier
        self._pipeline = pipeline
        self._host = host
        self._inbox = inbox
        self._studio = studio
        self._clock = studio.clock
        self._chronicle = Chronicle(spec, host, studio.clock)
        self._facts = self._chronicle.facts
        self._leg: Leg | None = None
        self._left_at: float | None = None
        self._cuts: tuple[Cut, ...] = ()
        self._recorder: StereoRecorder | None = None
        self._recording: RecordingFile | None = None
        self._recording_path: str | None = None
        self._dial_begun = False
        self._conversing = False
        self._digits = 0
        ambience = ambience_of(spec.config.background_audio, spec.config.background_audio_gain)
        line = Line(studio.pace, studio.clock, ambience)
        self._talk = Conversation(line, studio.clock, lambda reason: inbox.post(AgentOver(reason)))

    async def run(self) -> CallResult:
        """Carry the call; the session boundary: whatever breaks becomes a record."""
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._carry(tasks)
        except ExceptionGroup as fault:
            log.exception("session_failed")
            self._chronicle.finish(EndReason.GATEWAY_INTERNAL, repr(fault.exceptions[0]))
            self._facts.end_reason = EndReason.GATEWAY_INTERNAL
        result = self._result()
        log.info(
            "call_ended", outcome=result.outcome.value, end_reason=result.end_reason.value, talked_s=result.talked_s
        )
        return result

    async def _carry(self, tasks: asyncio.TaskGroup) -> None:
        agent = tasks.create_task(self._run_agent())
        dial = tasks.create_task(self._dial())
        try:
            while not self._chronicle.over:
                mail = await self._inbox.next(self._chronicle.deadlines.next_in_s(self._clock.now()))
                if mail is not None:
                    self._take(mail)
                else:
                    await self._time_passed()
        finally:
            await self._part(agent, dial)

    async def _run_agent(self) -> None:
        """Run the pipeline; however it breaks, the call is ended in order and hung up."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._converse())
        except ExceptionGroup as group:
            fault = first_fault(group)
            if not isinstance(fault, ProviderError):
                log.exception("pipeline_broke")
            reason = fault.end_reason if isinstance(fault, ProviderError) else EndReason.GATEWAY_INTERNAL
            self._inbox.post(AgentFailed(reason, fault.detail if isinstance(fault, ProviderError) else repr(fault)))

    async def _converse(self) -> None:
        await self._pipeline.open()
        self._conversing = True
        await self._pipeline.converse(self._talk)

    async def _dial(self) -> None:
        self._dial_begun = True
        if not self._host.dial_allowed():
            self._inbox.stop(EndReason.NEVER_TAKEN)
            return
        spec, config = self._spec, self._spec.config
        request = DialRequest(
            call_id=str(spec.call_id),
            to=spec.phone_number,
            from_=spec.from_number,
            stream_url=self._host.stream_url(),
            status_url=self._host.status_url(),
            ring_timeout_s=config.ring_timeout,
            time_limit_s=spec.hold_s + CARRIER_LIMIT_S,
            detect_machine=config.voicemail.detect == "amd",
        )
        self._facts.dial_unknown = True
        try:
            provider_call_id = await self._carrier.dial(request)
        except CarrierError as error:
            self._facts.dial_unknown = isinstance(error, DialUnknown)
            self._inbox.post(DialFailed(error))
        else:
            self._facts.dial_unknown = False
            self._chronicle.dialled(provider_call_id)

    def _take(self, mail: Mail) -> None:
        match mail:
            case LegJoined(leg):
                self._join(leg)
            case LegLeft(broke):
                self._leave(broke=broke)
            case AgentOver(reason) | StopRequested(reason):
                self._chronicle.finish(reason)
            case AgentFailed(reason, detail):
                self._chronicle.finish(reason, detail)
            case DialFailed(error):
                self._chronicle.dial_failed(error)
            case DigitPressed(digit):
                self._note_digit(digit)
            case _:
                self._chronicle.carrier_event(mail)
                if self._chronicle.phase is not CallPhase.DIALING:
                    self._talk.ringing.set()

    def _join(self, leg: Leg) -> None:
        if self._leg is not None:
            log.warning("second_leg_ignored")
            return
        self._leg = leg
        self._facts.provider_call_id = self._facts.provider_call_id or leg.provider_call_id
        answered_at = self._chronicle.answered()
        self._chronicle.leg_joined()
        path = self._host.recording_path()
        if path is not None:
            self._recording = self._studio.disk.open(path)
            self._recorder = StereoRecorder(self._recording, answered_at)
        self._inbox.on_audio = self._pipeline.callee_audio if self._recorder is None else self._hear_and_record
        self._inbox.on_mark = self._talk.line.mark_played
        self._talk.answered_at = answered_at
        self._talk.ringing.set()
        self._talk.answered.set()
        self._talk.line.join(leg, self._recorder)

    def _hear_and_record(self, audio: bytes) -> None:
        self._pipeline.callee_audio(audio)
        if self._recorder is not None:
            self._recorder.callee(audio, self._clock.now())

    def _leave(self, *, broke: bool) -> None:
        if self._leg is not None and self._left_at is None:
            self._left_at = self._clock.now()
            self._cuts = self._talk.line.leave()
            self._chronicle.leg_lost(self._left_at, broke=broke)

    def _note_digit(self, digit: str) -> None:
        self._digits += 1
        now = self._clock.now()
        self._talk.transcript.callee_turn(
            f"digit-{self._digits}", began_at=now, ended_at=now, text=f"(pressed {digit})"
        )

    async def _time_passed(self) -> None:
        match self._chronicle.deadlines.passed(self._clock.now()):
            case Due.RING:
                unknown = self._facts.dial_unknown and not self._facts.carrier_spoke
                self._chronicle.finish(EndReason.CARRIER_UNKNOWN if unknown else EndReason.DIAL_NO_ANSWER)
            case Due.STREAM:
                self._chronicle.finish(EndReason.CARRIER_NO_STREAM, "the carrier's media socket did not come")
            case Due.LEG_LOST:
                await self._judge_lost_leg()
            case Due.LINGER:
                self._chronicle.left_for_good(over=True)
            case Due.GOODBYE:
                if self._conversing:
                    self._pipeline.wind_up(EndReason.MAX_DURATION)
            case Due.HARD_STOP:
                self._chronicle.finish(EndReason.MAX_DURATION)
            case None:
                pass
            case due:
                assert_never(due)

    async def _judge_lost_leg(self) -> None:
        """Ask the carrier whether the callee hung up or only the media socket broke."""
        found = None
        if self._facts.provider_call_id is not None:
            try:
                async with asyncio.timeout(LOOK_UP_S):
                    found = await self._carrier.look_up(self._facts.provider_call_id)
            except (CarrierError, TimeoutError) as error:
                log.warning("lost_leg_not_asked", reason=repr(error))
        self._chronicle.left_for_good(over=found is not None and not found.live)

    async def _part(self, agent: asyncio.Task[None], dial: asyncio.Task[None]) -> None:
        if not self._dial_begun:
            dial.cancel()
        self._inbox.detach()
        if self._left_at is None:
            self._cuts = self._talk.line.leave()
        if self._conversing:
            self._pipeline.line_gone(self._cuts)
        self._talk.ringing.set()
        self._talk.answered.set()
        await all_of(
            self._hang_up(dial), end_agent(agent, self._pipeline, conversing=self._conversing), self._end_recording()
        )

    async def _hang_up(self, dial: asyncio.Task[None]) -> None:
        await asyncio.wait({dial}, timeout=DIAL_LIMIT_S)
        await hang_up(self._carrier, None if self._facts.carrier_ended else self._facts.provider_call_id, self._leg)

    async def _end_recording(self) -> None:
        if self._recorder is not None and self._recording is not None:
            self._recorder.close(self._facts.ended_at or self._clock.now())
            path = await self._recording.close()
            self._recording_path = str(path) if path is not None else None

    def _result(self) -> CallResult:
        facts = self._facts
        reason = facts.end_reason or EndReason.GATEWAY_INTERNAL
        outcome = outcome_of(facts, reason, callee_spoke=self._talk.transcript.callee_spoke)
        return CallResult(
            call_id=self._spec.call_id,
            lease_token=self._spec.lease_token,
            outcome=outcome,
            end_reason=reason,
            answered_by=who_answered(facts, outcome),
            provider_call_id=facts.provider_call_id,
            talked_s=facts.talked_s,
            answered_at=facts.answered_at_utc,
            ended_at=facts.ended_at_utc or self._clock.utc(),
            turns=self._talk.transcript.turns(facts.answered_at or 0.0),
            tool_calls=tuple(self._talk.tool_calls),
            latency_ms=self._talk.latency.summary(),
            recording_path=self._recording_path,
            error_message=facts.error_message,
            opted_out=self._talk.opted_out,
        )
