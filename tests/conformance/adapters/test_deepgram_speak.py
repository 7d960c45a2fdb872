"""The voice says each utterance whole, falls silent at once, and comes back after a quiet loss."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from deploy.simulator.process import World
from deploy.simulator.settings import DEFAULT_DEEPGRAM_KEY
from deploy.simulator.voice import decode_mulaw
from media.errors import ProviderError
from schema.outcomes import EndReason
from tests.conformance.adapters.speech import speaking, voice

LONG = "this is a rather long sentence that takes several seconds to say, so that it can be cut off."


def test_sentences_become_one_utterance_with_one_end(world: World) -> None:
    async def scenario() -> None:
        async with speaking(world) as speech:
            await speech.tts.speak("hello.")
            await speech.tts.speak('how are "you"?')
            await speech.tts.finish()
            (sound,) = await speech.finished(1)
            assert decode_mulaw(sound).split() == ["hello.", "how", "are", '"you"?']
            await speech.tts.speak("goodbye.")
            await speech.tts.finish()
            assert decode_mulaw((await speech.finished(2))[1]) == "goodbye."

    asyncio.run(scenario())


@pytest.mark.parametrize("flushed", [True, False])
def test_a_cancelled_utterance_is_never_heard_again(world: World, *, flushed: bool) -> None:
    async def scenario() -> None:
        async with speaking(world) as speech:
            await speech.tts.speak(LONG)
            if flushed:
                await speech.tts.finish()
            await speech.sounding()
            heard = len(speech.utterances[0])
            await speech.tts.cancel()
            await speech.tts.speak("as you wish.")
            await speech.tts.finish()
            (sound,) = await speech.finished(1)
            assert decode_mulaw(sound[heard:]) == "as you wish."

    asyncio.run(scenario())


def test_cancelling_and_finishing_nothing_is_harmless(world: World) -> None:
    async def scenario() -> None:
        async with speaking(world) as speech:
            await speech.tts.cancel()
            await speech.tts.finish()
            await speech.tts.speak("hello.")
            await speech.tts.finish()
            assert decode_mulaw((await speech.finished(1))[0]) == "hello."

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", ["close", "reset"])
def test_a_socket_lost_in_a_quiet_moment_is_replaced_at_the_next_sentence(world: World, kind: str) -> None:
    world.arm("deepgram_speak", "session", kind, after_ms=100, close_code=1011)

    async def scenario() -> None:
        async with speaking(world) as speech:
            await speech.until(lambda: not speech.tts.is_connected)
            await speech.tts.speak("i am back.")
            await speech.tts.finish()
            assert decode_mulaw((await speech.finished(1))[0]) == "i am back."
            assert speech.fault is None

    asyncio.run(scenario())


def test_a_socket_that_never_confirms_a_cancellation_is_replaced(world: World) -> None:
    world.arm("deepgram_speak", "session", "half_open")

    async def scenario() -> None:
        async with speaking(world, answer_s=0.5) as speech:
            await speech.tts.speak(LONG)
            await speech.tts.cancel()
            await speech.until(lambda: not speech.tts.is_connected)
            await speech.tts.speak("i am back.")
            await speech.tts.finish()
            assert decode_mulaw((await speech.finished(1))[0]) == "i am back."

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ({"kind": "close", "close_code": 1011}, EndReason.PROVIDER_CLOSED),
        ({"kind": "stall"}, EndReason.PROVIDER_TIMEOUT),
    ],
)
def test_a_socket_lost_while_speaking_is_an_error_and_opens_again(
    world: World, how: dict[str, object], reason: EndReason
) -> None:
    world.arm("deepgram_speak", "flush", **({"after_ms": 400} | how))  # type: ignore[arg-type]

    async def scenario() -> None:
        async with speaking(world, answer_s=1.0) as speech:
            await speech.tts.speak(LONG)
            await speech.tts.finish()
            await speech.until(lambda: speech.is_over)
            assert speech.fault is not None
            assert speech.fault.end_reason is reason
            await speech.tts.open()
            await speech.tts.speak("again.")
            await speech.tts.finish()
            pieces = [piece async for piece in _utterance(speech.tts.audio())]
            assert decode_mulaw(b"".join(pieces)) == "again."

    asyncio.run(scenario())


async def _utterance(audio: AsyncIterator[bytes | None]) -> AsyncIterator[bytes]:
    async for piece in audio:
        if piece is None:
            return
        yield piece


@pytest.mark.parametrize(
    ("base_url", "api_key", "model", "reason"),
    [
        (None, "wrong", "aura-2-thalia-en", EndReason.PROVIDER_AUTH),
        (None, DEFAULT_DEEPGRAM_KEY, "no-such-voice", EndReason.PROVIDER_ERROR),
        ("http://127.0.0.1:9", DEFAULT_DEEPGRAM_KEY, "aura-2-thalia-en", EndReason.PROVIDER_CLOSED),
    ],
)
def test_a_voice_that_cannot_open_says_why(
    world: World, base_url: str | None, api_key: str, model: str, reason: EndReason
) -> None:
    async def scenario() -> None:
        tts = voice(base_url or world.deepgram_url, api_key=api_key, model=model)
        with pytest.raises(ProviderError) as caught:
            await tts.open()
        await tts.close()
        assert caught.value.end_reason is reason

    asyncio.run(scenario())
