"""Whatever happens, in whatever order: one record, one dial at most, nothing left behind, no second beyond the hold."""

from collections.abc import Awaitable, Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media.errors import CarrierError, CarrierRefusal, CarrierUnreachable, DialUnknown, ProviderError
from media.ports import (
    CarrierAnswered,
    CarrierCall,
    CarrierEnded,
    CarrierMachineResult,
    CarrierRinging,
    Heard,
    RtCalleeText,
    RtCommitted,
    RtResponseDone,
    RtSpeechStarted,
    RtSpeechStopped,
    SpeechEnded,
    SpeechStarted,
    ToolRequest,
)
from schema.callspec import CallResult
from schema.outcomes import AnsweredBy, EndReason, Outcome
from tests.unit.media.fakes import FakeCarrier
from tests.unit.media.stage import CascadeStage, RealtimeStage, Stage, a_spec, hold_cascade, hold_realtime

END_CALL = ToolRequest("t1", "end_call", {})
HOLD_S = 40

OUTSIDE: dict[str, Callable[[Stage], object]] = {
    "rings": lambda s: s.inbox.carrier_event(CarrierRinging()),
    "answered": lambda s: s.inbox.carrier_event(CarrierAnswered()),
    "joins": lambda s: s.inbox.leg_joined(s.leg),
    "leaves": lambda s: s.inbox.leg_left(),
    "ended": lambda s: s.inbox.carrier_event(CarrierEnded(None, 3.0, "")),
    "busy": lambda s: s.inbox.carrier_event(CarrierEnded(Outcome.BUSY, 0.0, "")),
    "machine": lambda s: s.inbox.carrier_event(CarrierMachineResult(AnsweredBy.VOICEMAIL)),
    "person": lambda s: s.inbox.carrier_event(CarrierMachineResult(AnsweredBy.HUMAN)),
    "digit": lambda s: s.inbox.digit_pressed("5"),
    "audio": lambda s: s.inbox.callee_audio(b"\x30" * 160),
    "stray mark": lambda s: s.inbox.mark_played("greeting"),
    "stop": lambda s: s.inbox.stop(EndReason.API_STOP),
}
REALTIME: dict[str, Callable[[RealtimeStage], object]] = {
    "voice": lambda s: s.model.tape.emit(RtSpeechStarted()),
    "quiet": lambda s: s.model.tape.emit(RtSpeechStopped()),
    "commit": lambda s: s.model.tape.emit(RtCommitted("c")),
    "words": lambda s: s.model.tape.emit(RtCalleeText("c", "hello")),
    "speaks": lambda s: s.model.speaks(f"a{s.time:.3f}", "a few words for you", 1500),
    "farewell": lambda s: s.model.speaks(f"a{s.time:.3f}", "bye", 700, tools=(END_CALL,)),
    "half": lambda s: s.model.speaks(f"a{s.time:.3f}", "never ending", 900, whole=False),
    "cancelled": lambda s: s.model.tape.emit(RtResponseDone("cancelled", (END_CALL,))),
    "failed": lambda s: s.model.tape.emit(RtResponseDone("failed", ())),
    "fault": lambda s: s.model.tape.emit(ProviderError("openai", "gone", EndReason.PROVIDER_CLOSED)),
}
CASCADE: dict[str, Callable[[CascadeStage], object]] = {
    "voice": lambda s: s.stt.tape.emit(SpeechStarted()),
    "partial": lambda s: s.stt.tape.emit(Heard("I would", final=False)),
    "final": lambda s: s.stt.tape.emit(Heard("I would like that", final=True)),
    "okay": lambda s: s.stt.tape.emit(Heard("okay", final=True)),
    "stop word": lambda s: s.stt.tape.emit(Heard("stop", final=False)),
    "turn over": lambda s: s.stt.tape.emit(SpeechEnded()),
    "stt fault": lambda s: s.stt.tape.emit(ProviderError("stt", "gone", EndReason.PROVIDER_CLOSED)),
    "voice fault": lambda s: s.voice.tape.emit(ProviderError("tts", "gone", EndReason.PROVIDER_CLOSED)),
}
REPLIES = (
    ("One sentence. Another one.",),
    (0.5, "Slow, but there."),
    (END_CALL,),
    ("Bye.", END_CALL),
    ("",),
    (ProviderError("llm", "slow", EndReason.PROVIDER_TIMEOUT),),
)
DIAL_ERRORS: tuple[CarrierError | None, ...] = (
    None,
    None,
    None,
    DialUnknown("timed out"),
    CarrierUnreachable("refused"),
    CarrierRefusal("429", EndReason.CARRIER_REFUSED, Outcome.CARRIER_REFUSED, 429),
)


def timelines(*tables: dict[str, Callable[..., object]]) -> st.SearchStrategy[list[tuple[float, str]]]:
    names = sorted({name for table in tables for name in table})
    step = st.tuples(st.sampled_from((0.0, 0.01, 0.2, 0.9, 3.0)), st.sampled_from(names))
    prelude = st.sampled_from(([], [(0.5, "rings"), (1.0, "joins")], [(0.1, "joins")]))
    return st.tuples(prelude, st.lists(step, max_size=16)).map(lambda parts: [*parts[0], *parts[1]])


carriers = st.builds(
    lambda error, takes_s, live: FakeCarrier(
        dial_error=error,
        dial_takes_s=takes_s,
        found=None if live is None else CarrierCall("CA1", live=live, outcome=None, talked_s=1.0),
    ),
    st.sampled_from(DIAL_ERRORS),
    st.sampled_from((0.0, 0.3, 2.0)),
    st.sampled_from((None, True, False)),
)
thorough = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def script_of(
    timeline: list[tuple[float, str]], *tables: dict[str, Callable[..., object]]
) -> Callable[[Stage], Awaitable[None]]:
    acts = {name: act for table in tables for name, act in table.items()}

    async def play(stage: Stage) -> None:
        for wait_s, name in timeline:
            await stage.pass_s(wait_s)
            if not stage.leg.closed or name != "joins":
                acts[name](stage)

    return play


def assert_sound(record: CallResult, stage: Stage) -> None:
    assert len(stage.carrier.dialled) <= 1
    assert record.lease_token == 7
    assert record.end_reason is not EndReason.GATEWAY_INTERNAL
    assert record.talked_s <= HOLD_S + 0.001
    assert (record.talked_s > 0) <= (record.answered_at is not None)
    assert [turn.position for turn in record.turns] == list(range(len(record.turns)))
    assert all(0 <= turn.started_ms <= turn.ended_ms for turn in record.turns)
    assert stage.lasted_s < 100
    assert stage.leg.most_buffered_s <= 0.1 + 1e-6
    if record.provider_call_id is None:
        assert stage.carrier.hung_up_at == []
    else:
        assert len(stage.carrier.hung_up_at) <= 1


@pytest.mark.filterwarnings("error")
@thorough
@given(timelines(OUTSIDE, REALTIME), carriers)
def test_a_realtime_call_always_ends_with_one_true_record(
    timeline: list[tuple[float, str]], carrier: FakeCarrier
) -> None:
    spec = a_spec(hold_s=HOLD_S, inactivity_timeout=10, max_duration=1)
    record, stage = hold_realtime(script_of(timeline, OUTSIDE, REALTIME), spec=spec, carrier=carrier)
    assert_sound(record, stage)
    assert stage.model.closed == 1


@pytest.mark.filterwarnings("error")
@thorough
@given(timelines(OUTSIDE, CASCADE), carriers, st.lists(st.sampled_from(REPLIES), max_size=6))
def test_a_legacy_call_always_ends_with_one_true_record(
    timeline: list[tuple[float, str]], carrier: FakeCarrier, replies: list[tuple[object, ...]]
) -> None:
    spec = a_spec(hold_s=HOLD_S, inactivity_timeout=10, max_duration=1, mode="legacy")
    record, stage = hold_cascade(script_of(timeline, OUTSIDE, CASCADE), *replies, spec=spec, carrier=carrier)
    assert_sound(record, stage)
    assert (stage.stt.closed, stage.voice.closed) == (1, 1)
