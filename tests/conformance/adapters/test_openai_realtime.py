"""The realtime adapter holds a conversation with a server that speaks the true protocol, and survives its faults."""

import asyncio

import pytest

from deploy.simulator.brain import STILL_THERE
from deploy.simulator.process import World
from deploy.simulator.voice import decode_mulaw
from media.errors import ProviderError
from media.ports import (
    RtAudio,
    RtCalleeText,
    RtCommitted,
    RtItemDone,
    RtResponseDone,
    RtSpeechStarted,
    RtSpeechStopped,
    ToolRequest,
)
from schema.outcomes import EndReason
from tests.conformance.adapters.conversation import conversation, realtime

LONG = "this is a rather long sentence that takes the agent several seconds to say, so that it can be interrupted."


def test_the_first_sentence_is_spoken_word_for_word(world: World) -> None:
    async def scenario() -> None:
        async with conversation(world) as talk:
            await talk.model.greet("good morning, this is anna.")
            assert await talk.has(RtResponseDone) == [RtResponseDone("completed", ())]
            assert talk.text() == "good morning, this is anna."
            assert decode_mulaw(talk.sound()) == "good morning, this is anna."
            (item,) = talk.of(RtItemDone)
            assert {event.item_id for event in talk.of(RtAudio)} == {item.item_id}

    asyncio.run(scenario())


def test_a_callee_turn_is_heard_written_down_and_answered(world: World) -> None:
    async def scenario() -> None:
        async with conversation(world) as talk:
            await talk.model.greet("hello.")
            await talk.has(RtResponseDone)
            talk.callee_says("i am fine.")
            await talk.has(RtResponseDone, 2)
            (said,) = await talk.has(RtCalleeText)
            (committed,) = talk.of(RtCommitted)
            assert said == RtCalleeText(committed.item_id, "i am fine.")
            assert (len(talk.of(RtSpeechStarted)), len(talk.of(RtSpeechStopped))) == (1, 1)
            assert talk.text().startswith("hello.thank you.")

    asyncio.run(scenario())


def test_an_unfinished_turn_can_be_ended_and_is_written_down_without_an_answer(world: World) -> None:
    async def scenario() -> None:
        async with conversation(world) as talk:
            talk.callee_says("well, i have to go", quiet_ms=0)
            await talk.has(RtSpeechStarted)
            await talk.model.end_turn()
            (said,) = await talk.has(RtCalleeText)
            assert said.text == "well, i have to go"
            assert (talk.of(RtSpeechStopped), talk.of(RtResponseDone)) == ([], [])

    asyncio.run(scenario())


def test_an_interrupted_answer_falls_silent_and_the_next_one_is_heard(world: World) -> None:
    async def scenario() -> None:
        async with conversation(world) as talk:
            await talk.model.greet(LONG)
            (first, *_) = await talk.has(RtAudio)
            talk.callee_says("wait. who is this?")
            await talk.has(RtSpeechStarted)
            await talk.model.truncate(first.item_id, 120)
            heard = len(talk.sound(first.item_id))
            dones = await talk.has(RtResponseDone, 2)
            assert [done.status for done in dones] == ["cancelled", "completed"]
            assert len(talk.sound(first.item_id)) == heard
            assert talk.sound()[heard:]

    asyncio.run(scenario())


@pytest.mark.parametrize("heard_ms", [0, 10**6])
def test_truncating_at_either_end_harms_nothing(world: World, heard_ms: int) -> None:
    async def scenario() -> None:
        async with conversation(world) as talk:
            await talk.model.greet(LONG)
            (first, *_) = await talk.has(RtAudio)
            await talk.model.truncate(first.item_id, heard_ms)
            await talk.has(RtResponseDone)
            await talk.model.truncate(first.item_id, heard_ms)
            await talk.model.truncate("item_unknown", heard_ms)
            await talk.model.say("say that the callee has been silent.")
            await talk.has(RtResponseDone, 2)
            assert talk.text().endswith(STILL_THERE)

    asyncio.run(scenario())


def test_requests_made_at_once_are_answered_one_after_another(world: World) -> None:
    async def scenario() -> None:
        async with conversation(world) as talk:
            await talk.model.greet("one.")
            await talk.model.say("ask whether they are still there.")
            await talk.model.say("ask whether they are still there.")
            dones = await talk.has(RtResponseDone, 3)
            assert [done.status for done in dones] == ["completed"] * 3
            assert talk.text() == "one." + STILL_THERE * 2

    asyncio.run(scenario())


def test_a_request_that_meets_the_servers_own_answer_is_made_afterwards(world: World) -> None:
    async def scenario() -> None:
        async with conversation(world) as talk:
            talk.callee_says("hello.")
            await talk.model.say("ask whether they are still there.")
            await talk.has(RtResponseDone, 2)
            assert talk.text().endswith(STILL_THERE)

    asyncio.run(scenario())


def test_a_tool_is_asked_for_answered_and_followed_up(world: World) -> None:
    async def scenario() -> None:
        forced = 'SIM-TOOL[1]: end_call {"reason": "done"}'
        async with conversation(world, instructions=forced) as talk:
            await talk.model.greet(None)
            (done,) = await talk.has(RtResponseDone)
            (request,) = done.tool_requests
            assert request == ToolRequest(request.id, "end_call", {"reason": "done"})
            await talk.model.answer_tools(((request.id, '{"say":"goodbye"}'),), respond=True)
            await talk.has(RtResponseDone, 2)
            assert talk.text() == "goodbye."

    asyncio.run(scenario())


def test_a_reply_in_two_items_keeps_them_apart(world: World) -> None:
    world.arm("openai_realtime", "response", "multi_item")

    async def scenario() -> None:
        async with conversation(world) as talk:
            await talk.model.greet(LONG)
            first, second = await talk.has(RtItemDone, 2)
            await talk.has(RtResponseDone)
            assert decode_mulaw(talk.sound(first.item_id) + talk.sound(second.item_id)).split() == LONG.split()

    asyncio.run(scenario())


def test_audio_after_the_end_is_not_heard(world: World) -> None:
    world.arm("openai_realtime", "response", "late_delta")

    async def scenario() -> None:
        async with conversation(world) as talk:
            await talk.model.greet(LONG)
            await talk.has(RtAudio)
            talk.callee_says("wait.", quiet_ms=0)
            await talk.has(RtResponseDone)
            heard = len(talk.sound())
            talk.callee_says("", quiet_ms=700)
            await talk.has(RtCommitted)
            assert len(talk.sound()) == heard

    asyncio.run(scenario())


def test_a_failed_response_is_reported_and_the_session_goes_on(world: World) -> None:
    world.arm("openai_realtime", "response", "fail")

    async def scenario() -> None:
        async with conversation(world) as talk:
            await talk.model.greet("hello.")
            assert await talk.has(RtResponseDone) == [RtResponseDone("failed", (), "server_error")]
            await talk.model.greet("hello.")
            await talk.has(RtResponseDone, 2)
            assert talk.text() == "hello."

    asyncio.run(scenario())


def test_a_malformed_frame_costs_nothing_but_itself(world: World) -> None:
    world.arm("openai_realtime", "session", "malformed")

    async def scenario() -> None:
        async with conversation(world) as talk:
            await talk.model.greet("hello.")
            await talk.has(RtResponseDone)
            assert talk.fault is None

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("at", "kind", "how", "reason"),
    [
        ("session", "close", {"close_code": 1011}, EndReason.PROVIDER_CLOSED),
        ("session", "close", {"close_code": 3000}, EndReason.PROVIDER_AUTH),
        ("session", "reset", {}, EndReason.PROVIDER_CLOSED),
        ("session", "half_open", {}, EndReason.PROVIDER_TIMEOUT),
        ("response", "stall", {"after_ms": 400}, EndReason.PROVIDER_TIMEOUT),
        ("response", "close", {"close_code": 1001, "after_ms": 400}, EndReason.PROVIDER_CLOSED),
    ],
)
def test_a_lost_session_says_how(world: World, at: str, kind: str, how: dict[str, object], reason: EndReason) -> None:
    world.arm("openai_realtime", at, kind, **({"after_ms": 200} | how))

    async def scenario() -> None:
        async with conversation(world, stall_s=0.5) as talk:
            await talk.model.greet(LONG)
            await talk.until(lambda: talk.is_over)
            assert talk.fault is not None
            assert talk.fault.end_reason is reason
            await talk.model.greet("after the end")
            talk.callee_says("hello")

    asyncio.run(scenario())


def test_an_old_session_hands_over_to_a_new_one_that_knows_what_was_said(world: World) -> None:
    forced = "SIM-REPLY[3]: this is my third turn."

    async def scenario() -> None:
        async with conversation(world, instructions=forced, roll_over_s=0.0) as talk:
            await talk.model.greet("first turn.")
            await talk.has(RtResponseDone)
            talk.callee_says("one.")
            await talk.has(RtResponseDone, 2)
            talk.callee_says("two.")
            await talk.has(RtResponseDone, 3)
            assert talk.text().endswith("this is my third turn.")
            assert [said.text for said in await talk.has(RtCalleeText, 2)] == ["one.", "two."]
            assert talk.fault is None
            assert talk.model.dropped_frames == 0

    asyncio.run(scenario())


def test_a_session_that_cannot_hand_over_goes_on(world: World) -> None:
    async def scenario() -> None:
        async with conversation(world, roll_over_s=0.0) as talk:
            world.arm("openai_realtime", "connect", "refuse", status=503, times=2)
            await talk.model.greet("first turn.")
            await talk.has(RtResponseDone)
            talk.callee_says("one.")
            await talk.has(RtResponseDone, 2)
            assert world.faults()[0]["struck"] == 2
            assert talk.fault is None

    asyncio.run(scenario())


async def reason_of(world: World, *, api_key: str = "sk-simulated", voice: str = "marin") -> EndReason | None:
    model = realtime(world.openai_url, api_key=api_key, voice=voice)
    try:
        await model.open()
    except ProviderError as fault:
        return fault.end_reason
    else:
        return None
    finally:
        await model.close()


def test_a_refused_key_is_not_tried_again(world: World) -> None:
    assert asyncio.run(reason_of(world, api_key="sk-wrong")) is EndReason.PROVIDER_AUTH
    world.arm("openai_realtime", "connect", "refuse", status=401, times=0)
    assert asyncio.run(reason_of(world)) is EndReason.PROVIDER_AUTH
    assert world.faults()[0]["struck"] == 1


def test_a_passing_refusal_is_tried_once_more(world: World) -> None:
    world.arm("openai_realtime", "connect", "refuse", status=503)
    assert asyncio.run(reason_of(world)) is None
    world.arm("openai_realtime", "connect", "refuse", status=503, times=2)
    assert asyncio.run(reason_of(world)) is EndReason.PROVIDER_ERROR


def test_a_session_that_cannot_be_configured_is_an_error(world: World) -> None:
    assert asyncio.run(reason_of(world, voice="nobody")) is EndReason.PROVIDER_ERROR


def test_a_port_without_a_server_is_a_closed_provider() -> None:
    async def scenario() -> EndReason | None:
        model = realtime("http://127.0.0.1:9/v1")
        with pytest.raises(ProviderError) as caught:
            await model.open()
        return caught.value.end_reason

    assert asyncio.run(scenario()) is EndReason.PROVIDER_CLOSED
