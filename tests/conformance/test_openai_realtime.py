"""OpenAI's own realtime client holds a spoken conversation with the simulated model, barge-in and errors included."""

import asyncio
from typing import Any

import pytest
from openai import AsyncOpenAI

from deploy.simulator import mulaw
from deploy.simulator.process import World
from deploy.simulator.voice import decode_mulaw, silence, speak, speech_ms
from tests.conformance.talk import END_CALL, VAD, Json, Talk, talk


def test_a_spoken_turn_is_heard_transcribed_and_answered_in_the_documented_order(world: World) -> None:
    async def story(session: Talk) -> None:
        del session.events[:]
        await session.hear(silence(400) + speak("hello, who is this?") + silence(400))
        done = await session.until("response.done")
        kinds = session.kinds()
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
        started = session.events[kinds.index("input_audio_buffer.speech_started")]
        stopped = session.events[kinds.index("input_audio_buffer.speech_stopped")]
        assert started.audio_start_ms == 300
        assert stopped.audio_end_ms == 400 + speech_ms("hello, who is this?") + 200
        transcript = done.response.output[0].content[0].transcript
        assert decode_mulaw(session.audio()) == transcript == "hello, this is the assistant calling. how are you today?"
        assert done.response.status == "completed"
        assert done.response.usage.output_token_details.audio_tokens > 0
        if "conversation.item.input_audio_transcription.completed" not in session.kinds():
            await session.until("conversation.item.input_audio_transcription.completed")
        completed = [e for e in session.events if e.type.endswith("input_audio_transcription.completed")]
        assert [event.transcript for event in completed] == ["hello, who is this?"]

    talk(world, story)


def test_a_goodbye_is_answered_with_a_farewell_and_then_the_tool(world: World) -> None:
    async def story(session: Talk) -> None:
        await session.hear(speak("not interested, goodbye.") + silence(300))
        done = await session.until("response.done")
        message, call = done.response.output
        assert (message.type, call.type, call.name) == ("message", "function_call", "end_call")
        kinds = session.kinds()
        assert kinds.index("response.function_call_arguments.done") > kinds.index("response.output_audio.done")
        output = {"type": "function_call_output", "call_id": call.call_id, "output": '{"status": "ending"}'}
        await session.connection.conversation.item.create(item=output)  # type: ignore[arg-type]
        await session.connection.response.create()
        assert (await session.until("response.done")).response.output == []

    talk(world, story, tools=[END_CALL])


def test_a_barge_in_cancels_and_the_heard_part_alone_is_remembered(world: World) -> None:
    async def story(session: Talk) -> None:
        await session.connection.response.create()
        await session.until("response.output_audio.delta")
        await session.hear(speak("wait a moment please") + silence(60))
        done = await session.until("response.done")
        assert (done.response.status, done.response.status_details.reason) == ("cancelled", "turn_detected")
        item_id = done.response.output[0].id
        received_ms = len(session.audio(item_id)) // mulaw.BYTES_PER_MS
        await session.connection.conversation.item.truncate(
            item_id=item_id, content_index=0, audio_end_ms=received_ms + 1, event_id="too-long"
        )
        error = (await session.until("error")).error
        assert error.message == f"Audio content of {received_ms}ms is already shorter than {received_ms + 1}ms"
        assert error.event_id == "too-long"
        await session.connection.conversation.item.truncate(item_id=item_id, content_index=0, audio_end_ms=received_ms)
        assert (await session.until("conversation.item.truncated")).audio_end_ms == received_ms
        await session.hear(silence(400))
        assert (await session.until("response.done")).response.status == "completed"

    talk(world, story, instructions="SIM-REPLY[1]: " + "a very long opening sentence, " * 6)


def test_wrong_moves_are_refused_by_name_and_leave_the_session_open(world: World) -> None:
    async def story(session: Talk) -> None:
        connection = session.connection

        async def refused(event: Json) -> Any:
            await connection.send({**event, "event_id": f"mine-{event['type']}"})  # type: ignore[arg-type]
            error = (await session.until("error")).error
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
        await session.until("response.created")
        active = await refused({"type": "response.create"})
        assert active.code == "conversation_already_has_active_response"
        await connection.response.cancel()
        done = await session.until("response.done")
        assert done.response.status_details.reason == "client_cancelled"

    talk(world, story)


def test_exact_words_are_spoken_on_request(world: World) -> None:
    async def story(session: Talk) -> None:
        text = "Speak the following text exactly as it is written, word for word.\n\nGood day, Anna!"
        await session.connection.response.create(response={"instructions": text, "tool_choice": "none"})
        done = await session.until("response.done")
        assert done.response.output[0].content[0].transcript == "Good day, Anna!"
        assert decode_mulaw(session.audio()) == "good day, anna!"

    talk(world, story)


def test_text_can_be_put_into_the_conversation_and_asked_for(world: World) -> None:
    async def story(session: Talk) -> None:
        item: Any = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "goodbye"}]}
        await session.connection.conversation.item.create(item=item)
        await session.connection.response.create(response={"output_modalities": ["text"]})
        done = await session.until("response.done")
        assert done.response.output[0].content[0].text == "thank you for your time. goodbye."
        assert "response.output_text.delta" in session.kinds()
        assert not session.audio()

    talk(world, story)


def test_wide_band_audio_is_the_default_and_works(world: World) -> None:
    async def run() -> None:
        client = AsyncOpenAI(base_url=world.openai_url, api_key="sk-simulated")
        async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
            session = Talk(connection)
            created = await session.until("session.created")
            assert created.session.audio.input.format.rate == 24000
            await connection.response.create()
            await session.until("response.done")
            assert len(session.audio()) % 2 == 0
            assert len(session.audio()) > speech_ms("hello, this is the assistant calling") * 48

    asyncio.run(run())


def test_the_server_prompts_a_silent_caller_when_asked_to(world: World) -> None:
    async def story(session: Talk) -> None:
        vad = VAD | {"idle_timeout_ms": 1000}
        audio: Any = {"input": {"turn_detection": vad}}
        await session.connection.session.update(session={"type": "realtime", "audio": audio})
        await session.hear(silence(1100))
        await session.until("input_audio_buffer.timeout_triggered")
        assert (await session.until("response.done")).response.status == "completed"

    talk(world, story)


@pytest.mark.parametrize(("kind", "items"), [("multi_item", 2), ("fail", 0)])
def test_a_response_may_come_in_two_items_or_fail(world: World, kind: str, items: int) -> None:
    async def story(session: Talk) -> None:
        world.arm("openai_realtime", "response", kind, contains=f"marker-{kind}")
        await session.connection.response.create()
        done = await session.until("response.done")
        assert len(done.response.output) == items
        assert done.response.status == ("failed" if kind == "fail" else "completed")

    talk(world, story, instructions=f"marker-{kind}")
