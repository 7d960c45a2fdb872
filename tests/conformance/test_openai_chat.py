"""OpenAI's own client understands the simulated chat completions: streamed, whole, with tools, with a schema."""

from typing import Any

import httpx2
import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel

from deploy.simulator.process import World

END_CALL: Any = {
    "type": "function",
    "function": {
        "name": "end_call",
        "description": "Ends the call.",
        "parameters": {"type": "object", "properties": {"reason": {"type": "string"}}, "required": ["reason"]},
    },
}
SYSTEM: Any = {"role": "system", "content": "You call people."}


def _client(world: World, key: str = "sk-simulated") -> OpenAI:
    http = httpx2.Client(trust_env=False)
    return OpenAI(base_url=world.openai_url, api_key=key, max_retries=0, http_client=http)


def _user(text: str) -> Any:
    return {"role": "user", "content": text}


def test_a_reply_streams_in_tokens_with_usage_last(world: World) -> None:
    stream = _client(world).chat.completions.create(
        model="gpt-5.6-terra",
        messages=[SYSTEM, _user("hello?")],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    texts = [c.choices[0].delta.content for c in chunks if c.choices and c.choices[0].delta.content]
    assert "".join(texts) == "hello, this is the assistant calling. how are you today?"
    assert len(texts) > 5
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens > 0


def test_a_goodbye_is_answered_in_words_and_with_the_tool_in_one_message(world: World) -> None:
    with _client(world).chat.completions.stream(
        model="gpt-5.6-terra",
        messages=[SYSTEM, {"role": "assistant", "content": "hello"}, _user("not interested, goodbye.")],
        tools=[END_CALL],
    ) as stream:
        pieces = [event for event in stream if event.type == "tool_calls.function.arguments.delta"]
        message = stream.get_final_completion().choices[0].message
    assert len(pieces) > 1
    assert message.content == "thank you for your time. goodbye."
    assert message.tool_calls is not None
    call = message.tool_calls[0]
    assert call.type == "function"
    assert (call.function.name, call.function.arguments) == ("end_call", '{"reason":"not interested, goodbye."}')


def test_instructions_can_force_a_turn(world: World) -> None:
    text = 'SIM-REPLY[2]: exactly this.\nSIM-TOOL[2]: look_up {"id": 7}'
    completion = _client(world).chat.completions.create(
        model="m",
        messages=[
            {"role": "system", "content": text},
            {"role": "assistant", "content": "hi"},
            _user("yes?"),
        ],
    )
    message = completion.choices[0].message
    assert message.content == "exactly this."
    assert message.tool_calls is not None
    assert message.tool_calls[0].function.arguments == '{"id": 7}'  # type: ignore[union-attr]
    assert completion.choices[0].finish_reason == "tool_calls"


class Report(BaseModel):
    """What a call report asks for."""

    summary: str
    sentiment: str
    appointment_confirmed: bool
    opted_out: bool
    people: int
    budget: float | None


def test_structured_output_fits_the_schema_and_is_the_same_every_time(world: World) -> None:
    transcript = "Transcript:\nagent: can you confirm?\ncallee: yes, i confirm for 2 people.\nagent: goodbye."
    answers = [
        _client(world).chat.completions.parse(model="m", messages=[_user(transcript)], response_format=Report)
        for _ in range(2)
    ]
    reports = [answer.choices[0].message.parsed for answer in answers]
    assert reports[0] == reports[1]
    report = reports[0]
    assert report is not None
    assert (report.appointment_confirmed, report.opted_out, report.people, report.budget) == (True, False, 2, None)
    assert "callee" in report.summary


def test_a_wrong_key_is_refused_as_openai_refuses_it(world: World) -> None:
    with pytest.raises(openai.AuthenticationError) as refused:
        _client(world, "sk-stolen-0000").models.list()
    assert refused.value.code == "invalid_api_key"


def test_the_models_are_listed(world: World) -> None:
    assert "gpt-realtime-2.1" in {model.id for model in _client(world).models.list()}


def test_faults_refuse_cut_and_garble(world: World) -> None:
    client = _client(world)

    def ask(marker: str) -> list[Any]:
        return list(client.chat.completions.create(model="m", messages=[_user(marker)], stream=True))

    world.arm("openai_chat", "request", "refuse", contains="marker-429", status=429, retry_after_s=2)
    with pytest.raises(openai.RateLimitError) as limited:
        ask("marker-429")
    assert limited.value.response.headers["retry-after"] == "2"
    world.arm("openai_chat", "request", "drop", contains="marker-cut")
    with pytest.raises((openai.APIConnectionError, httpx2.RemoteProtocolError, httpx2.ReadError)):
        ask("marker-cut")
    world.arm("openai_chat", "request", "malformed", contains="marker-garbled")
    with pytest.raises(ValueError, match=r"Expecting|decode|JSON|property"):
        ask("marker-garbled")
    world.arm("openai_chat", "request", "refuse", contains="marker-500", status=500)
    with pytest.raises(openai.InternalServerError):
        ask("marker-500")
    assert ask("no marker")
