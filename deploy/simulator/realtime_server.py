"""One live realtime session: client events in, server-side turns, responses, barge-in and truncation out.

Client events go through a table; an illegal one is answered with an error and changes nothing. Source: OpenAI, Realtime
API reference (GA).
"""

import asyncio
import time
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import uuid4

import orjson

from deploy.simulator.brain import Prompt, Reply, ToolOffer, reply
from deploy.simulator.realtime_audio import to_mulaw
from deploy.simulator.realtime_conversation import Conversation, Item, read_item
from deploy.simulator.realtime_events import EventWriter, Json, user_audio_item
from deploy.simulator.realtime_response import ResponsePlan, ResponseRun
from deploy.simulator.realtime_session import ClientError, new_session, updated_session
from deploy.simulator.stage import Stage
from deploy.simulator.turn_detector import SpeechStarted, SpeechStopped, TurnDetector
from deploy.simulator.vendor_socket import VendorSocket

VENDOR: Final = "openai_realtime"
_EXPIRED: Final = 1001
_LEAST_COMMIT_MS: Final = 100
_CANNED_REPLY: Final = Reply("yes, i understand. let me tell you what we can do about it, and then you decide.")


class RealtimeSession:
    """One session: its configuration, conversation, input audio and the one active response."""

    def __init__(self, stage: Stage, socket: VendorSocket, model: str) -> None:
        self._stage = stage
        self._socket = socket
        self._writer = EventWriter()
        expires_at = int(time.time() + stage.settings.session_s)
        self._session = new_session(f"sess_{uuid4().hex[:20]}", model, expires_at)
        self._conversation = Conversation()
        self._canned = "openai" in stage.settings.canned
        self._turns = TurnDetector(canned=self._canned)
        self._response: ResponseRun | None = None
        self._speech_item = ""
        self._busy_until_ms = 0
        self._spoke = False
        self._handlers: dict[str, Callable[[Json], Awaitable[None]]] = {
            "session.update": self._update,
            "input_audio_buffer.append": self._append,
            "input_audio_buffer.commit": self._commit,
            "input_audio_buffer.clear": self._clear,
            "conversation.item.create": self._create_item,
            "conversation.item.retrieve": self._retrieve_item,
            "conversation.item.delete": self._delete_item,
            "conversation.item.truncate": self._truncate_item,
            "response.create": self._create_response,
            "response.cancel": self._cancel_response,
        }

    async def run(self) -> None:
        """Serve the session until its socket closes."""
        await self._tell("session.created", session=self._session)
        expiry = self._stage.spawn(self._expire())
        try:
            async for frame in self._socket.frames():
                await self._receive(frame)
        finally:
            expiry.cancel()
            if self._response is not None:
                await self._response.cancel("client_cancelled")

    async def _expire(self) -> None:
        settings = self._stage.settings
        await asyncio.sleep(settings.session_s)
        minutes = f"{settings.session_s / 60:g} minutes"
        message = f"Your session hit the maximum duration of {minutes}."
        await self._socket.send(self._writer.error(message, code="session_expired"))
        await self._socket.close(_EXPIRED, message)

    async def _receive(self, frame: str | bytes) -> None:
        try:
            event = orjson.loads(frame)
        except orjson.JSONDecodeError:
            await self._refuse({}, ClientError("We could not parse the JSON body of your event.", code="invalid_json"))
            return
        kind = event.get("type") if isinstance(event, dict) else None
        try:
            await self._handlers.get(str(kind), self._unknown)(event)
        except ClientError as error:
            await self._refuse(event if isinstance(event, dict) else {}, error)

    async def _refuse(self, event: Json, error: ClientError) -> None:
        client_id = event.get("event_id")
        await self._socket.send(
            self._writer.error(error.message, code=error.code, param=error.param, client_event_id=client_id)
        )

    async def _unknown(self, event: Json) -> None:
        supported = ", ".join(f"'{each}'" for each in self._handlers)
        kind = event.get("type") if isinstance(event, dict) else None
        message = f"Invalid value: '{kind}'. Supported values are: {supported}."
        raise ClientError(message, code="invalid_value", param="type")

    async def _tell(self, kind: str, **fields: object) -> None:
        await self._socket.send(self._writer.event(kind, **fields))

    async def _update(self, event: Json) -> None:
        self._session = updated_session(self._session, event.get("session"), spoke=self._spoke)
        await self._tell("session.updated", session=self._session)

    async def _append(self, event: Json) -> None:
        try:
            audio = b64decode(event.get("audio", ""), validate=True)
        except (Base64Error, TypeError, ValueError):
            raise ClientError(
                "Invalid 'audio'. Expected base64-encoded audio bytes.", code="invalid_value", param="audio"
            ) from None
        received = self._session["audio"]["input"]
        detection = received["turn_detection"]
        for turn in self._turns.feed(to_mulaw(audio, received["format"]["type"]), detection):
            match turn:
                case SpeechStarted(at_ms):
                    await self._speech_started(at_ms, detection)
                case SpeechStopped():
                    await self._speech_stopped(turn, detection)
        if detection is not None and detection.get("idle_timeout_ms"):
            await self._maybe_prompt(int(detection["idle_timeout_ms"]))

    async def _speech_started(self, at_ms: int, detection: Json) -> None:
        self._speech_item = self._writer.new_id("item")
        await self._tell("input_audio_buffer.speech_started", audio_start_ms=at_ms, item_id=self._speech_item)
        if detection["interrupt_response"] and self._response is not None:
            await self._response.cancel("turn_detected")

    async def _speech_stopped(self, turn: SpeechStopped, detection: Json) -> None:
        item_id = self._speech_item
        await self._tell("input_audio_buffer.speech_stopped", audio_end_ms=turn.at_ms, item_id=item_id)
        await self._committed(item_id, turn.text, turn.at_ms - turn.start_ms)
        if detection["create_response"] and not self._is_active():
            self._respond({})

    async def _maybe_prompt(self, idle_ms: int) -> None:
        turns = self._turns
        quiet_since_ms = max(turns.last_voice_ms, self._busy_until_ms)
        if turns.speaking or self._is_active() or turns.position_ms - quiet_since_ms < idle_ms:
            return
        item_id, begin_ms = self._writer.new_id("item"), turns.position_ms - idle_ms
        await self._tell(
            "input_audio_buffer.timeout_triggered",
            audio_start_ms=begin_ms,
            audio_end_ms=turns.position_ms,
            item_id=item_id,
        )
        await self._committed(item_id, turns.take(), idle_ms)
        self._respond({})

    async def _committed(self, item_id: str, text: str, duration_ms: int) -> None:
        item = Item(user_audio_item(item_id), text)
        before = self._conversation.add(item)
        await self._tell("input_audio_buffer.committed", previous_item_id=before, item_id=item_id)
        await self._tell("conversation.item.added", previous_item_id=before, item=item.body)
        await self._tell("conversation.item.done", previous_item_id=before, item=item.body)
        if self._session["audio"]["input"]["transcription"] is not None:
            self._stage.spawn(self._transcribe(item_id, text, duration_ms))

    async def _transcribe(self, item_id: str, text: str, duration_ms: int) -> None:
        await asyncio.sleep(self._stage.settings.transcription_ms / 1000)
        kind, place = "conversation.item.input_audio_transcription", {"item_id": item_id, "content_index": 0}
        for at, word in enumerate(text.split()):
            await self._tell(f"{kind}.delta", **place, delta=word if at == 0 else f" {word}")
        spent = {"type": "duration", "seconds": duration_ms / 1000}
        await self._tell(f"{kind}.completed", **place, transcript=text, usage=spent)

    async def _commit(self, _event: Json) -> None:
        buffered_ms = self._turns.buffered_ms
        if buffered_ms < _LEAST_COMMIT_MS:
            message = (
                "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, "
                f"but buffer only has {buffered_ms:.2f}ms of audio."
            )
            raise ClientError(message, code="input_audio_buffer_commit_empty")
        await self._committed(self._writer.new_id("item"), self._turns.take(), buffered_ms)

    async def _clear(self, _event: Json) -> None:
        self._turns.clear()
        await self._tell("input_audio_buffer.cleared")

    async def _create_item(self, event: Json) -> None:
        item = read_item(event.get("item"), self._writer.new_id("item"))
        before = self._conversation.add(item, event.get("previous_item_id"))
        await self._tell("conversation.item.added", previous_item_id=before, item=item.body)
        await self._tell("conversation.item.done", previous_item_id=before, item=item.body)

    async def _retrieve_item(self, event: Json) -> None:
        await self._tell("conversation.item.retrieved", item=self._conversation.get(event.get("item_id")).body)

    async def _delete_item(self, event: Json) -> None:
        self._conversation.delete(event.get("item_id"))
        await self._tell("conversation.item.deleted", item_id=event.get("item_id"))

    async def _truncate_item(self, event: Json) -> None:
        place = {name: event.get(name) for name in ("item_id", "content_index", "audio_end_ms")}
        self._conversation.truncate(**place)
        await self._tell("conversation.item.truncated", **place)

    async def _create_response(self, event: Json) -> None:
        if self._response is not None and self._response.active:
            message = (
                f"Conversation already has an active response in progress: {self._response.id}. "
                "Wait until the response is finished before creating a new one."
            )
            raise ClientError(message, code="conversation_already_has_active_response")
        self._respond(event.get("response") or {})

    async def _cancel_response(self, event: Json) -> None:
        wanted = event.get("response_id")
        response = self._response
        if response is None or not response.active or (wanted is not None and wanted != response.id):
            raise ClientError("Cancellation failed: no active response found", code="response_cancel_not_active")
        await response.cancel("client_cancelled")

    def _is_active(self) -> bool:
        return self._response is not None and self._response.active

    def _respond(self, wanted: Json) -> None:
        session = self._session | {k: wanted[k] for k in ("output_modalities", "max_output_tokens") if k in wanted}
        prompt = self._prompt(wanted)
        fault = self._stage.faults.take(VENDOR, "response", subject=f"{prompt.instructions}\n{prompt.extra}")
        settings = self._stage.settings
        plan = ResponsePlan(
            id=self._writer.new_id("resp"),
            session=session,
            conversation=None if wanted.get("conversation") == "none" else self._conversation,
            answer=_CANNED_REPLY if self._canned else reply(prompt),
            input_chars=len(prompt.instructions) + len(prompt.extra) + self._conversation.text_length(),
            input_audio_ms=self._turns.position_ms,
            think_s=settings.think_ms / 1000,
            speedup=settings.audio_speedup,
            metadata=wanted.get("metadata"),
            fault=fault,
            close=self._socket.close,
        )
        self._spoke = True
        self._busy_until_ms = self._turns.position_ms
        self._response = ResponseRun(plan, self._writer, self._send_of_response)
        self._response.begin(self._stage.spawn)

    async def _send_of_response(self, event: Json) -> None:
        if event["type"] == "response.done" and self._response is not None:
            self._busy_until_ms = self._turns.position_ms + self._response.audio_ms
        await self._socket.send(event)

    def _prompt(self, wanted: Json) -> Prompt:
        instructions = str(self._session["instructions"] or "")
        extra = str(wanted.get("instructions") or self._conversation.system_text()).removeprefix(instructions).strip()
        lines = self._conversation.lines()
        if wanted.get("input") is not None:
            items = [read_item(each, self._writer.new_id("item")) for each in wanted["input"]]
            lines = tuple(line for item in items if (line := item.line) is not None)
        return Prompt(instructions, extra, lines, self._tools(wanted))

    def _tools(self, wanted: Json) -> tuple[ToolOffer, ...]:
        if wanted.get("tool_choice", self._session["tool_choice"]) == "none":
            return ()
        tools: list[Any] = wanted.get("tools", self._session["tools"]) or []
        offered = [tool for tool in tools if tool.get("type") == "function"]
        return tuple(ToolOffer(str(tool["name"]), tool.get("parameters") or {}) for tool in offered)
