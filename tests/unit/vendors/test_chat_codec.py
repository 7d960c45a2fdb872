"""Replies are read from any compatible server's chunks, and tool calls only from complete ones."""

import json

import pytest

from media.errors import ProviderError
from media.llm.chat_codec import ReplyReader, request_messages, request_tools
from media.ports import Message, TextDelta, ToolRequest, ToolSpec


def chunk(finish: str | None = None, **delta: object) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return "data: " + json.dumps({"id": "c", "object": "chat.completion.chunk", "choices": [choice]})


def part(
    index: int | None = None, call_id: str | None = None, name: str | None = None, arguments: object = None
) -> dict[str, object]:
    fields: dict[str, object] = {"function": {"name": name, "arguments": arguments}}
    if index is not None:
        fields["index"] = index
    return fields | ({"id": call_id} if call_id else {})


def read(*lines: str) -> tuple[str, tuple[ToolRequest, ...]]:
    reader = ReplyReader()
    events = [event for line in lines for event in reader.receive(line)]
    return "".join(event.text for event in events if isinstance(event, TextDelta)), reader.tool_requests()


def test_text_comes_piece_by_piece_until_done() -> None:
    reader = ReplyReader()
    assert reader.receive(chunk(role="assistant", content="")) == ()
    assert not reader.has_begun
    assert reader.receive(chunk(content="Hel")) == (TextDelta("Hel"),)
    assert reader.has_begun
    assert not reader.is_over
    assert reader.receive(chunk("stop")) == ()
    assert reader.is_over


@pytest.mark.parametrize(
    "line",
    [
        "",
        ": ping",
        "event: x",
        "data: not json",
        "data: []",
        "data: {}",
        'data: {"choices":[]}',
        'data: {"choices":[{}]}',
        'data: {"choices":[{"delta":null}]}',
        "<html>",
    ],
)
def test_lines_that_carry_nothing_are_passed_over(line: str) -> None:
    reader = ReplyReader()
    assert reader.receive(line) == ()
    assert not reader.is_over


def test_an_error_inside_the_stream_is_an_error() -> None:
    with pytest.raises(ProviderError, match="overloaded"):
        ReplyReader().receive('data: {"error":{"message":"overloaded"}}')


def test_a_refusal_is_spoken_like_any_text() -> None:
    assert read(chunk(refusal="I cannot."))[0] == "I cannot."


TWO = (ToolRequest("a", "one", {"x": 1}), ToolRequest("b", "two", {"y": 2}))


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(
            [
                part(0, "a", "one", ""),
                part(0, None, None, '{"x"'),
                part(0, None, None, ":1}"),
                part(1, "b", "two", '{"y":2}'),
            ],
            id="by the book",
        ),
        pytest.param(
            [
                part(0, "a", "one", '{"x"'),
                part(1, "b", "two", '{"y"'),
                part(0, None, None, ":1}"),
                part(1, None, None, ":2}"),
            ],
            id="interleaved",
        ),
        pytest.param(
            [part(None, "a", "one", '{"x":'), part(None, None, None, "1}"), part(None, "b", "two", '{"y":2}')],
            id="without index",
        ),
        pytest.param(
            [part(0, "a", "one", '{"x":'), part(0, "a", "one", "1}"), part(0, "b", "two", '{"y":2}')],
            id="repeated id, index always 0",
        ),
        pytest.param([part(0, "a", "one", {"x": 1}), part(1, "b", "two", {"y": 2})], id="arguments as objects"),
    ],
)
def test_tool_calls_are_put_together_however_they_come(parts: list[dict[str, object]]) -> None:
    lines = [chunk(tool_calls=[each]) for each in parts]
    assert read(*lines, chunk("tool_calls"), "data: [DONE]")[1] == TWO


def test_a_call_without_an_id_gets_one() -> None:
    assert read(chunk(tool_calls=[part(0, None, "one", "{}")]), chunk("stop"))[1] == (ToolRequest("call_0", "one", {}),)


@pytest.mark.parametrize("arguments", ["{broken", "[1]", ""])
def test_arguments_that_are_no_object_read_as_none(arguments: str) -> None:
    assert read(chunk(tool_calls=[part(0, "a", "one", arguments)]), chunk("tool_calls"))[1] == (
        ToolRequest("a", "one", {}),
    )


def test_a_call_cut_off_by_the_length_limit_is_not_made() -> None:
    assert read(chunk(tool_calls=[part(0, "a", "one", '{"x":')]), chunk("length"))[1] == ()


def test_the_conversation_is_written_as_the_api_takes_it() -> None:
    call = ToolRequest("a", "one", {"x": 1})
    written = request_messages(
        (
            Message("system", "Be kind."),
            Message("assistant", "", (call,)),
            Message("tool", '{"ok":true}', tool_id="a"),
        )
    )
    function = {"name": "one", "arguments": '{"x":1}'}
    assert written == [
        {"role": "system", "content": "Be kind."},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "a", "type": "function", "function": function}]},
        {"role": "tool", "content": '{"ok":true}', "tool_call_id": "a"},
    ]


def test_tools_are_written_as_functions() -> None:
    function = {"name": "one", "description": "d", "parameters": {"type": "object"}}
    assert request_tools((ToolSpec("one", "d", {"type": "object"}),)) == [{"type": "function", "function": function}]
