"""Legacy calls as timelines: greeting, turns, barge-in, backchannels, endpointing."""

import pytest

from media.conversation.prompts import OPENING
from media.conversation.turns import FINAL_PATIENCE_S, PARTIAL_PATIENCE_S
from media.ports import Heard, SpeechEnded, SpeechStarted
from schema.outcomes import EndReason, Outcome
from tests.unit.media.stage import CascadeStage, a_spec, hold_cascade

GREETING = "Hello, this is Ann."
GREETING_S = len(GREETING) * 0.06


def texts(record: object) -> list[tuple[str, str]]:
    return [(turn.speaker, turn.text) for turn in record.turns]  # type: ignore[attr-defined]


def test_the_greeting_is_synthesised_while_it_rings_and_heard_with_the_answer() -> None:
    async def script(stage: CascadeStage) -> None:
        await stage.answer()
        assert stage.leg.sent
        await stage.until(6.0)
        stage.hang_up()

    record, stage = hold_cascade(script)
    assert stage.voice.spoken == [GREETING]
    assert stage.voice.finished == 1
    assert stage.model.asked == []
    (turn,) = record.turns
    assert (turn.text, turn.started_ms, turn.ended_ms) == (GREETING, 0, round(GREETING_S * 1000))
    assert record.outcome is Outcome.NO_SPEECH


def test_without_a_first_sentence_the_model_opens() -> None:
    async def script(stage: CascadeStage) -> None:
        await stage.answer()
        await stage.until(6.0)
        stage.hang_up()

    spec = a_spec(mode="legacy", first_sentence=None)
    record, stage = hold_cascade(script, ("Good morning!",), spec=spec)
    assert stage.model.asked[0][-1].text == OPENING
    assert texts(record) == [("agent", "Good morning!")]


def test_a_turn_goes_to_the_model_and_its_sentences_to_the_voice_as_they_come() -> None:
    async def script(stage: CascadeStage) -> None:
        await stage.answer()
        await stage.until(5.0)
        await stage.says("Is Monday free?")
        await stage.pass_s(0.45)
        assert stage.voice.spoken == [GREETING, "Let me see."]
        await stage.pass_s(4)
        stage.hang_up()

    record, stage = hold_cascade(script, (0.3, "Let me see. ", 0.5, "Yes, at nine."))
    assert texts(record) == [
        ("agent", GREETING),
        ("callee", "Is Monday free?"),
        ("agent", "Let me see. Yes, at nine."),
    ]
    assert [(m.role, m.text) for m in stage.model.asked[0]] == [
        ("system", "You are Ann."),
        ("assistant", GREETING),
        ("user", "Is Monday free?"),
    ]
    assert record.turns[2].latency_ms == {"transcript": 0, "first_token": 300, "first_audio": 400, "first_frame": 400}
    assert stage.stt.heard_bytes == 0


def test_callee_audio_reaches_the_recogniser() -> None:
    async def script(stage: CascadeStage) -> None:
        await stage.answer()
        await stage.sound(0.5)
        stage.hang_up()

    _, stage = hold_cascade(script)
    assert stage.stt.heard_bytes == 4000


def test_a_barge_in_cancels_model_and_voice_clears_the_line_and_tells_the_model_what_was_heard() -> None:
    async def script(stage: CascadeStage) -> None:
        await stage.answer()
        await stage.until(5.0)
        await stage.says("Tell me about it.")
        await stage.pass_s(1.0)
        before = len(stage.leg.audio_sent())
        await stage.says("No, stop that. When?")
        assert len(stage.leg.audio_sent()) - before <= 8000 * 0.7
        await stage.pass_s(3.0)
        stage.hang_up()

    record, stage = hold_cascade(
        script, ("One two three four five six seven eight nine ten. ", 5.0, "Eleven."), ("On Monday.",)
    )
    assert stage.model.cancelled == 1
    assert len(stage.leg.cleared_at) == 1
    assert stage.voice.cancelled >= 1
    cut = record.turns[2]
    assert cut.interrupted
    assert "One two three four five six seven eight nine ten.".startswith(cut.text)
    assert 0 < len(cut.text) < 40
    said_to_model = [(m.role, m.text) for m in stage.model.asked[1]]
    assert said_to_model[-2:] == [("assistant", cut.text), ("user", "No, stop that. When?")]
    assert texts(record)[-1] == ("agent", "On Monday.")


def test_a_stop_word_silences_the_wire_in_the_same_instant() -> None:
    async def script(stage: CascadeStage) -> None:
        await stage.answer()
        await stage.until(5.0)
        await stage.says("Tell me about it.")
        await stage.pass_s(1.0)
        stage.stt.tape.emit(Heard("stop", final=False))
        await stage.pass_s(0.0)
        assert stage.leg.cleared_at == [round(stage.began_at + stage.time, 3)]
        sent = len(stage.leg.sent)
        await stage.pass_s(1.0)
        assert len(stage.leg.sent) == sent
        stage.hang_up()

    hold_cascade(script, ("One two three four five six seven eight nine ten.",))


@pytest.mark.parametrize("word", ["uh huh", "okay", "mm-hmm"])
def test_backchannels_leave_the_agent_speaking_and_are_written_down(word: str) -> None:
    async def script(stage: CascadeStage) -> None:
        await stage.answer()
        await stage.until(5.0)
        await stage.says("Tell me about it.")
        await stage.pass_s(0.5)
        await stage.says(word, seconds=0.3)
        await stage.pass_s(6.0)
        stage.hang_up()

    record, stage = hold_cascade(script, ("One two three four five six seven eight nine ten eleven twelve.",))
    assert stage.leg.cleared_at == []
    assert len(stage.model.asked) == 1
    assert ("callee", word) in texts(record)
    assert not any(turn.interrupted for turn in record.turns)


def test_the_callee_who_goes_on_while_the_agent_thinks_is_heard_out() -> None:
    async def script(stage: CascadeStage) -> None:
        await stage.answer()
        await stage.until(5.0)
        await stage.says("I would like")
        await stage.pass_s(0.3)
        await stage.says("to come on Monday")
        await stage.pass_s(3.0)
        stage.hang_up()

    record, stage = hold_cascade(script, (2.0, "Too early."), ("Monday it is.",))
    assert stage.model.cancelled == 1
    assert [m.text for m in stage.model.asked[1]][-2:] == ["I would like", "to come on Monday"]
    assert texts(record)[-1] == ("agent", "Monday it is.")
    assert ("agent", "Too early.") not in texts(record)


def test_a_turn_ends_by_our_own_timer_when_the_recogniser_says_nothing() -> None:
    async def script(stage: CascadeStage) -> None:
        await stage.answer()
        await stage.until(5.0)
        stage.stt.tape.emit(SpeechStarted(), Heard("On Monday.", final=True))
        await stage.pass_s(FINAL_PATIENCE_S - 0.05)
        assert stage.model.asked == []
        await stage.pass_s(0.1)
        assert len(stage.model.asked) == 1
        stage.hang_up()

    record, _ = hold_cascade(script)
    assert ("callee", "On Monday.") in texts(record)


def test_words_that_never_become_final_are_answered_after_a_while() -> None:
    async def script(stage: CascadeStage) -> None:
        await stage.answer()
        await stage.until(5.0)
        stage.stt.tape.emit(Heard("Maybe Tuesday", final=False))
        await stage.pass_s(PARTIAL_PATIENCE_S + 0.1)
        assert stage.model.asked[0][-1].text == "Maybe Tuesday"
        stage.hang_up()

    hold_cascade(script)


def test_noise_without_words_is_not_answered() -> None:
    async def script(stage: CascadeStage) -> None:
        await stage.answer()
        await stage.until(5.0)
        stage.stt.tape.emit(SpeechStarted(), SpeechEnded(), SpeechStarted(), Heard(" ", final=True), SpeechEnded())
        await stage.pass_s(4.0)
        stage.hang_up()

    record, stage = hold_cascade(script)
    assert stage.model.asked == []
    assert record.outcome is Outcome.NO_SPEECH


def test_a_yes_that_comes_just_before_the_question_ends_is_answered() -> None:
    async def script(stage: CascadeStage) -> None:
        await stage.answer()
        await stage.until(6.0)
        await stage.says("Hello Ann how are you")
        await stage.pass_s(0.1 + len("Is it you?") * 0.06 - 0.4)
        await stage.says("yes", seconds=0.2)
        await stage.pass_s(3.0)
        stage.hang_up()

    record, stage = hold_cascade(script, ("Is it you?",), ("Good.",))
    assert stage.model.asked[1][-1].text == "yes"
    assert texts(record)[-2:] == [("callee", "yes"), ("agent", "Good.")]
    assert [text for _, text in texts(record)].count("yes") == 1


def test_the_usual_hello_does_not_cut_the_greeting() -> None:
    async def script(stage: CascadeStage) -> None:
        await stage.answer()
        await stage.says("Hello?", seconds=0.3)
        await stage.until(8.0)
        stage.hang_up()

    long_greeting = "Hello, this is Ann from the clinic, about your appointment."
    record, stage = hold_cascade(script, spec=a_spec(mode="legacy", first_sentence=long_greeting))
    assert stage.leg.cleared_at == []
    assert ("agent", long_greeting) in texts(record)
    assert record.outcome is Outcome.HUMAN


def test_what_the_callee_says_while_hanging_up_is_kept() -> None:
    async def script(stage: CascadeStage) -> None:
        await stage.answer()
        await stage.until(6.0)
        stage.stt.tape.emit(SpeechStarted(), Heard("I have no time", final=False))
        await stage.pass_s(0.2)
        stage.hang_up()

    record, _ = hold_cascade(script)
    assert texts(record)[-1] == ("callee", "I have no time")
    assert (record.outcome, record.end_reason) == (Outcome.HUMAN, EndReason.USER_HANGUP)
