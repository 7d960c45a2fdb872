"""One response of a realtime session: its items, events and audio, in the documented order, until done or cancelled.

Audio leaves faster than real time, in pieces of 200 ms. A cancelled response still closes its open item and reports
usage. What is said is the brain's.
"""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from deploy.simulator import mulaw
from deploy.simulator.brain import Reply
from deploy.simulator.faults import Fault
from deploy.simulator.realtime_audio import from_mulaw
from deploy.simulator.realtime_conversation import Conversation, Item
from deploy.simulator.realtime_events import EventWriter, Json, assistant_item, call_item, response_object, usage
from deploy.simulator.voice import silence, speak

PIECE_MS: Final = 200
_TAIL_MS: Final = 120
_ARGUMENT_CHARS: Final = 16

Send = Callable[[Json], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ResponsePlan:
    """What a response is made of.

    Attributes:
        session: the session object, with this response's overrides.
        conversation: None for a response out of band.
        input_chars: text the model read.
        input_audio_ms: audio the model heard so far.
        close: closes the socket, for faults.
    """

    id: str
    session: Json
    conversation: Conversation | None
    answer: Reply
    input_chars: int
    input_audio_ms: int
    think_s: float
    speedup: float
    metadata: Json | None
    fault: Fault | None
    close: Callable[[int, str], Awaitable[None]]


class ResponseRun:
    """Plays one plan."""

    def __init__(self, plan: ResponsePlan, writer: EventWriter, send: Send) -> None:
        self.id = plan.id
        self.audio_ms = 0
        self._plan = plan
        self._writer = writer
        self._send = send
        self._output: list[Json] = []
        self._open: tuple[Item, int] | None = None
        self._said_chars = 0
        self._why_cancelled = "client_cancelled"
        self._task: asyncio.Task[None] | None = None

    @property
    def active(self) -> bool:
        """Whether `response.done` is still owed."""
        return self._task is not None and not self._task.done()

    def begin(self, spawn: Callable[[Any], "asyncio.Task[None]"]) -> None:
        """Start playing."""
        self._task = spawn(self._play())

    async def cancel(self, reason: str) -> None:
        """Stop, close what is open, and return when `response.done` was sent."""
        if self._task is None or self._task.done():
            return
        self._why_cancelled = reason
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _play(self) -> None:
        plan, kind = self._plan, self._plan.fault.kind if self._plan.fault else ""
        await self._tell("response.created", response=self._response("in_progress"))
        await self._tell("rate_limits.updated", rate_limits=_RATE_LIMITS)
        try:
            delay_s = plan.fault.delay_ms / 1000 if plan.fault and kind == "delay" else 0.0
            await asyncio.sleep(plan.think_s + delay_s)
            if kind == "fail":
                await self._fail()
                return
            for text in self._parts(plan.answer.text, in_two=kind == "multi_item"):
                await self._say(text)
            for call in plan.answer.calls:
                await self._call(call.name, call.arguments)
        except asyncio.CancelledError:
            await self._close_open_item()
            details = {"type": "cancelled", "reason": self._why_cancelled}
            await self._done("cancelled", details)
            if kind == "late_delta":
                await self._late_delta()
            return
        await self._done("completed", None)

    def _parts(self, text: str, *, in_two: bool) -> list[str]:
        if not text:
            return []
        middle = text.find(" ", len(text) // 2) + 1 if in_two else 0
        return [text[:middle].rstrip(), text[middle:]] if middle else [text]

    async def _say(self, text: str) -> None:
        writer, spoken = self._writer, self._plan.session["output_modalities"] == ["audio"]
        index = len(self._output)
        item = Item(assistant_item(writer.new_id("item"), "in_progress", []), "")
        self._open = (item, index)
        await self._add(item, index)
        place = {"item_id": item.id, "output_index": index, "content_index": 0}
        empty = {"type": "audio", "transcript": ""} if spoken else {"type": "text", "text": ""}
        await self._tell_in("response.content_part.added", **place, part=empty)
        if spoken:
            await self._speak(item, text, place)
        else:
            item.text = text
            await self._tell_in("response.output_text.delta", **place, delta=text)
        await self._close_open_item("completed")

    async def _speak(self, item: Item, text: str, place: Json) -> None:
        plan = self._plan
        kind = plan.session["audio"]["output"]["format"]["type"]
        sound = speak(text) + silence(_TAIL_MS)
        total_ms, written = len(sound) // mulaw.BYTES_PER_MS, 0
        for at_ms in range(0, total_ms, PIECE_MS):
            end_ms = min(at_ms + PIECE_MS, total_ms)
            words_end = len(text) * end_ms // total_ms
            if words_end > written:
                delta = text[written:words_end]
                await self._tell_in("response.output_audio_transcript.delta", **place, delta=delta)
            written = words_end
            item.text = text[:written]
            piece = sound[at_ms * mulaw.BYTES_PER_MS : end_ms * mulaw.BYTES_PER_MS]
            item.audio_ms = end_ms
            self.audio_ms += end_ms - at_ms
            audio = b64encode(from_mulaw(piece, kind)).decode("ascii")
            await self._tell_in("response.output_audio.delta", **place, delta=audio)
            await self._maybe_spoil(item.audio_ms)
            await asyncio.sleep((end_ms - at_ms) / 1000 / plan.speedup)

    async def _maybe_spoil(self, audio_ms: int) -> None:
        fault = self._plan.fault
        if fault is None or audio_ms < fault.after_ms:
            return
        if fault.kind == "close":
            await self._plan.close(fault.close_code, fault.text)
        if fault.kind in {"close", "stall"}:
            await asyncio.Event().wait()

    async def _close_open_item(self, status: str = "incomplete") -> None:
        if self._open is None:
            return
        (item, index), self._open = self._open, None
        spoken = self._plan.session["output_modalities"] == ["audio"]
        place = {"item_id": item.id, "output_index": index, "content_index": 0}
        if spoken:
            await self._tell_in("response.output_audio.done", **place)
            await self._tell_in("response.output_audio_transcript.done", **place, transcript=item.text)
            part = {"type": "audio", "transcript": item.text}
        else:
            await self._tell_in("response.output_text.done", **place, text=item.text)
            part = {"type": "text", "text": item.text}
        await self._tell_in("response.content_part.done", **place, part=part)
        item.body = assistant_item(item.id, status, [part | {"type": f"output_{part['type']}"}])
        self._said_chars += len(item.text)
        await self._finish(item, index)

    async def _call(self, name: str, arguments: str) -> None:
        index, call_id = len(self._output), self._writer.new_id("call")
        item = Item(call_item(self._writer.new_id("item"), "in_progress", call_id, name, ""), name)
        await self._add(item, index)
        place = {"item_id": item.id, "output_index": index, "call_id": call_id}
        for at in range(0, len(arguments), _ARGUMENT_CHARS):
            delta = arguments[at : at + _ARGUMENT_CHARS]
            await self._tell_in("response.function_call_arguments.delta", **place, delta=delta)
        await self._tell_in("response.function_call_arguments.done", **place, name=name, arguments=arguments)
        item.body = call_item(item.id, "completed", call_id, name, arguments)
        self._said_chars += len(arguments)
        await self._finish(item, index)

    async def _add(self, item: Item, index: int) -> None:
        await self._tell_in("response.output_item.added", output_index=index, item=item.body)
        if self._plan.conversation is not None:
            before = self._plan.conversation.add(item)
            await self._tell("conversation.item.added", previous_item_id=before, item=item.body)

    async def _finish(self, item: Item, index: int) -> None:
        self._output.append(item.body)
        await self._tell_in("response.output_item.done", output_index=index, item=item.body)
        if self._plan.conversation is not None:
            await self._tell("conversation.item.done", previous_item_id=None, item=item.body)

    async def _fail(self) -> None:
        error = {"type": "server_error", "code": "server_error", "message": "The server had an error"}
        await self._done("failed", {"type": "failed", "error": error})

    async def _late_delta(self) -> None:
        if self._output:
            place = {"item_id": self._output[-1]["id"], "output_index": 0, "content_index": 0}
            late = b64encode(silence(PIECE_MS)).decode("ascii")
            await self._tell_in("response.output_audio.delta", **place, delta=late)

    async def _done(self, status: str, details: Json | None) -> None:
        plan = self._plan
        spent = usage(plan.input_chars, plan.input_audio_ms, self._said_chars, self.audio_ms)
        await self._tell("response.done", response=self._response(status, status_details=details, usage=spent))

    def _response(self, status: str, **fields: object) -> Json:
        plan = self._plan
        return response_object(plan.id, plan.session, status, self._output, metadata=plan.metadata, **fields)

    async def _tell(self, kind: str, **fields: object) -> None:
        await self._send(self._writer.event(kind, **fields))

    async def _tell_in(self, kind: str, **fields: object) -> None:
        await self._tell(kind, response_id=self.id, **fields)


_RATE_LIMITS: Final = [
    {"name": "requests", "limit": 10_000, "remaining": 9_999, "reset_seconds": 0.006},
    {"name": "tokens", "limit": 2_000_000, "remaining": 1_998_000, "reset_seconds": 0.06},
]
