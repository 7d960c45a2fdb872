"""One call on a stage: the real session, pipeline, line and recorder between fakes, on virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from media.audio.pace import PaceClock
from media.audio.spool import RecordingDisk
from media.clock import Clock
from media.inbox import CallInbox
from media.pipelines.cascade import CascadePipeline
from media.pipelines.pipeline import Pipeline
from media.pipelines.realtime import RealtimePipeline
from media.ports import (
    CarrierAnswered,
    CarrierEnded,
    CarrierRinging,
    Heard,
    RtCalleeText,
    RtCommitted,
    RtSpeechStarted,
    RtSpeechStopped,
    SpeechEnded,
    SpeechStarted,
)
from media.session import run_call
from media.studio import Studio
from schema.call_config import CallConfig
from schema.callspec import CallResult, CallSpec
from schema.outcomes import AnsweredBy, Outcome
from schema.states import CallPhase
from tests.unit.media.fake_providers import FakeModel, FakeRealtime, FakeStt, FakeVoice
from tests.unit.media.fakes import FakeCarrier, FakeLeg, now
from tests.virtual_time import InlineExecutor, run_virtual

BEGAN_UTC = datetime(2030, 1, 1, tzinfo=UTC).timestamp() - 1000
CALLEE_FRAME = b"\x30" * 160


def a_spec(hold_s: int = 300, **config: object) -> CallSpec:
    given = {"task": "Confirm the appointment.", "background_audio": "none", "first_sentence": "Hello, this is Ann."}
    return CallSpec(
        call_id=UUID(int=1),
        account_id=UUID(int=2),
        campaign_id=UUID(int=3),
        lease_token=7,
        phone_number="+14155550100",
        from_number="+14155550199",
        config=CallConfig.model_validate(given | config),
        lead_context={"name": "Joe"},
        stream_token="token",
        dial_deadline_s=5.0,
        hold_s=hold_s,
    )


@dataclass
class FakeHost:
    """The worker, as one session sees it."""

    may_dial: bool = True
    path: Path | None = None
    moves: list[tuple[CallPhase, str | None, AnsweredBy | None]] = field(default_factory=list)

    def dial_allowed(self) -> bool:
        return self.may_dial

    def stream_url(self) -> str:
        return "wss://worker/streams/token"

    def status_url(self) -> str:
        return "https://worker/status"

    def recording_path(self) -> Path | None:
        return self.path

    def progress(
        self, phase: CallPhase, provider_call_id: str | None = None, answered_by: AnsweredBy | None = None
    ) -> None:
        self.moves.append((phase, provider_call_id, answered_by))


class Stage:
    """A call and everything around it. The script plays the callee and the carrier."""

    def __init__(self, spec: CallSpec, pipeline: Pipeline, carrier: FakeCarrier, host: FakeHost) -> None:
        self.spec = spec
        self.pipeline = pipeline
        self.carrier = carrier
        self.host = host
        self.inbox = CallInbox()
        self.leg = FakeLeg(self.inbox)
        self.began_at = now()
        self.lasted_s = 0.0
        self.session: asyncio.Future[CallResult] | None = None

    @property
    def time(self) -> float:
        """Seconds since the call began."""
        return now() - self.began_at

    async def until(self, second: float) -> None:
        """Let the call go on until this second of it."""
        assert second >= self.time
        await asyncio.sleep(second - self.time)

    async def pass_s(self, seconds: float) -> None:
        """Let the call go on for so long."""
        await asyncio.sleep(seconds)

    async def ring(self) -> None:
        self.inbox.carrier_event(CarrierRinging())
        await asyncio.sleep(0)

    async def answer(self) -> None:
        """Ring for two seconds, pick up, open the media socket."""
        await self.until(1.0)
        await self.ring()
        await self.until(3.0)
        self.inbox.carrier_event(CarrierAnswered())
        self.inbox.leg_joined(self.leg)
        await asyncio.sleep(0)

    def ends(self, outcome: Outcome | None = None, talked_s: float = 0.0) -> None:
        self.inbox.carrier_event(CarrierEnded(outcome, talked_s, ""))

    def hang_up(self) -> None:
        """The callee hangs up: the media socket goes, then the carrier reports."""
        self.inbox.leg_left()
        self.ends()

    async def sound(self, seconds: float) -> None:
        """Send callee audio in real time."""
        for _ in range(round(seconds * 50)):
            self.inbox.callee_audio(CALLEE_FRAME)
            await asyncio.sleep(0.02)


class RealtimeStage(Stage):
    model: FakeRealtime

    async def says(self, item: str, text: str | None, seconds: float = 1.0) -> None:
        """The callee speaks; the transcript follows unless it is None."""
        self.model.tape.emit(RtSpeechStarted())
        await self.pass_s(seconds)
        self.model.tape.emit(RtSpeechStopped(), RtCommitted(item))
        await self.pass_s(0.05)
        if text is not None:
            self.model.tape.emit(RtCalleeText(item, text))


class CascadeStage(Stage):
    stt: FakeStt
    model: FakeModel
    voice: FakeVoice

    async def says(self, text: str, seconds: float = 0.8, *, ended: bool = True) -> None:
        """The callee speaks: voice, partial words, final words, and the recogniser's end of turn."""
        words = text.split()
        self.stt.tape.emit(SpeechStarted())
        for count in range(1, len(words) + 1):
            await self.pass_s(seconds / len(words))
            self.stt.tape.emit(Heard(" ".join(words[:count]), final=False))
        self.stt.tape.emit(Heard(text, final=True))
        if ended:
            self.stt.tape.emit(SpeechEnded())
        await asyncio.sleep(0)


def hold_realtime(
    script: Callable[[RealtimeStage], Awaitable[None]],
    *,
    spec: CallSpec | None = None,
    carrier: FakeCarrier | None = None,
    host: FakeHost | None = None,
    set_up: Callable[[RealtimeStage], None] = lambda _: None,
) -> tuple[CallResult, RealtimeStage]:
    """Hold one realtime call; by default its greeting lasts two seconds."""

    async def play() -> tuple[CallResult, RealtimeStage]:
        model = FakeRealtime()
        model.answers["greet"] = lambda: model.speaks("greeting", "Hello, this is Ann.", 2000)
        used = spec or a_spec()
        silence_s = used.config.inactivity_timeout
        pipeline = RealtimePipeline(model, first_sentence=used.config.first_sentence, silence_s=silence_s)
        stage = RealtimeStage(used, pipeline, carrier or FakeCarrier(), host or FakeHost())
        stage.model = model
        set_up(stage)
        return await _play(stage, script), stage

    return run_virtual(play)


def hold_cascade(
    script: Callable[[CascadeStage], Awaitable[None]],
    *replies: tuple[object, ...],
    spec: CallSpec | None = None,
    carrier: FakeCarrier | None = None,
    set_up: Callable[[CascadeStage], None] = lambda _: None,
) -> tuple[CallResult, CascadeStage]:
    """Hold one legacy call in which the model gives the replies."""

    async def play() -> tuple[CallResult, CascadeStage]:
        stt, model, voice = FakeStt(), FakeModel(*replies), FakeVoice()  # type: ignore[arg-type]
        used = spec or a_spec(mode="legacy")
        pipeline = CascadePipeline(
            stt,
            model,
            voice,
            system_prompt="You are Ann.",
            first_sentence=used.config.first_sentence,
            silence_s=used.config.inactivity_timeout,
        )
        stage = CascadeStage(used, pipeline, carrier or FakeCarrier(), FakeHost())
        stage.stt, stage.model, stage.voice = stt, model, voice
        set_up(stage)
        return await _play(stage, script), stage

    return run_virtual(play)


async def _play(stage: Stage, script: Callable[..., Awaitable[None]]) -> CallResult:
    loop = asyncio.get_running_loop()
    clock = Clock(loop.time, lambda: datetime.fromtimestamp(BEGAN_UTC + loop.time(), UTC))
    studio = Studio(clock, PaceClock(loop, clock.now), RecordingDisk(InlineExecutor()))
    stage.session = asyncio.ensure_future(
        run_call(
            stage.spec,
            carrier=stage.carrier,
            pipeline=stage.pipeline,
            host=stage.host,
            inbox=stage.inbox,
            studio=studio,
        )
    )
    actor = asyncio.ensure_future(script(stage))
    try:
        result = await stage.session
    finally:
        stage.lasted_s = stage.time
        if not actor.done():
            actor.cancel()
        await asyncio.wait({actor})
        assert len(studio.pace) == 0
    if not actor.cancelled():
        actor.result()
    return result
