"""A realtime session under test, with everything it yields written down."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from deploy.simulator.process import World
from deploy.simulator.settings import DEFAULT_OPENAI_KEY
from deploy.simulator.voice import silence, speak
from media.errors import ProviderError
from media.ports import FRAME_BYTES, RtAgentText, RtAudio, RtEvent, ToolSpec
from media.realtime.openai import OpenAIRealtime
from tests.conformance.adapters.signals import Changes

E = TypeVar("E")
TOOL = ToolSpec("end_call", "Hang up.", {"type": "object", "properties": {"reason": {"type": "string"}}})


def realtime(
    base_url: str,
    *,
    api_key: str = DEFAULT_OPENAI_KEY,
    voice: str = "marin",
    instructions: str = "",
    stall_s: float = 15.0,
    roll_over_s: float = 3300.0,
) -> OpenAIRealtime:
    """A model of one session."""
    return OpenAIRealtime(
        base_url=base_url,
        api_key=api_key,
        model="gpt-realtime-2.1",
        voice=voice,
        temperature=0.7,
        instructions=instructions or "You are a friendly caller.",
        tools=(TOOL,),
        transcribe_model="gpt-transcribe",
        stall_s=stall_s,
        roll_over_s=roll_over_s,
    )


class Conversation(Changes):
    """One open session: what it yielded, and how it failed."""

    def __init__(self, model: OpenAIRealtime) -> None:
        super().__init__()
        self.model = model
        self.events: list[RtEvent] = []
        self.fault: ProviderError | None = None
        self.is_over = False

    def of(self, kind: type[E]) -> list[E]:
        """All events of a kind so far."""
        return [event for event in self.events if isinstance(event, kind)]

    async def has(self, kind: type[E], at_least: int = 1) -> list[E]:
        """Wait for so many events of a kind."""
        await self.until(lambda: len(self.of(kind)) >= at_least or self.is_over)
        assert len(self.of(kind)) >= at_least, self.fault
        return self.of(kind)

    def sound(self, item_id: str | None = None) -> bytes:
        """Agent audio so far, of one item or all."""
        return b"".join(event.audio for event in self.of(RtAudio) if item_id in (None, event.item_id))

    def text(self) -> str:
        """What the agent said so far."""
        return "".join(event.text for event in self.of(RtAgentText))

    def callee_says(self, text: str, *, quiet_ms: int = 700) -> None:
        """Speak to the session, followed by silence."""
        sound = speak(text) + silence(quiet_ms)
        for at in range(0, len(sound), FRAME_BYTES):
            self.model.send_audio(sound[at : at + FRAME_BYTES])

    async def write_down(self) -> None:
        try:
            async for event in self.model.events():
                self.events.append(event)
                self.tell()
        except ProviderError as fault:
            self.fault = fault
        finally:
            self.is_over = True
            self.tell()


@asynccontextmanager
async def conversation(
    world: World, *, instructions: str = "", stall_s: float = 15.0, roll_over_s: float = 3300.0
) -> AsyncIterator[Conversation]:
    """Open a session and listen to it; at the end it closes without complaint."""
    model = realtime(world.openai_url, instructions=instructions, stall_s=stall_s, roll_over_s=roll_over_s)
    await model.open()
    talk = Conversation(model)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(talk.write_down())
        try:
            yield talk
        finally:
            await model.close()
