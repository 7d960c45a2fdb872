"""OpenAI's own realtime client holds a spoken conversation with the simulated model, barge-in and errors included."""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from websockets.asyncio.client import connect as ws_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from deploy.simulator import mulaw
from deploy.simulator.process import World, world_process
from deploy.simulator.voice import decode_mulaw, silence, speak, speech_ms

WAIT_S = 10.0
PCMU = {"type": "audio/pcmu"}
VAD = {"type": "server_vad", "silence_duration_ms": 200, "prefix_padding_ms": 100}
END_CALL = {
    "type": "function",
    "name": "end_call",
    "description": "Ends the call.",
    "parameters": {"type": "object", "properties": {"reason": {"type": "string"}}},
}
Json = dict[str, Any]
Story = Callable[["Talk"], Awaitable[None]]


class Talk:
    """A session, seen as the list of events it gave."""

    def __init__(self, connection: AsyncRealtimeConnection) -> None:
        self.connection = connection
        self.events: list[Any] = []

    async def until(self, *kinds: str) -> Any:
        """Read until an event of these types."""
        async with asyncio.timeout(WAIT_S):
            while True:
                event = await self.connection.recv()
                self.events.append(event)
                if event.type in kinds:
                    return event

    async def configure(self, **session: Any) -> None:
        """Wait for the session and configure it for the telephone."""
        await self.until("session.created")
        audio: Any = {"input": {"format": PCMU, "turn_detection": VAD, "transcription": {"model": "gpt-transcribe"}}}
        audio["output"] = {"format": PCMU, "voice": "marin"}
        await self.connection.session.update(session={"type": "realtime", "audio": audio, **session})
        await self.until("session.updated")

    async def hear(self, audio: bytes) -> None:
        """Send audio as a telephone does, in pieces of 20 ms, without waiting in between."""
        for at in range(0, len(audio), mulaw.FRAME_BYTES):
            piece = b64encode(audio[at : at + mulaw.FRAME_BYTES]).decode()
            await self.connection.input_audio_buffer.append(audio=piece)

    def kinds(self) -> list[str]:
        """Types of the events so far."""
        return [event.type for event in self.events]

    def audio(self, item_id: str | None = None) -> bytes:
        """Audio received so far."""
        return b"".join(
            b64decode(event.delta)
            for event in self.events
            if event.type == "response.output_audio.delta" and item_id in {None, event.item_id}
        )


def _talk(world: World, story: Story, **session: Any) -> None:
    async def run() -> None:
        client = AsyncOpenAI(base_url=world.openai_url, api_key="sk-simulated")
        async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
            talk = Talk(connection)
            await talk.configure(**session)
            await story(talk)

    asyncio.run(run())


def test_a_spoken_turn_is_heard_transcribed_and_answered_in_the_documented_order(world: World) -> None:
    async def story(talk: Talk) -> None:
        del talk.events[:]
        await talk.hear(silence(400) + speak("hello, who is this?") + silence(400))
        done = await talk.until("response.done")
        kinds = talk.kinds()
        once = list(dict.fromkeys(kind for kind in kinds if not kind.startswith("conversation.item.input_audio")))
        assert once == [
            "input_audio_buffer.speech_started",
            "input_audio_buffer.speech_stopped",
            "input_audio_buffer.committed",
            "conversation.item.added",
            "conversation.item.done",
            "response.created",
            "rate_limits.updated",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_audio_transcript.delta",
            "response.output_audio.delta",
            "response.output_audio.done",
            "response.output_audio_transcript.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.done",
        ]
        started = talk.events[kinds.index("input_audio_buffer.speech_started")]
        stopped = talk.events[kinds.index("input_audio_buffer.speech_stopped")]
        assert started.audio_start_ms == 300
        assert stopped.audio_end_ms == 400 + speech_ms("hello, who is this?") + 200
        transcript = done.response.output[0].content[0].transcript
        assert decode_mulaw(talk.audio()) == transcript == "hello, this is the assistant calling. how are you today?"
        assert done.response.status == "completed"
        assert done.response.usage.output_token_details.audio_tokens > 0
        if "conversation.item.input_audio_transcription.completed" not in talk.kinds():
            await talk.until("conversation.item.input_audio_transcription.completed")
        completed = [e for e in talk.events if e.type.endswith("input_audio_transcription.completed")]
        assert [event.transcript for event in completed] == ["hello, who is this?"]

    _talk(world, story)


def test_a_goodbye_is_answered_with_a_farewell_and_then_the_tool(world: World) -> None:
    async def story(talk: Talk) -> None:
        await talk.hear(speak("not interested, goodbye.") + silence(300))
        done = await talk.until("response.done")
        message, call = done.response.output
        assert (message.type, call.type, call.name) == ("message", "function_call", "end_call")
        kinds = talk.kinds()
        assert kinds.index("response.function_call_arguments.done") > kinds.index("response.output_audio.done")
        output = {"type": "function_call_output", "call_id": call.call_id, "output": '{"status": "ending"}'}
        await talk.connection.conversation.item.create(item=output)  # type: ignore[arg-type]
        await talk.connection.response.create()
        assert (await talk.until("response.done")).response.output == []

    _talk(world, story, tools=[END_CALL])


def test_a_barge_in_cancels_and_the_heard_part_alone_is_remembered(world: World) -> None:
    async def story(talk: Talk) -> None:
        await talk.connection.response.create()
        await talk.until("response.output_audio.delta")
        await talk.hear(speak("wait a moment please") + silence(60))
        done = await talk.until("response.done")
        assert (done.response.status, done.response.status_details.reason) == ("cancelled", "turn_detected")
        item_id = done.response.output[0].id
        received_ms = len(talk.audio(item_id)) // mulaw.BYTES_PER_MS
        await talk.connection.conversation.item.truncate(
            item_id=item_id, content_index=0, audio_end_ms=received_ms + 1, event_id="too-long"
        )
        error = (await talk.until("error")).error
        assert error.message == f"Audio content of {received_ms}ms is already shorter than {received_ms + 1}ms"
        assert error.event_id == "too-long"
        await talk.connection.conversation.item.truncate(item_id=item_id, content_index=0, audio_end_ms=received_ms)
        assert (await talk.until("conversation.item.truncated")).audio_end_ms == received_ms
        await talk.hear(silence(400))
        assert (await talk.until("response.done")).response.status == "completed"

    _talk(world, story, instructions="SIM-REPLY[1]: " + "a very long opening sentence, " * 6)


def test_wrong_moves_are_refused_by_name_and_leave_the_session_open(world: World) -> None:
    async def story(talk: Talk) -> None:
        connection = talk.connection

        async def refused(event: Json) -> Any:
            await connection.send({**event, "event_id": f"mine-{event['type']}"})  # type: ignore[arg-type]
            error = (await talk.until("error")).error
            assert error.event_id == f"mine-{event['type']}"
            return error

        assert (await refused({"type": "response.cancel"})).code == "response_cancel_not_active"
        assert (await refused({"type": "input_audio_buffer.commit"})).code == "input_audio_buffer_commit_empty"
        assert (await refused({"type": "output_audio_buffer.clear"})).code == "invalid_value"
        change = {"type": "session.update", "session": {"type": "realtime", "voice": "marin"}}
        assert (await refused(change)).param == "session.voice"
        audio = {"type": "input_audio_buffer.append", "audio": "***"}
        assert (await refused(audio)).param == "audio"
        await connection.response.create()
        await talk.until("response.created")
        active = await refused({"type": "response.create"})
        assert active.code == "conversation_already_has_active_response"
        await connection.response.cancel()
        done = await talk.until("response.done")
        assert done.response.status_details.reason == "client_cancelled"

    _talk(world, story)


def test_exact_words_are_spoken_on_request(world: World) -> None:
    async def story(talk: Talk) -> None:
        text = "Speak the following text exactly as it is written, word for word.\n\nGood day, Anna!"
        await talk.connection.response.create(response={"instructions": text, "tool_choice": "none"})
        done = await talk.until("response.done")
        assert done.response.output[0].content[0].transcript == "Good day, Anna!"
        assert decode_mulaw(talk.audio()) == "good day, anna!"

    _talk(world, story)


def test_text_can_be_put_into_the_conversation_and_asked_for(world: World) -> None:
    async def story(talk: Talk) -> None:
        item: Any = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "goodbye"}]}
        await talk.connection.conversation.item.create(item=item)
        await talk.connection.response.create(response={"output_modalities": ["text"]})
        done = await talk.until("response.done")
        assert done.response.output[0].content[0].text == "thank you for your time. goodbye."
        assert "response.output_text.delta" in talk.kinds()
        assert not talk.audio()

    _talk(world, story)


def test_wide_band_audio_is_the_default_and_works(world: World) -> None:
    async def run() -> None:
        client = AsyncOpenAI(base_url=world.openai_url, api_key="sk-simulated")
        async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
            talk = Talk(connection)
            created = await talk.until("session.created")
            assert created.session.audio.input.format.rate == 24000
            await connection.response.create()
            await talk.until("response.done")
            assert len(talk.audio()) % 2 == 0
            assert len(talk.audio()) > speech_ms("hello, this is the assistant calling") * 48

    asyncio.run(run())


def test_the_server_prompts_a_silent_caller_when_asked_to(world: World) -> None:
    async def story(talk: Talk) -> None:
        vad = VAD | {"idle_timeout_ms": 1000}
        audio: Any = {"input": {"turn_detection": vad}}
        await talk.connection.session.update(session={"type": "realtime", "audio": audio})
        await talk.hear(silence(1100))
        await talk.until("input_audio_buffer.timeout_triggered")
        assert (await talk.until("response.done")).response.status == "completed"

    _talk(world, story)


@asynccontextmanager
async def _raw(world: World, headers: dict[str, str]) -> AsyncIterator[Any]:
    url = world.openai_url.replace("http", "ws", 1) + "/realtime?model=gpt-realtime-2.1"
    async with ws_connect(url, additional_headers=headers, proxy=None) as socket:
        yield socket


async def _frames(socket: Any) -> AsyncIterator[str]:
    try:
        async for frame in socket:
            yield frame
    except ConnectionClosed:
        return


@pytest.mark.parametrize(
    ("headers", "said", "code"),
    [
        ({"Authorization": "Bearer sk-stolen"}, "invalid_api_key", 3000),
        ({"Authorization": "Bearer sk-simulated", "OpenAI-Beta": "realtime=v1"}, "beta_api_shape_disabled", 4000),
    ],
)
def test_wrong_keys_and_beta_clients_are_closed(world: World, headers: dict[str, str], said: str, code: int) -> None:
    async def run() -> None:
        async with _raw(world, headers) as socket:
            assert said in await socket.recv()
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == code

    asyncio.run(run())


def test_a_handshake_can_be_refused_and_a_session_broken(world: World) -> None:
    async def run() -> None:
        world.arm("openai_realtime", "connect", "refuse", status=503)
        with pytest.raises(InvalidStatus):
            async with _raw(world, {"Authorization": "Bearer sk-simulated"}):
                pass
        world.arm("openai_realtime", "session", "close", close_code=1011, text="server error")
        async with _raw(world, {"Authorization": "Bearer sk-simulated"}) as socket:
            async for _ in _frames(socket):
                pass
            assert (socket.close_code, socket.close_reason) == (1011, "server error")

    asyncio.run(run())


@pytest.mark.parametrize(("kind", "items"), [("multi_item", 2), ("fail", 0)])
def test_a_response_may_come_in_two_items_or_fail(world: World, kind: str, items: int) -> None:
    async def story(talk: Talk) -> None:
        world.arm("openai_realtime", "response", kind, contains=f"marker-{kind}")
        await talk.connection.response.create()
        done = await talk.until("response.done")
        assert len(done.response.output) == items
        assert done.response.status == ("failed" if kind == "fail" else "completed")

    _talk(world, story, instructions=f"marker-{kind}")


def test_a_session_ends_at_its_longest_duration() -> None:
    async def run(world: World) -> None:
        async with _raw(world, {"Authorization": "Bearer sk-simulated"}) as socket:
            seen = [frame async for frame in _frames(socket)]
            assert "session_expired" in seen[-1]
            assert socket.close_code == 1001

    with world_process(options=("--session-s", "0.2")) as world:
        asyncio.run(run(world))
