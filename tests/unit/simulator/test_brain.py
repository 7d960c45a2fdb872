"""The simulated model: the same words always get the same answer, and tests can dictate one."""

import pytest

from deploy.simulator.brain import (
    CLOSING,
    FAREWELL,
    OPENING,
    QUESTIONS,
    STILL_THERE,
    Line,
    Prompt,
    Reply,
    ToolCall,
    ToolOffer,
    reply,
    turn_number,
)

END_CALL = ToolOffer("end_call", {"type": "object", "properties": {"reason": {"type": "string"}}})
OPT_OUT = ToolOffer("mark_do_not_call", {"type": "object", "properties": {}})


def _ask(
    *lines: Line, instructions: str = "", extra: str = "", tools: tuple[ToolOffer, ...] = (END_CALL, OPT_OUT)
) -> Reply:
    return reply(Prompt(instructions, extra, lines, tools))


def _user(text: str) -> Line:
    return Line("user", text)


def _agent(text: str = "x") -> Line:
    return Line("assistant", text)


def test_a_conversation_opens_asks_three_questions_and_closes() -> None:
    lines: list[Line] = []
    said = []
    for _ in range(5):
        answer = _ask(*lines)
        said.append(answer.text)
        lines += [_agent(answer.text), _user("yes.")]
    assert said == [OPENING, *QUESTIONS, CLOSING]
    assert [call.name for call in answer.calls] == ["end_call"]


@pytest.mark.parametrize("text", ["thank you, goodbye.", "Not interested!", "ok bye", "thanks"])
def test_a_goodbye_is_returned_and_the_call_ended(text: str) -> None:
    answer = _ask(_agent(), _user(text))
    assert (answer.text, [call.name for call in answer.calls]) == (FAREWELL, ["end_call"])


def test_without_tools_the_farewell_is_words_alone() -> None:
    assert _ask(_agent(), _user("goodbye"), tools=()) == Reply(FAREWELL)


def test_an_opt_out_is_recorded_then_confirmed_and_the_call_ended() -> None:
    asked = (_agent(), _user("please do not call me again."))
    answer = _ask(*asked)
    assert [call.name for call in answer.calls] == ["mark_do_not_call"]
    done = _ask(*asked, _agent(answer.text), Line("call", "mark_do_not_call"), Line("tool", "{}"))
    assert ("not be called again" in done.text, [call.name for call in done.calls]) == (True, ["end_call"])
    assert [call.name for call in _ask(*asked, tools=(END_CALL,)).calls] == ["end_call"]


def test_after_end_call_nothing_more_is_said_unless_a_goodbye_is_asked_for() -> None:
    lines = (_user("bye"), Line("call", "end_call"))
    assert _ask(*lines, Line("tool", '{"status": "ending"}')) == Reply("")
    assert _ask(*lines, Line("tool", '{"instruction": "Say one short goodbye now."}')) == Reply("goodbye.")


def test_a_turn_is_words_and_the_calls_right_after_them() -> None:
    call, result = Line("call", "look_up"), Line("tool", "7")
    assert turn_number(()) == 1
    assert turn_number((_agent(), call, call, result)) == 2
    assert turn_number((_agent(), call, result, _agent(), _user("x"), call, result)) == 4


def test_instructions_can_dictate_words_and_tools_of_a_turn() -> None:
    text = 'You are x.\nSIM-REPLY[2]: I do: exactly.\nSIM-TOOL[2]: look_up {"id": 7}\nSIM-TOOL[2]: end_call\n'
    assert _ask(_user("hi"), instructions=text).text == OPENING
    dictated = Reply("I do: exactly.", (ToolCall("look_up", '{"id": 7}'), ToolCall("end_call", "{}")))
    assert _ask(_agent(), _user("goodbye"), instructions=text) == dictated


@pytest.mark.parametrize(
    ("extra", "text"),
    [
        ("Speak the following text exactly as written.\n\nHello, Anna!", "Hello, Anna!"),
        ('Say exactly: "Good day."', "Good day."),
        ("Ask in one short sentence whether they are still there.", STILL_THERE),
        ("Say that you will end the call now, and goodbye.", "i have to end the call now. goodbye."),
    ],
)
def test_an_instruction_for_one_reply_is_followed(extra: str, text: str) -> None:
    assert _ask(_agent(), _user("hm"), extra=extra) == Reply(text)


def test_a_given_first_sentence_opens_the_call() -> None:
    text = "You open the call with exactly this sentence: Good morning, Anna.\n\nMore."
    assert _ask(instructions=text).text == "Good morning, Anna."


def test_silence_is_asked_about() -> None:
    assert _ask(_agent()).text == STILL_THERE
