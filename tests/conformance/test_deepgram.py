"""Deepgram's own client hears and speaks with the simulated one: listen v1, speak v1 over sockets and HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from deepgram import AsyncDeepgramClient
from deepgram.core.api_error import ApiError
from deepgram.environment import DeepgramClientEnvironment
from deepgram.speak.v1.types import SpeakV1Text

from deploy.simulator.process import World
from deploy.simulator.voice import canonical, decode_mulaw, silence, speak

WAIT_S = 10.0
LISTEN: dict[str, Any] = {
    "model": "nova-3",
    "encoding": "mulaw",
    "sample_rate": 8000,
    "interim_results": True,
    "endpointing": 300,
    "utterance_end_ms": 1000,
    "vad_events": True,
    "smart_format": True,
}
SPEAK: dict[str, Any] = {"model": "aura-2-thalia-en", "encoding": "mulaw", "sample_rate": 8000}


def _client(world: World, key: str = "dg-simulated") -> AsyncDeepgramClient:
    sockets = world.deepgram_url.replace("http", "ws", 1)
    environment = DeepgramClientEnvironment(
        base=world.deepgram_url, production=sockets, agent=sockets, agent_rest=world.deepgram_url
    )
    http = httpx.AsyncClient(trust_env=False)
    return AsyncDeepgramClient(api_key=key, environment=environment, httpx_client=http)


async def _until(socket: Any, kind: str, seen: list[Any]) -> Any:
    async with asyncio.timeout(WAIT_S):
        while True:
            message = await socket.recv()
            seen.append(message)
            if getattr(message, "type", "audio") == kind:
                return message


async def _until_final(socket: Any, seen: list[Any]) -> Any:
    while True:
        result = await _until(socket, "Results", seen)
        if result.is_final:
            return result


def _listen(world: World, story: Callable[[Any], Awaitable[None]], **changes: Any) -> None:
    async def run() -> None:
        async with _client(world).listen.v1.connect(**(LISTEN | changes)) as socket:
            await story(socket)

    asyncio.run(run())


async def _hear(socket: Any, audio: bytes) -> None:
    for at in range(0, len(audio), 480):
        await socket.send_media(audio[at : at + 480])


def test_speech_becomes_partial_and_final_results_with_words_and_times(world: World) -> None:
    async def story(socket: Any) -> None:
        seen: list[Any] = []
        await _hear(socket, silence(500) + speak("Hello, how are you?") + silence(400))
        final = await _until_final(socket, seen)
        best = final.channel.alternatives[0]
        assert (best.transcript, final.speech_final) == ("hello, how are you?", True)
        assert [(w.word, w.punctuated_word, w.start, w.end) for w in best.words[:2]] == [
            ("hello", "hello,", 0.5, 0.86),
            ("how", "how", 0.92, 1.1),
        ]
        assert [m.timestamp for m in seen if m.type == "SpeechStarted"] == [0.5]
        partials = [m.channel.alternatives[0].transcript for m in seen if m.type == "Results" and not m.is_final]
        assert partials
        assert all("hello, how are you?".startswith(text) for text in partials)
        await _hear(socket, silence(1000))
        assert (await _until(socket, "UtteranceEnd", seen)).last_word_end == pytest.approx(1.64)

    _listen(world, story)


def test_a_long_speech_is_delivered_in_final_pieces_that_add_up(world: World) -> None:
    text = "this is a rather long explanation of a simple thing that takes more than five seconds. " * 2

    async def story(socket: Any) -> None:
        seen: list[Any] = []
        await _hear(socket, speak(text) + silence(400))
        while not (await _until_final(socket, seen)).speech_final:
            pass
        finals = [m for m in seen if m.type == "Results" and m.is_final]
        assert len(finals) > 1
        assert " ".join(m.channel.alternatives[0].transcript for m in finals) == canonical(text)

    _listen(world, story)


def test_finalize_and_close_answer_with_what_was_heard(world: World) -> None:
    async def story(socket: Any) -> None:
        seen: list[Any] = []
        await socket.send_keep_alive()
        await _hear(socket, speak("cut me"))
        await socket.send_finalize()
        final = await _until_final(socket, seen)
        assert (final.from_finalize, final.channel.alternatives[0].transcript) == (True, "cut me")
        await _hear(socket, speak("off"))
        await socket.send_close_stream()
        assert (await _until_final(socket, seen)).channel.alternatives[0].transcript == "off"
        metadata = await _until(socket, "Metadata", seen)
        assert metadata.duration == pytest.approx(0.54)
        assert metadata.request_id == final.metadata.request_id

    _listen(world, story)


def test_speech_final_can_be_missing(world: World) -> None:
    async def story(socket: Any) -> None:
        seen: list[Any] = []
        world.arm("deepgram_listen", "speech_final", "missing")
        await _hear(socket, speak("is anybody there?") + silence(1100))
        assert not (await _until_final(socket, seen)).speech_final
        await _until(socket, "UtteranceEnd", seen)

    _listen(world, story)


def test_silence_closes_the_listening_socket_but_keep_alives_hold_it(world: World) -> None:
    async def story(socket: Any) -> None:
        with pytest.raises(Exception, match=r"1011.*NET-0001"):
            await _until(socket, "Never", [])

    _listen(world, story)


@pytest.mark.parametrize(
    ("changes", "key", "status"),
    [
        ({"sample_rate": None}, "dg-simulated", 400),
        ({"interim_results": None}, "dg-simulated", 400),
        ({"model": "nova-2", "keyterm": ["x"]}, "dg-simulated", 400),
        ({}, "dg-stolen", 401),
    ],
)
def test_a_bad_query_or_key_fails_the_handshake(world: World, changes: dict[str, Any], key: str, status: int) -> None:
    async def run() -> None:
        with pytest.raises(ApiError) as refused:
            async with _client(world, key).listen.v1.connect(**(LISTEN | changes)):
                pass
        assert refused.value.status_code == status

    asyncio.run(run())


def test_text_is_spoken_sentence_by_sentence_until_flushed(world: World) -> None:
    async def run() -> None:
        async with _client(world).speak.v1.connect(**SPEAK) as socket:
            seen: list[Any] = []
            await socket.send_text(SpeakV1Text(text="Hello there. "))
            await socket.send_text(SpeakV1Text(text="How are"))
            await socket.send_text(SpeakV1Text(text=" you"))
            await socket.send_flush()
            flushed = await _until(socket, "Flushed", seen)
            assert seen[0].type == "Metadata"
            assert seen[0].model_name == "aura-2-thalia-en"
            assert flushed.sequence_id == 0
            assert decode_mulaw(b"".join(m for m in seen if isinstance(m, bytes))) == "hello there. how are you"
            await socket.send_close()

    asyncio.run(run())


def test_a_clear_stops_the_voice_and_a_new_utterance_begins_clean(world: World) -> None:
    async def run() -> None:
        async with _client(world).speak.v1.connect(**SPEAK) as socket:
            seen: list[Any] = []
            await socket.send_text(SpeakV1Text(text="a very long sentence that will be stopped soon after it began."))
            await _until(socket, "audio", seen)
            await socket.send_clear()
            await _until(socket, "Cleared", seen)
            heard = decode_mulaw(b"".join(m for m in seen if isinstance(m, bytes)))
            assert "a very long sentence that will be stopped".startswith(heard)
            del seen[:]
            await socket.send_text(SpeakV1Text(text="next"))
            await socket.send_flush()
            await _until(socket, "Flushed", seen)
            assert decode_mulaw(b"".join(m for m in seen if isinstance(m, bytes))) == "next"

    asyncio.run(run())


def test_too_many_flushes_are_warned_about(world: World) -> None:
    async def run() -> None:
        async with _client(world).speak.v1.connect(**SPEAK) as socket:
            for _ in range(21):
                await socket.send_flush()
            assert (await _until(socket, "Warning", [])).code == "EXCESSIVE_FLUSH"

    asyncio.run(run())


def test_speech_is_had_over_http_too(world: World) -> None:
    async def run() -> None:
        stream = _client(world).speak.v1.audio.generate(text="Over HTTP.", container="none", **SPEAK)
        assert decode_mulaw(b"".join([piece async for piece in stream])) == "over http."
        with pytest.raises(ApiError) as refused:
            async for _ in _client(world, "dg-stolen").speak.v1.audio.generate(text="x", **SPEAK):
                pass
        assert refused.value.status_code == 401

    asyncio.run(run())


def test_a_voice_can_break_in_the_middle(world: World) -> None:
    async def run() -> None:
        world.arm("deepgram_speak", "flush", "close", contains="marker", after_ms=200, close_code=1011, text="NET-0000")
        async with _client(world).speak.v1.connect(**SPEAK) as socket:
            await socket.send_text(SpeakV1Text(text="this has a marker in it."))
            with pytest.raises(Exception, match=r"1011.*NET-0000"):
                await _until(socket, "Flushed", [])

    asyncio.run(run())
