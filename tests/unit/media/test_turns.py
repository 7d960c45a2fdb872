"""Turn taking as timelines: what is heard when, and what the machine makes of it."""

import pytest

from media.conversation.turns import (
    EARLY_ANSWER_S,
    FINAL_PATIENCE_S,
    MOVES,
    PARTIAL_PATIENCE_S,
    Answer,
    Aside,
    Cue,
    Interrupt,
    TurnMachine,
    TurnState,
)
from media.conversation.words import Meaning, Passage, meaning_of


def listening() -> TurnMachine:
    turns = TurnMachine()
    turns.passage = Passage.MIDDLE
    return turns


def speaking() -> TurnMachine:
    turns = listening()
    turns.reply_begins()
    turns.reply_heard(0.0)
    assert turns.state is TurnState.SPEAKING
    return turns


def test_the_providers_end_of_turn_answers_at_once() -> None:
    turns = listening()
    assert turns.speech_started(1.0) is None
    assert turns.heard("I would", final=False, now=1.4) is None
    assert turns.heard("I would like Monday", final=True, now=2.0) is None
    assert turns.speech_ended(2.3) == Answer("I would like Monday", began_at=1.0, ended_at=2.0)
    assert turns.state is TurnState.THINKING


def test_several_final_segments_are_one_turn() -> None:
    turns = listening()
    turns.heard("I would like", final=True, now=1.0)
    turns.heard("Monday", final=False, now=1.5)
    assert turns.state is TurnState.CALLEE_SPEAKING
    turns.heard("Monday at nine.", final=True, now=2.0)
    assert turns.speech_ended(2.1) == Answer("I would like Monday at nine.", began_at=1.0, ended_at=2.0)


def test_the_timer_ends_a_turn_whose_end_never_comes() -> None:
    turns = listening()
    turns.heard("Monday.", final=True, now=5.0)
    assert turns.deadline == 5.0 + FINAL_PATIENCE_S
    assert turns.timer(5.0 + FINAL_PATIENCE_S - 0.01) is None
    assert turns.timer(5.0 + FINAL_PATIENCE_S) == Answer("Monday.", began_at=5.0, ended_at=5.0)
    assert turns.deadline is None


def test_partial_words_count_when_no_final_ever_comes() -> None:
    turns = listening()
    turns.heard("maybe Tuesday", final=False, now=5.0)
    assert turns.timer(5.0 + PARTIAL_PATIENCE_S) == Answer("maybe Tuesday", began_at=5.0, ended_at=5.0)


def test_more_words_put_the_end_off() -> None:
    turns = listening()
    turns.heard("Monday", final=True, now=5.0)
    turns.heard("or", final=False, now=5.5)
    assert turns.timer(5.0 + FINAL_PATIENCE_S) is None


@pytest.mark.parametrize("noise", ["", "   "])
def test_a_voice_without_words_is_no_turn(noise: str) -> None:
    turns = listening()
    turns.speech_started(1.0)
    turns.heard(noise, final=True, now=1.5)
    assert turns.speech_ended(2.0) is None
    assert turns.state is TurnState.LISTENING
    turns.speech_started(3.0)
    assert turns.timer(3.0 + PARTIAL_PATIENCE_S) is None
    assert turns.state is TurnState.LISTENING


def test_words_interrupt_the_agent() -> None:
    turns = speaking()
    assert turns.speech_started(1.0) is None
    assert turns.heard("actually I", final=False, now=1.2) == Interrupt()
    assert turns.state is TurnState.CALLEE_SPEAKING
    turns.heard("actually I cannot", final=True, now=1.6)
    assert turns.speech_ended(1.8) == Answer("actually I cannot", began_at=1.0, ended_at=1.6)


def test_one_partial_word_may_be_noise_and_interrupts_once_it_is_final() -> None:
    turns = speaking()
    assert turns.heard("no", final=False, now=1.0) is None
    assert turns.heard("no", final=True, now=1.3) == Interrupt()
    assert turns.state is TurnState.ENDPOINT_PENDING


@pytest.mark.parametrize("word", ["stop", "Wait,", "hang on", "excuse me", "no no"])
def test_stop_words_silence_the_agent_while_still_partial(word: str) -> None:
    assert speaking().heard(word, final=False, now=1.0) == Interrupt()


@pytest.mark.parametrize("word", ["uh huh", "Okay.", "mm-hmm", "Mhm", "yeah, right", "I see"])
def test_acknowledgements_do_not_interrupt(word: str) -> None:
    turns = speaking()
    turns.speech_started(1.0)
    assert turns.heard(word, final=False, now=1.2) is None
    assert turns.heard(word, final=True, now=1.4) is None
    assert turns.speech_ended(1.6) == Aside(word, began_at=1.0, ended_at=1.2)
    assert turns.state is TurnState.SPEAKING


def test_an_acknowledgement_long_before_the_end_is_not_answered() -> None:
    turns = speaking()
    turns.heard("okay", final=True, now=1.0)
    turns.speech_ended(1.2)
    assert turns.reply_over(1.0 + EARLY_ANSWER_S + 0.1) is None
    assert turns.state is TurnState.LISTENING


def test_a_yes_just_before_the_question_ends_is_its_answer() -> None:
    turns = speaking()
    turns.heard("yes", final=True, now=1.0)
    assert isinstance(turns.speech_ended(1.2), Aside)
    assert turns.reply_over(1.5) == Answer("yes", began_at=1.0, ended_at=1.0, noted=True)
    assert turns.state is TurnState.THINKING


def test_words_still_open_when_the_agent_ends_become_a_turn() -> None:
    turns = speaking()
    turns.heard("yes", final=True, now=1.0)
    assert turns.reply_over(1.1) is None
    assert turns.state is TurnState.ENDPOINT_PENDING
    assert turns.speech_ended(1.3) == Answer("yes", began_at=1.0, ended_at=1.0)


def test_going_on_while_the_agent_thinks_takes_the_floor_back() -> None:
    turns = listening()
    turns.heard("I want", final=True, now=1.0)
    assert isinstance(turns.speech_ended(1.2), Answer)
    assert turns.heard("to cancel it", final=True, now=1.6) == Interrupt()
    assert turns.speech_ended(1.8) == Answer("to cancel it", began_at=1.6, ended_at=1.6)


def test_the_usual_hello_does_not_cut_the_opening() -> None:
    turns = TurnMachine()
    turns.reply_begins()
    turns.reply_heard(0.0)
    assert turns.heard("Hello?", final=True, now=0.5) is None
    assert turns.heard("Hello? Who is this?", final=True, now=0.9) is None
    turns.speech_ended(1.0)
    turns.reply_over(4.0)
    turns.reply_begins()
    turns.reply_heard(5.0)
    assert turns.heard("Hello? Who is this?", final=True, now=5.9) == Interrupt()


def test_farewell_words_do_not_cut_the_farewell_and_are_not_answered() -> None:
    turns = speaking()
    turns.passage = Passage.FAREWELL
    turns.heard("thank you, bye bye", final=True, now=1.0)
    assert isinstance(turns.speech_ended(1.1), Aside)
    assert turns.reply_over(1.3) is None
    turns.reply_begins()
    turns.heard("bye", final=True, now=2.0)
    assert turns.reply_over(2.1) == Aside("bye", began_at=2.0, ended_at=2.0)
    assert turns.state is TurnState.LISTENING


def test_an_empty_reply_gives_the_floor_back() -> None:
    turns = listening()
    turns.reply_begins()
    assert turns.reply_over(1.0) is None
    assert turns.state is TurnState.LISTENING


def test_every_state_can_be_reached_and_left() -> None:
    assert {state for state, _ in MOVES} == set(TurnState)
    assert {state for state, _, _ in MOVES.values()} == set(TurnState)
    assert {cue for _, cue in MOVES} == set(Cue)


@pytest.mark.parametrize(
    ("text", "final", "passage", "meaning"),
    [
        ("", True, Passage.MIDDLE, Meaning.NOTHING),
        ("...", True, Passage.MIDDLE, Meaning.NOTHING),
        ("Uh-huh.", False, Passage.MIDDLE, Meaning.BACKCHANNEL),
        ("please stop", False, Passage.MIDDLE, Meaning.STOP),
        ("okay but wait", False, Passage.MIDDLE, Meaning.STOP),
        ("hello", True, Passage.OPENING, Meaning.BACKCHANNEL),
        ("hello", True, Passage.MIDDLE, Meaning.SPEECH),
        ("goodbye", True, Passage.FAREWELL, Meaning.BACKCHANNEL),
        ("one more question", True, Passage.FAREWELL, Meaning.SPEECH),
        ("quiero", False, Passage.MIDDLE, Meaning.NOTHING),
        ("quiero hablar", False, Passage.MIDDLE, Meaning.SPEECH),
    ],
)
def test_words_mean(text: str, final: bool, passage: Passage, meaning: Meaning) -> None:
    assert meaning_of(text, final=final, passage=passage) is meaning
