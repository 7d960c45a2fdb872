"""Realtime calls as timelines: greeting, turns, interruptions, what was heard."""

import wave
from array import array
from pathlib import Path

import pytest

from media.audio.mulaw import decode
from media.ports import (
    RtAgentText,
    RtAudio,
    RtCalleeText,
    RtCommitted,
    RtItemDone,
    RtResponseDone,
    RtSpeechStarted,
    RtSpeechStopped,
)
from schema.outcomes import Outcome
from tests.unit.media.fakes import SPEECH, speech
from tests.unit.media.stage import CALLEE_FRAME, FakeHost, RealtimeStage, hold_realtime


def test_the_greeting_is_made_while_it_rings_and_heard_with_the_answer() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        assert stage.leg.sent
        await stage.until(6.0)
        stage.hang_up()

    record, stage = hold_realtime(script)
    assert stage.model.greeted == [(1001.0, "Hello, this is Ann.")]
    (turn,) = record.turns
    assert (turn.text, turn.started_ms, turn.ended_ms) == ("Hello, this is Ann.", 0, 2000)
    assert record.outcome is Outcome.NO_SPEECH


def test_no_greeting_is_paid_for_when_it_never_rings() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.until(2.0)
        stage.ends(Outcome.INVALID_NUMBER)

    _, stage = hold_realtime(script)
    assert stage.model.greeted == []


def test_a_slow_provider_greets_as_soon_as_it_is_there() -> None:
    def slow(stage: RealtimeStage) -> None:
        stage.model.open_takes_s = 4.0

    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        assert not stage.leg.sent
        await stage.until(4.5)
        assert stage.leg.sent
        stage.hang_up()

    hold_realtime(script, set_up=slow)


def test_callee_audio_reaches_the_model_frame_by_frame() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.sound(1.0)
        assert stage.model.heard_bytes == 8000
        stage.hang_up()
        stage.inbox.callee_audio(b"\x00" * 160)

    _, stage = hold_realtime(script)
    assert stage.model.heard_bytes == 8160


def test_a_turn_is_measured_from_the_end_of_speech() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(6.0)
        await stage.says("c1", "Yes, it suits me.")
        await stage.pass_s(0.35)
        stage.model.speaks("a1", "Good.", 500)
        await stage.pass_s(2)
        stage.hang_up()

    record, _ = hold_realtime(script)
    assert record.outcome is Outcome.HUMAN
    assert [turn.speaker for turn in record.turns] == ["agent", "callee", "agent"]
    assert record.turns[2].latency_ms == {
        "transcript": 50,
        "first_token": 400,
        "first_audio": 400,
        "first_frame": 400,
    }
    assert record.latency_ms["first_frame"] == {"p50": 400, "p95": 400}


def test_a_barge_in_silences_the_line_tells_the_model_and_cuts_the_transcript() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(4.0)
        await stage.says("c1", "Who is this?")
        await stage.until(8.0)
        stage.hang_up()

    record, stage = hold_realtime(script)
    assert stage.model.truncated == [("greeting", 1000)]
    assert stage.leg.cleared_at == [1004.0]
    assert len(stage.leg.audio_sent()) <= 8000 * 1.1 + 160
    agent, callee = record.turns
    assert (agent.text, agent.interrupted, agent.ended_ms) == ("Hello,", True, 1000)
    assert (callee.text, callee.started_ms) == ("Who is this?", 1000)


def test_late_audio_and_text_of_an_interrupted_answer_are_dropped() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(6.0)
        await stage.says("c1", "Tell me more.")
        stage.model.speaks("a1", "It is a very long story that", 1000, whole=False)
        await stage.pass_s(0.5)
        stage.model.tape.emit(RtSpeechStarted(), RtAudio("a1", speech(400)), RtAgentText("a1", "never ends"))
        stage.model.tape.emit(RtAudio("a2", speech(400)), RtResponseDone("cancelled", ()))
        await stage.pass_s(0.5)
        assert stage.leg.buffered_until <= stage.began_at + stage.time
        stage.model.tape.emit(RtSpeechStopped(), RtCommitted("c2"), RtCalleeText("c2", "Stop."))
        stage.model.speaks("a3", "Fine.", 400)
        await stage.pass_s(2)
        stage.hang_up()

    record, stage = hold_realtime(script)
    assert [turn.text for turn in record.turns] == [
        "Hello, this is Ann.",
        "Tell me more.",
        "It is a",
        "Stop.",
        "Fine.",
    ]
    assert stage.model.truncated == [("a1", 500)]


def test_an_answer_already_heard_is_not_truncated() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(5.2)
        await stage.says("c1", "Hello.")
        stage.hang_up()

    record, stage = hold_realtime(script)
    assert stage.model.truncated == []
    assert not record.turns[0].interrupted


def test_transcripts_are_ordered_by_commitment_however_late_they_come() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(6.0)
        await stage.says("c1", None)
        stage.model.speaks("a1", "And?", 300)
        await stage.pass_s(1)
        await stage.says("c2", None)
        stage.model.speaks("a2", "Good.", 300)
        await stage.pass_s(1)
        stage.model.tape.emit(RtCalleeText("c2", "second"), RtCalleeText("c1", "first"))
        await stage.pass_s(1)
        stage.hang_up()

    record, _ = hold_realtime(script)
    assert [turn.text for turn in record.turns] == ["Hello, this is Ann.", "first", "And?", "second", "Good."]


def test_the_last_words_may_arrive_shortly_after_the_hang_up() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(6.0)
        await stage.says("c1", None)
        stage.hang_up()
        await stage.pass_s(0.6)
        stage.model.tape.emit(RtCalleeText("c1", "Never mind."))

    record, stage = hold_realtime(script)
    assert record.turns[-1].text == "Never mind."
    assert record.talked_s == pytest.approx(4.05)
    assert stage.lasted_s < 8.0


def test_somebody_whose_words_never_arrive_was_still_a_person() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(6.0)
        await stage.says("c1", None)
        stage.hang_up()

    record, stage = hold_realtime(script)
    assert record.outcome is Outcome.HUMAN
    assert stage.lasted_s < 9.0


def test_a_pressed_key_is_written_down() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        stage.inbox.digit_pressed("1")
        await stage.until(6.0)
        stage.hang_up()

    record, _ = hold_realtime(script)
    assert [turn.text for turn in record.turns] == ["Hello, this is Ann.", "(pressed 1)"]


def test_several_items_of_one_response_are_accounted_one_by_one() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(6.0)
        await stage.says("c1", "Go.")
        stage.model.tape.emit(RtAgentText("a1", "first part"), RtAudio("a1", speech(500)), RtItemDone("a1"))
        stage.model.tape.emit(RtAgentText("a2", "second part"), RtAudio("a2", speech(1000)), RtItemDone("a2"))
        stage.model.tape.emit(RtResponseDone("completed", ()))
        await stage.pass_s(1.2)
        stage.model.tape.emit(RtSpeechStarted())
        await stage.pass_s(0.5)
        stage.hang_up()

    record, stage = hold_realtime(script)
    assert stage.model.truncated == [("a2", 700)]
    assert [(turn.text, turn.interrupted) for turn in record.turns][-2:] == [("first part", False), ("second", True)]


def test_a_recorded_call_has_both_sides_in_place(tmp_path: Path) -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.sound(1.0)
        stage.model.tape.emit(RtSpeechStarted())
        await stage.sound(2.0)
        stage.hang_up()

    record, _ = hold_realtime(script, host=FakeHost(path=tmp_path / "call.wav"))
    assert record.recording_path == str(tmp_path / "call.wav")
    with wave.open(str(tmp_path / "call.wav")) as wav:
        samples = array("h", wav.readframes(wav.getnframes()))
    callee, agent = samples[0::2], samples[1::2]
    assert len(callee) == pytest.approx(3.0 * 8000, abs=200)
    (heard_callee,), (heard_agent,) = array("h", decode(CALLEE_FRAME[:1])), array("h", decode(SPEECH))
    assert callee.count(heard_callee) == 3 * 8000
    assert agent[:7900].count(heard_agent) == 7900
    assert agent[8100:].count(heard_agent) == 0
