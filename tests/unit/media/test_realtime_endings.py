"""Realtime calls and how they end well: farewells, tools, silence, time."""

import pytest

from media.conversation.prompts import SILENCE_GOODBYE, SILENCE_PROMPT, TIME_GOODBYE
from media.ports import RtCalleeText, RtCommitted, RtResponseDone, RtSpeechStarted, ToolRequest
from schema.outcomes import EndReason, Outcome
from tests.unit.media.stage import RealtimeStage, a_spec, hold_realtime

END_CALL = ToolRequest("t1", "end_call", {"reason": "done"})
DO_NOT_CALL = ToolRequest("t2", "mark_do_not_call", {})


def test_end_call_hangs_up_after_the_farewell_was_heard_to_its_end() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(6.0)
        await stage.says("c1", "That is all, bye.")
        stage.model.speaks("a1", "Thank you, goodbye!", 1500, tools=(END_CALL,))

    record, stage = hold_realtime(script)
    assert (record.outcome, record.end_reason) == (Outcome.HUMAN, EndReason.AGENT_END_CALL)
    assert stage.model.tool_results == [((("t1", '{"status":"ending"}'),), False)]
    assert stage.carrier.hung_up_at == [pytest.approx(1007.05 + 1.5, abs=0.05)]
    assert record.turns[-1].text == "Thank you, goodbye!"
    assert not record.turns[-1].interrupted
    (call,) = record.tool_calls
    assert (call.name, call.arguments, call.at_ms) == ("end_call", {"reason": "done"}, 4050)


def test_end_call_without_a_word_asks_for_a_farewell_first() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(6.0)
        stage.model.answers["tools"] = lambda: stage.model.speaks("bye", "Goodbye.", 600)
        await stage.says("c1", "Bye.")
        stage.model.tape.emit(RtResponseDone("completed", (END_CALL,)))

    record, stage = hold_realtime(script)
    assert record.end_reason is EndReason.AGENT_END_CALL
    assert record.turns[-1].text == "Goodbye."
    assert stage.model.tool_results[0][1] is True


def test_what_the_callee_was_saying_when_they_hung_up_is_written_down() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(6.0)
        stage.model.answers["end_turn"] = lambda: stage.model.tape.emit(
            RtCommitted("c1"), RtCalleeText("c1", "Well, I have to")
        )
        stage.model.tape.emit(RtSpeechStarted())
        await stage.pass_s(1.0)
        stage.hang_up()

    record, stage = hold_realtime(script)
    assert (record.outcome, record.end_reason) == (Outcome.HUMAN, EndReason.USER_HANGUP)
    assert (record.turns[-1].speaker, record.turns[-1].text) == ("callee", "Well, I have to")
    assert record.turns[-1].ended_ms - record.turns[-1].started_ms == pytest.approx(1000, abs=50)
    assert stage.model.turns_ended == 1


def test_a_callee_with_more_to_say_takes_the_farewell_back() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(6.0)
        await stage.says("c1", "Bye.")
        stage.model.speaks("a1", "Thank you, goodbye!", 1500, tools=(END_CALL,))
        await stage.pass_s(0.5)
        await stage.says("c2", "Wait, one more thing.")
        stage.model.speaks("a2", "Of course.", 600)
        await stage.pass_s(4)
        stage.hang_up()

    record, _ = hold_realtime(script)
    assert record.end_reason is EndReason.USER_HANGUP
    assert [turn.text for turn in record.turns][-2:] == ["Wait, one more thing.", "Of course."]


def test_tools_of_a_cancelled_response_do_nothing() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(6.0)
        stage.model.tape.emit(RtResponseDone("cancelled", (END_CALL, DO_NOT_CALL)))
        await stage.pass_s(2)
        stage.hang_up()

    record, stage = hold_realtime(script)
    assert record.end_reason is EndReason.USER_HANGUP
    assert record.tool_calls == ()
    assert not record.opted_out
    assert stage.model.tool_results == []


def test_a_callee_who_wants_no_more_calls_is_recorded_and_let_go() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(6.0)
        stage.model.answers["tools"] = lambda: stage.model.speaks("a2", "Noted, bye.", 500, tools=(END_CALL,))
        await stage.says("c1", "Never call me again.")
        stage.model.tape.emit(RtResponseDone("completed", (DO_NOT_CALL,)))

    record, _ = hold_realtime(script)
    assert record.opted_out
    assert record.end_reason is EndReason.AGENT_END_CALL
    assert [call.name for call in record.tool_calls] == ["mark_do_not_call", "end_call"]


def test_a_silent_callee_is_asked_once_and_then_let_go() -> None:
    async def script(stage: RealtimeStage) -> None:
        stage.model.answers["say"] = lambda: stage.model.speaks(f"s{len(stage.model.asked)}", "Hello?", 500)
        await stage.answer()

    record, stage = hold_realtime(script, spec=a_spec(inactivity_timeout=20))
    assert stage.model.asked == [SILENCE_PROMPT, SILENCE_GOODBYE]
    assert (record.outcome, record.end_reason) == (Outcome.NO_SPEECH, EndReason.INACTIVITY_TIMEOUT)
    assert record.talked_s == pytest.approx(2.0 + 20 + 0.5 + 20 + 0.5, abs=0.1)


def test_max_duration_ends_with_a_goodbye() -> None:
    async def script(stage: RealtimeStage) -> None:
        stage.model.answers["say"] = lambda: stage.model.speaks("bye", "Our time is over, goodbye.", 2000)
        await stage.answer()
        for turn in range(20):
            await stage.says(f"c{turn}", "And then", seconds=2.0)
            stage.model.speaks(f"a{turn}", "Go on.", 500)
            await stage.pass_s(1.0)

    record, stage = hold_realtime(script, spec=a_spec(hold_s=60, max_duration=1))
    assert stage.model.asked == [TIME_GOODBYE]
    assert (record.outcome, record.end_reason) == (Outcome.HUMAN, EndReason.MAX_DURATION)
    assert record.talked_s < 55
    assert record.turns[-1].text.startswith("Our time is over") or record.turns[-2].text.startswith("Our time is over")


def test_talk_time_never_exceeds_the_hold_even_when_the_provider_hangs() -> None:
    async def script(stage: RealtimeStage) -> None:
        await stage.answer()
        await stage.until(40.0)
        stage.model.tape.emit(RtSpeechStarted())

    record, stage = hold_realtime(script, spec=a_spec(hold_s=60, max_duration=1, inactivity_timeout=60))
    assert record.end_reason is EndReason.MAX_DURATION
    assert record.talked_s <= 60.0
    assert len(stage.carrier.hung_up_at) == 1


def test_the_callees_voice_does_not_stop_a_goodbye_that_time_forces() -> None:
    async def script(stage: RealtimeStage) -> None:
        stage.model.answers["say"] = lambda: stage.model.speaks("bye", "Goodbye now.", 3000)
        await stage.answer()
        await stage.until(48.5)
        assert stage.model.asked == [TIME_GOODBYE]
        stage.model.tape.emit(RtSpeechStarted())

    record, stage = hold_realtime(script, spec=a_spec(hold_s=60, max_duration=1, inactivity_timeout=60))
    assert stage.leg.cleared_at == []
    assert record.turns[-1].text == "Goodbye now."
    assert record.talked_s == pytest.approx(48.0, abs=0.2)
