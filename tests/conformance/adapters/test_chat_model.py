"""The chat model streams text and tools from a server that speaks the true protocol, and fails in named ways."""

import asyncio
from contextlib import aclosing

import pytest

from deploy.simulator.brain import OPENING
from deploy.simulator.process import World
from deploy.simulator.settings import DEFAULT_OPENAI_KEY
from media.errors import ProviderError
from media.llm.chat import ChatModel
from media.ports import Message, ReplyEvent, TextDelta, ToolRequest, ToolSpec
from schema.outcomes import EndReason

START = (Message("system", "You are a friendly caller."),)
TOOL = ToolSpec("end_call", "Hang up.", {"type": "object", "properties": {"reason": {"type": "string"}}})


def chat(base_url: str, *, api_key: str = DEFAULT_OPENAI_KEY, first_token_timeout_s: float = 5.0) -> ChatModel:
    return ChatModel(
        base_url=base_url,
        api_key=api_key,
        model="gpt-5.6-terra",
        temperature=0.7,
        first_token_timeout_s=first_token_timeout_s,
    )


async def reply(model: ChatModel, messages: tuple[Message, ...] = START) -> list[ReplyEvent]:
    return [event async for event in model.reply(messages, (TOOL,))]


def text_of(events: list[ReplyEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def test_a_reply_comes_in_pieces(world: World) -> None:
    events = asyncio.run(reply(chat(world.openai_url)))
    assert text_of(events) == OPENING
    assert len(events) > 3


def test_a_tool_is_asked_for_and_its_result_is_understood(world: World) -> None:
    async def scenario() -> None:
        model = chat(world.openai_url)
        forced = Message("system", 'SIM-TOOL[1]: end_call {"reason": "the callee said goodbye"}')
        (request,) = await reply(model, (forced,))
        assert isinstance(request, ToolRequest)
        assert (request.name, request.arguments) == ("end_call", {"reason": "the callee said goodbye"})
        history = (
            *START,
            Message("assistant", "", (request,)),
            Message("tool", '{"say":"goodbye"}', tool_id=request.id),
        )
        assert text_of(await reply(model, history)) == "goodbye."

    asyncio.run(scenario())


def test_a_reply_that_is_cut_short_can_be_followed_by_another(world: World) -> None:
    async def scenario() -> None:
        model = chat(world.openai_url)
        async with aclosing(model.reply(START, ())) as events:
            assert isinstance(await anext(events), TextDelta)
        assert text_of(await reply(model)) == OPENING

    asyncio.run(scenario())


def test_a_malformed_chunk_costs_nothing_but_itself(world: World) -> None:
    world.arm("openai_chat", "request", "malformed")
    assert text_of(asyncio.run(reply(chat(world.openai_url)))) == OPENING


@pytest.mark.parametrize(
    ("kind", "how", "reason"),
    [
        ("refuse", {"status": 401}, EndReason.PROVIDER_AUTH),
        ("refuse", {"status": 429}, EndReason.PROVIDER_ERROR),
        ("refuse", {"status": 500}, EndReason.PROVIDER_ERROR),
        ("delay", {"delay_ms": 3000}, EndReason.PROVIDER_TIMEOUT),
        ("half_open", {}, EndReason.PROVIDER_TIMEOUT),
        ("drop", {}, EndReason.PROVIDER_CLOSED),
        ("not_json", {}, EndReason.PROVIDER_CLOSED),
    ],
)
def test_every_failure_has_its_name(world: World, kind: str, how: dict[str, object], reason: EndReason) -> None:
    world.arm("openai_chat", "request", kind, **how)

    async def scenario() -> None:
        with pytest.raises(ProviderError) as caught:
            await reply(chat(world.openai_url, first_token_timeout_s=0.5))
        assert caught.value.end_reason is reason

    asyncio.run(scenario())
    assert world.faults()[0]["seen"] == 1


def test_a_wrong_key_is_an_authentication_failure(world: World) -> None:
    async def scenario() -> None:
        with pytest.raises(ProviderError) as caught:
            await reply(chat(world.openai_url, api_key="sk-wrong"))
        assert caught.value.end_reason is EndReason.PROVIDER_AUTH

    asyncio.run(scenario())


def test_a_port_without_a_server_is_a_closed_provider() -> None:
    async def scenario() -> None:
        with pytest.raises(ProviderError) as caught:
            await reply(chat("http://127.0.0.1:9/v1"))
        assert caught.value.end_reason is EndReason.PROVIDER_CLOSED

    asyncio.run(scenario())
