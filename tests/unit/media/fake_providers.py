"""Speech and language providers of one call, in memory and on virtual time.

Each keeps its port's promise the way the vendors' adapters do, says what the script tells it, and remembers what it was
asked.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Generic, TypeVar

from media.errors import ProviderError
from media.ports import (
    Message,
    ReplyEvent,
    RtAgentText,
    RtAudio,
    RtEvent,
    RtItemDone,
    RtResponseDone,
    SttEvent,
    TextDelta,
    ToolRequest,
    ToolSpec,
)
from tests.unit.media.fakes import now, speech

E = TypeVar("E")


class Tape(Generic[E]):
    """Events of a provider: what the script emits, until closed or failed."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[E | ProviderError | None] = asyncio.Queue()

    def emit(self, *events: E | ProviderError | None) -> None:
        for event in events:
            self._queue.put_nowait(event)

    async def play(self) -> AsyncIterator[E]:
        while (event := await self._queue.get()) is not None:
            if isinstance(event, ProviderError):
                raise event
            yield event


class FakeRealtime:
    """A speech-to-speech model that says what the script tells it, much faster than it can be heard."""

    def __init__(self) -> None:
        self.tape: Tape[RtEvent] = Tape()
        self.open_error: ProviderError | None = None
        self.open_takes_s = 0.2
        self.close_takes_s = 0.0
        self.answers: dict[str, Callable[[], None]] = {}
        self.heard_bytes = 0
        self.greeted: list[tuple[float, str | None]] = []
        self.asked: list[str] = []
        self.truncated: list[tuple[str, int]] = []
        self.turns_ended = 0
        self.tool_results: list[tuple[tuple[tuple[str, str], ...], bool]] = []
        self.closed = 0

    async def open(self) -> None:
        await asyncio.sleep(self.open_takes_s)
        if self.open_error is not None:
            raise self.open_error

    def send_audio(self, audio: bytes) -> None:
        self.heard_bytes += len(audio)

    async def greet(self, first_sentence: str | None) -> None:
        self.greeted.append((now(), first_sentence))
        self._answer("greet")

    async def end_turn(self) -> None:
        self.turns_ended += 1
        self._answer("end_turn")

    async def truncate(self, item_id: str, heard_ms: int) -> None:
        self.truncated.append((item_id, heard_ms))

    async def answer_tools(self, results: tuple[tuple[str, str], ...], *, respond: bool) -> None:
        self.tool_results.append((results, respond))
        if respond:
            self._answer("tools")

    async def say(self, instructions: str) -> None:
        self.asked.append(instructions)
        self._answer("say")

    def events(self) -> AsyncIterator[RtEvent]:
        return self.tape.play()

    async def close(self) -> None:
        await asyncio.sleep(self.close_takes_s)
        self.closed += 1
        self.tape.emit(None)

    def speaks(self, item: str, text: str, ms: int, *, tools: tuple[ToolRequest, ...] = (), whole: bool = True) -> None:
        """Emit one response: its text, `ms` of audio, and its end when it is whole."""
        words = [RtAgentText(item, f"{word} ") for word in text.split()]
        audio = [RtAudio(item, speech(min(200, ms - at))) for at in range(0, ms, 200)]
        self.tape.emit(*words, *audio)
        if whole:
            self.tape.emit(RtItemDone(item), RtResponseDone("completed", tools))

    def _answer(self, kind: str) -> None:
        if kind in self.answers:
            self.answers[kind]()


class FakeStt:
    """A recogniser that understands what the script says."""

    def __init__(self) -> None:
        self.tape: Tape[SttEvent] = Tape()
        self.open_error: ProviderError | None = None
        self.heard_bytes = 0
        self.closed = 0

    async def open(self) -> None:
        await asyncio.sleep(0.1)
        if self.open_error is not None:
            raise self.open_error

    def send_audio(self, audio: bytes) -> None:
        self.heard_bytes += len(audio)

    def events(self) -> AsyncIterator[SttEvent]:
        return self.tape.play()

    async def close(self) -> None:
        self.closed += 1
        self.tape.emit(None)


Line = str | float | ToolRequest | ProviderError


class FakeModel:
    """A chat model with a script: each reply is a row of texts, pauses in seconds, tool requests and failures."""

    def __init__(self, *replies: tuple[Line, ...]) -> None:
        self.replies = list(replies)
        self.asked: list[tuple[Message, ...]] = []
        self.tools: list[tuple[ToolSpec, ...]] = []
        self.cancelled = 0

    async def reply(self, messages: tuple[Message, ...], tools: tuple[ToolSpec, ...]) -> AsyncIterator[ReplyEvent]:
        self.asked.append(messages)
        self.tools.append(tools)
        try:
            for line in self.replies.pop(0) if self.replies else ("Go on.",):
                if isinstance(line, float):
                    await asyncio.sleep(line)
                elif isinstance(line, ProviderError):
                    raise line
                else:
                    yield line if isinstance(line, ToolRequest) else TextDelta(line)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


class FakeVoice:
    """A voice that takes 0.1 s to begin and 60 ms of audio for each character."""

    MS_PER_CHAR = 60

    def __init__(self) -> None:
        self.tape: Tape[bytes | None] = Tape()
        self.open_error: ProviderError | None = None
        self.opened = 0
        self.spoken: list[str] = []
        self.finished = 0
        self.cancelled = 0
        self.closed = 0
        self.silent = False
        self._due: list[asyncio.TimerHandle] = []
        self._last_at = 0.0

    async def open(self) -> None:
        self.opened += 1
        await asyncio.sleep(0.1)
        if self.open_error is not None:
            raise self.open_error

    async def speak(self, text: str) -> None:
        self.spoken.append(text)
        if not self.silent:
            self._later(speech(len(text) * self.MS_PER_CHAR, b"\x20"))

    async def finish(self) -> None:
        self.finished += 1
        if not self.silent:
            self._later(None)

    async def cancel(self) -> None:
        self.cancelled += 1
        for timer in self._due:
            timer.cancel()
        self._due = []

    def audio(self) -> AsyncIterator[bytes | None]:
        return _ending_at_close(self.tape)

    async def close(self) -> None:
        self.closed += 1
        self.tape.emit(CLOSED)

    def _later(self, audio: bytes | None) -> None:
        """Emit in 0.1 s, in the order of asking."""
        self._last_at = max(now() + 0.1, self._last_at + 0.000_001)
        loop = asyncio.get_running_loop()
        self._due.append(loop.call_at(self._last_at, self.tape.emit, audio or END))


END = b"end"
CLOSED = b"closed"


async def _ending_at_close(tape: Tape[bytes | None]) -> AsyncIterator[bytes | None]:
    async for audio in tape.play():
        if audio == CLOSED:
            return
        yield None if audio == END else audio
