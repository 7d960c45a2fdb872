"""Legacy calls and how they end or break: farewells, silence, time, and each provider's failure."""

import pytest

from media.conversation.prompts import SILENCE_GOODBYE, SILENCE_PROMPT, TIME_GOODBYE
from media.errors import ProviderError
from media.ports import Heard, SpeechEnded, SpeechStarted, ToolRequest
from schema.outcomes import EndReason, Outcome
from tests.unit.media.stage import CascadeStage, a_spec, hold_cascade

END_CALL = ToolRequest("t1", "end_call", {})
DO_NOT_CALL = ToolRequest("t2", "mark_do_not_call", {})
GREETING_S = len("Hello, this is Ann.") * 0.06


def fault(reason: EndReason, provider: str = "deepgram") -> ProviderError:
    return ProviderError(provider, "broken", reason)


async def says_bye(stage: CascadeStage) -> None:
    await stage.answer()
    await stage.until(6.0)
    await stage.says("That is all, bye.")


def test_end_call_hangs_up_after_the_farewell_was_heard_to_its_end() -> None:
    record, stage = hold_cascade(says_bye, ("Goodbye then!", END_CALL))
    assert (record.outcome, record.end_reason) == (Outcome.HUMAN, EndReason.AGENT_END_CALL)
    assert record.turns[-1].text == "Goodbye then!"
    assert not record.turns[-1].interrupted
    assert stage.carrier.hung_up_at == [pytest.approx(1006.8 + 0.1 + len("Goodbye then!") * 0.06, abs=0.05)]
    assert len(stage.model.asked) == 1


def test_end_call_without_a_word_asks_for_a_farewell_first() -> None:
    record, stage = hold_cascade(says_bye, (END_CALL,), ("Bye.",))
    assert record.end_reason is EndReason.AGENT_END_CALL
    assert record.turns[-1].text == "Bye."
    assert [m.role for m in stage.model.asked[1]][-3:] == ["user", "assistant", "tool"]


def test_farewell_words_of_the_callee_do_not_cut_the_farewell() -> None:
    async def script(stage: CascadeStage) -> None:
        await says_bye(stage)
        await stage.pass_s(0.3)
        await stage.says("thank you, goodbye", seconds=0.3)

    record, stage = hold_cascade(script, ("Thank you and goodbye, have a nice day!", END_CALL))
    assert record.end_reason is EndReason.AGENT_END_CALL
    assert stage.leg.cleared_at == []


def test_a_callee_with_more_to_say_takes_the_farewell_back() -> None:
    async def script(stage: CascadeStage) -> None:
        await says_bye(stage)
        await stage.pass_s(0.5)
        await stage.says("one question about the price", seconds=0.5)
        await stage.pass_s(5.0)
        stage.hang_up()

    replies = ("Thank you and goodbye, have a nice day!", END_CALL), ("It is free.",)
    record, _ = hold_cascade(script, *replies)
    assert record.end_reason is EndReason.USER_HANGUP
    assert record.turns[-1].text == "It is free."


def test_a_callee_who_wants_no_more_calls_is_recorded_told_and_let_go() -> None:
    record, stage = hold_cascade(says_bye, (DO_NOT_CALL,), ("I will not call again. Goodbye.", END_CALL))
    assert record.opted_out
    assert record.end_reason is EndReason.AGENT_END_CALL
    assert [call.name for call in record.tool_calls] == ["mark_do_not_call", "end_call"]
    assert record.turns[-1].text == "I will not call again. Goodbye."
    assert len(stage.model.asked) == 2


def test_a_model_that_only_asks_for_tools_is_stopped() -> None:
    async def script(stage: CascadeStage) -> None:
        await says_bye(stage)
        await stage.pass_s(1.0)
        stage.hang_up()

    unknown = (ToolRequest("x", "launch", {}),)
    record, stage = hold_cascade(script, *[unknown] * 9)
    assert len(stage.model.asked) == 4
    assert all(call.result == {"error": "unknown_tool"} for call in record.tool_calls)


def test_a_silent_callee_is_asked_once_and_then_let_go() -> None:
    async def script(stage: CascadeStage) -> None:
        await stage.answer()

    spec = a_spec(mode="legacy", inactivity_timeout=15)
    record, stage = hold_cascade(script, ("Still there?",), ("Goodbye.",), spec=spec)
    assert [asked[-1].text for asked in stage.model.asked] == [SILENCE_PROMPT, SILENCE_GOODBYE]
    assert (record.outcome, record.end_reason) == (Outcome.NO_SPEECH, EndReason.INACTIVITY_TIMEOUT)
    expected_s = GREETING_S + 15 + 0.1 + 12 * 0.06 + 15 + 0.1 + 8 * 0.06
    assert record.talked_s == pytest.approx(expected_s, abs=0.1)
    assert stage.model.tools[1] == ()


def test_noise_does_not_pass_for_an_answer_to_are_you_there() -> None:
    async def script(stage: CascadeStage) -> None:
        await stage.answer()
        await stage.until(25.0)
        stage.stt.tape.emit(SpeechStarted(), SpeechEnded())

    spec = a_spec(mode="legacy", inactivity_timeout=15)
    record, _ = hold_cascade(script, ("Still there?",), ("Goodbye.",), spec=spec)
    assert record.end_reason is EndReason.INACTIVITY_TIMEOUT
    assert record.talked_s < 40


def test_max_duration_ends_with_a_goodbye_that_no_voice_interrupts() -> None:
    async def script(stage: CascadeStage) -> None:
        await stage.answer()
        await stage.until(48.3)
        assert stage.model.asked[-1][-1].text == TIME_GOODBYE
        await stage.says("but I have another question", seconds=0.5)

    spec = a_spec(hold_s=60, mode="legacy", max_duration=1, inactivity_timeout=60)
    record, stage = hold_cascade(script, ("Our time is over, goodbye and thank you.",), spec=spec)
    assert record.end_reason is EndReason.MAX_DURATION
    assert record.turns[-1].text == "Our time is over, goodbye and thank you."
    assert stage.leg.cleared_at == []
    assert record.talked_s < 50


def test_talk_time_never_exceeds_the_hold_even_when_the_model_hangs() -> None:
    async def script(stage: CascadeStage) -> None:
        await stage.answer()

    spec = a_spec(hold_s=60, mode="legacy", max_duration=1, inactivity_timeout=60)
    record, stage = hold_cascade(script, (1000.0, "never"), spec=spec)
    assert record.end_reason is EndReason.MAX_DURATION
    assert record.talked_s <= 60
    assert stage.model.cancelled == 1


def test_a_reply_that_fails_before_its_first_word_is_asked_for_again() -> None:
    async def script(stage: CascadeStage) -> None:
        await says_bye(stage)
        await stage.pass_s(2.0)
        stage.hang_up()

    record, stage = hold_cascade(script, (0.2, fault(EndReason.PROVIDER_TIMEOUT, "chat")), ("Goodbye.",))
    assert record.turns[-1].text == "Goodbye."
    assert stage.model.asked[0] == stage.model.asked[1]


@pytest.mark.parametrize(
    ("replies", "reason"),
    [
        ([(fault(EndReason.PROVIDER_TIMEOUT),), (fault(EndReason.PROVIDER_ERROR),)], EndReason.PROVIDER_ERROR),
        ([(fault(EndReason.PROVIDER_AUTH),)], EndReason.PROVIDER_AUTH),
        ([("Well. Then ", fault(EndReason.PROVIDER_CLOSED))], EndReason.PROVIDER_CLOSED),
    ],
)
def test_a_model_that_cannot_answer_ends_the_call(replies: list[tuple[object, ...]], reason: EndReason) -> None:
    record, stage = hold_cascade(says_bye, *replies)
    assert (record.outcome, record.end_reason) == (Outcome.FAILED, reason)
    assert len(stage.carrier.hung_up_at) == 1
    assert (stage.stt.closed, stage.voice.closed) == (1, 1)


def test_a_recogniser_that_gives_up_ends_the_call() -> None:
    async def script(stage: CascadeStage) -> None:
        await stage.answer()
        await stage.until(4.0)
        stage.stt.tape.emit(fault(EndReason.PROVIDER_CLOSED))

    record, _ = hold_cascade(script)
    assert (record.outcome, record.end_reason) == (Outcome.FAILED, EndReason.PROVIDER_CLOSED)


@pytest.mark.parametrize("broken", ["stt", "voice"])
def test_a_provider_that_cannot_be_opened_ends_the_call_before_the_answer(broken: str) -> None:
    def break_it(stage: CascadeStage) -> None:
        getattr(stage, broken).open_error = fault(EndReason.PROVIDER_AUTH)

    async def script(stage: CascadeStage) -> None:
        await stage.until(5.0)

    record, stage = hold_cascade(script, set_up=break_it)
    assert (record.outcome, record.end_reason) == (Outcome.FAILED, EndReason.PROVIDER_AUTH)
    assert len(stage.carrier.hung_up_at) == 1
    assert (stage.stt.closed, stage.voice.closed) == (1, 1)


def test_a_voice_lost_in_the_middle_speaks_again_what_was_not_voiced() -> None:
    def mute(stage: CascadeStage) -> None:
        stage.voice.silent = True

    async def script(stage: CascadeStage) -> None:
        await stage.answer()
        stage.voice.silent = False
        stage.voice.tape.emit(fault(EndReason.PROVIDER_CLOSED))
        await stage.until(6.0)
        stage.hang_up()

    record, stage = hold_cascade(script, set_up=mute)
    assert stage.voice.opened == 2
    assert stage.voice.spoken == ["Hello, this is Ann."] * 2
    assert stage.voice.finished == 2
    assert record.turns[0].text == "Hello, this is Ann."
    assert record.end_reason is EndReason.USER_HANGUP


def test_a_voice_lost_twice_in_one_reply_ends_the_call() -> None:
    def mute(stage: CascadeStage) -> None:
        stage.voice.silent = True

    async def script(stage: CascadeStage) -> None:
        await stage.answer()
        stage.voice.tape.emit(fault(EndReason.PROVIDER_CLOSED))
        await stage.pass_s(1.0)
        stage.voice.tape.emit(fault(EndReason.PROVIDER_CLOSED))

    record, _ = hold_cascade(script, set_up=mute)
    assert (record.outcome, record.end_reason) == (Outcome.FAILED, EndReason.PROVIDER_CLOSED)


def test_an_empty_reply_gives_the_floor_back() -> None:
    async def script(stage: CascadeStage) -> None:
        await stage.answer()
        await stage.until(6.0)
        await stage.says("Anything?")
        await stage.pass_s(1.0)
        await stage.says("Hello again?")
        await stage.pass_s(2.0)
        stage.hang_up()

    record, stage = hold_cascade(script, ("",), ("Yes.",))
    assert len(stage.model.asked) == 2
    assert record.turns[-1].text == "Yes."


def test_a_stop_in_the_middle_of_everything_leaves_a_record_of_what_was_heard() -> None:
    async def script(stage: CascadeStage) -> None:
        await stage.answer()
        await stage.until(5.0)
        await stage.says("Tell me more")
        await stage.pass_s(0.9)
        stage.stt.tape.emit(SpeechStarted(), Heard("but", final=False))
        stage.inbox.stop(EndReason.API_STOP)

    record, stage = hold_cascade(script, ("One two three four five six seven. ", 3.0, "Eight."))
    assert (record.outcome, record.end_reason) == (Outcome.HUMAN, EndReason.API_STOP)
    assert record.turns[2].interrupted
    assert record.turns[2].text == "One two three"
    assert stage.model.cancelled == 1
