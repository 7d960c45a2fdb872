"""OpenAI's own realtime client on the simulated model, reduced to what a test must see."""

import asyncio
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from typing import Any

from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection

from deploy.simulator import mulaw
from deploy.simulator.process import World

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


def talk(world: World, story: Story, **session: Any) -> None:
    """Open a session with these settings and live the story in it."""

    async def run() -> None:
        client = AsyncOpenAI(base_url=world.openai_url, api_key="sk-simulated")
        async with client.realtime.connect(model="gpt-realtime-2.1") as connection:
            session_talk = Talk(connection)
            await session_talk.configure(**session)
            await story(session_talk)

    asyncio.run(run())
