"""The recogniser hears turns, keeps its socket through silence, and hears on when the socket is lost."""

import asyncio

import pytest

from deploy.simulator.process import World
from deploy.simulator.settings import DEFAULT_DEEPGRAM_KEY
from deploy.simulator.voice import silence, speak
from media.errors import ProviderError
from media.ports import Heard, SpeechEnded, SpeechStarted
from schema.outcomes import EndReason
from tests.conformance.adapters.speech import recogniser, says, send, transcribing


def test_a_turn_begins_grows_and_ends(world: World) -> None:
    async def scenario() -> None:
        async with transcribing(world) as heard:
            says(heard.stt, "hello there, my friend.")
            assert await heard.turns(1) == ["hello there, my friend."]
            assert (heard.events[0], heard.events[-1]) == (SpeechStarted(), SpeechEnded())
            assert any(isinstance(event, Heard) and not event.final for event in heard.events)
            says(heard.stt, "goodbye.")
            assert (await heard.turns(2))[1:] == ["goodbye."]
            assert heard.events.count(SpeechStarted()) == 2

    asyncio.run(scenario())


def test_a_turn_whose_end_is_not_announced_ends_by_the_utterance(world: World) -> None:
    world.arm("deepgram_listen", "speech_final", "missing")

    async def scenario() -> None:
        async with transcribing(world) as heard:
            says(heard.stt, "four two seven.")
            assert await heard.turns(1) == ["four two seven."]

    asyncio.run(scenario())


def test_a_turn_that_nothing_ends_is_ended_by_the_clock(world: World) -> None:
    async def scenario() -> None:
        async with transcribing(world) as heard:
            send(heard.stt, speak("i have not quite finish"))
            (turn,) = await heard.turns(1)
            assert turn
            assert "i have not quite finish".startswith(turn)

    asyncio.run(scenario())


def test_a_silent_call_keeps_its_socket(world: World) -> None:
    async def scenario() -> None:
        async with transcribing(world) as heard:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(6):
                    await heard.until(lambda: heard.is_over)
            says(heard.stt, "still here.")
            assert await heard.turns(1) == ["still here."]

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", ["close", "reset"])
def test_a_lost_socket_is_replaced_and_hears_what_it_missed(world: World, kind: str) -> None:
    world.arm("deepgram_listen", "session", kind, after_ms=300, close_code=1011)

    async def scenario() -> None:
        async with transcribing(world) as heard:
            sound = speak("please call me tomorrow.")
            half = len(sound) // 320 * 160
            send(heard.stt, sound[:half])
            await heard.until(lambda: heard.stt.sockets_opened == 2)
            send(heard.stt, sound[half:] + silence(1500))
            assert await heard.turns(1) == ["please call me tomorrow."]
            assert heard.fault is None

    asyncio.run(scenario())


def test_a_socket_that_went_dead_is_replaced(world: World) -> None:
    world.arm("deepgram_listen", "session", "half_open")

    async def scenario() -> None:
        async with transcribing(world, probe_s=0.5) as heard:
            await heard.until(lambda: heard.stt.sockets_opened == 2)
            says(heard.stt, "can you hear me?")
            assert await heard.turns(1) == ["can you hear me?"]

    asyncio.run(scenario())


def test_a_socket_that_cannot_be_replaced_is_an_error(world: World) -> None:
    world.arm("deepgram_listen", "session", "close", after_ms=100)

    async def scenario() -> None:
        async with transcribing(world) as heard:
            world.arm("deepgram_listen", "connect", "refuse", status=401, times=0)
            await heard.until(lambda: heard.is_over)
            assert heard.fault is not None
            assert heard.fault.end_reason is EndReason.PROVIDER_AUTH
            assert world.faults()[1]["struck"] == 1
            says(heard.stt, "nobody hears this.")

    asyncio.run(scenario())


def test_a_malformed_frame_costs_nothing_but_itself(world: World) -> None:
    world.arm("deepgram_listen", "session", "malformed")

    async def scenario() -> None:
        async with transcribing(world) as heard:
            says(heard.stt, "yes.")
            assert await heard.turns(1) == ["yes."]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("base_url", "api_key", "model", "reason"),
    [
        (None, "wrong", "nova-3", EndReason.PROVIDER_AUTH),
        (None, DEFAULT_DEEPGRAM_KEY, "no-such-model", EndReason.PROVIDER_ERROR),
        ("http://127.0.0.1:9", DEFAULT_DEEPGRAM_KEY, "nova-3", EndReason.PROVIDER_CLOSED),
    ],
)
def test_a_recogniser_that_cannot_open_says_why(
    world: World, base_url: str | None, api_key: str, model: str, reason: EndReason
) -> None:
    async def scenario() -> None:
        stt = recogniser(base_url or world.deepgram_url, api_key=api_key, model=model)
        with pytest.raises(ProviderError) as caught:
            await stt.open()
        await stt.close()
        assert caught.value.end_reason is reason

    asyncio.run(scenario())
