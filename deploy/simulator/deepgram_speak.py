"""Deepgram's voices (speak v1, Aura): a WebSocket that speaks while text arrives, and its HTTP twin.

A sentence is spoken as soon as it is complete, the rest at Flush. Audio leaves faster than real time; a Clear stops it,
but what is already on its way may arrive before Cleared. Source: Deepgram, text to speech WebSocket and REST.
"""

import asyncio
from collections import deque
from typing import Final

import numpy as np
import orjson
from aiohttp import web

from deploy.simulator import mulaw
from deploy.simulator.deepgram_options import BadQuery, SpeakOptions, read_speak
from deploy.simulator.deepgram_wire import (
    MODEL_UUID,
    Json,
    deepgram_error,
    deepgram_refusal,
    key_refused,
    new_request_id,
)
from deploy.simulator.faults import Fault
from deploy.simulator.obstruction import obstruct
from deploy.simulator.stage import Stage, stage_of
from deploy.simulator.vendor_socket import VendorSocket
from deploy.simulator.voice import silence, speak

VENDOR: Final = "deepgram_speak"
PIECE_MS: Final = 200
_TAIL_MS: Final = 120
_FLUSHES: Final = 20
_FLUSH_SPAN_S: Final = 60.0
_TEXT_CHARS: Final = 2000
_SENTENCE_ENDS: Final = (".", "?", "!")


def pieces(text: str, options: SpeakOptions) -> list[bytes]:
    """Return the text as audio in the asked encoding, in pieces of 200 ms, with a short pause behind."""
    sound = speak(text) + silence(_TAIL_MS)
    step = PIECE_MS * mulaw.BYTES_PER_MS
    return [_encoded(sound[at : at + step], options) for at in range(0, len(sound), step)]


def _encoded(audio: bytes, options: SpeakOptions) -> bytes:
    if options.encoding == "mulaw":
        return audio
    return np.repeat(mulaw.decode(audio), options.rate_hz // mulaw.SAMPLE_RATE_HZ).astype("<i2").tobytes()


class SpeakSession:
    """One speaking socket."""

    def __init__(self, stage: Stage, socket: VendorSocket, options: SpeakOptions, request_id: str) -> None:
        self._stage = stage
        self._socket = socket
        self._options = options
        self._request_id = request_id
        self._pace_s = PIECE_MS / 1000 / stage.settings.audio_speedup
        self._buffer = ""
        self._work: asyncio.Queue[str | None] = asyncio.Queue()
        self._sounding: bytes | None = None
        self._sequence = 0
        self._flushed_at: deque[float] = deque(maxlen=_FLUSHES)
        self._speaker: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Serve the socket until it closes."""
        await self._socket.send(
            {
                "type": "Metadata",
                "request_id": self._request_id,
                "model_name": self._options.model,
                "model_version": "2025-07-31.0",
                "model_uuid": MODEL_UUID,
                "additional_model_uuids": [],
            }
        )
        self._speaker = self._stage.spawn(self._speak_all())
        try:
            async for frame in self._socket.frames():
                await self._obey(frame)
        finally:
            self._speaker.cancel()

    async def _obey(self, frame: str | bytes) -> None:
        try:
            message = orjson.loads(frame)
            kind = message["type"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            await self._socket.close(1008, "DATA-0000: The payload cannot be decoded as a message.")
            return
        match kind:
            case "Speak":
                await self._take(str(message.get("text", "")))
            case "Flush":
                await self._flush()
            case "Clear":
                await self._clear()
            case "Close":
                self._speak_buffer()
                self._work.put_nowait(None)
                await self._work.join()
                await self._socket.close()
            case _:
                await self._warn(f"Unknown message type {kind}", "UNPARSABLE_CLIENT_MESSAGE")

    async def _take(self, text: str) -> None:
        if len(text) > _TEXT_CHARS:
            await self._socket.close(1008, "DATA-0001: The text exceeds the character limit.")
            return
        self._buffer += text
        if self._buffer.rstrip().endswith(_SENTENCE_ENDS):
            self._speak_buffer()

    def _speak_buffer(self) -> None:
        text, self._buffer = self._buffer.strip(), ""
        if text:
            self._work.put_nowait(text)

    async def _flush(self) -> None:
        now = asyncio.get_running_loop().time()
        if len(self._flushed_at) == _FLUSHES and now - self._flushed_at[0] < _FLUSH_SPAN_S:
            await self._warn(f"More than {_FLUSHES} Flush messages in 60 seconds", "EXCESSIVE_FLUSH")
            return
        self._flushed_at.append(now)
        self._speak_buffer()
        self._work.put_nowait(None)

    async def _clear(self) -> None:
        if self._speaker is not None:
            self._speaker.cancel()
            await asyncio.wait([self._speaker])
        late, self._sounding, self._buffer = self._sounding, None, ""
        if late is not None:
            await self._socket.send_bytes(late)
        self._work = asyncio.Queue()
        self._speaker = self._stage.spawn(self._speak_all())
        await self._socket.send({"type": "Cleared", "sequence_id": self._next_sequence()})

    async def _warn(self, description: str, code: str) -> None:
        await self._socket.send({"type": "Warning", "description": description, "code": code})

    def _next_sequence(self) -> int:
        self._sequence += 1
        return self._sequence - 1

    async def _speak_all(self) -> None:
        work = self._work
        fault: Fault | None = None
        while True:
            text = await work.get()
            if text is None:
                await self._socket.send({"type": "Flushed", "sequence_id": self._next_sequence()})
            else:
                fault = self._stage.faults.take(VENDOR, "flush", subject=text)
                await self._speak(text, fault)
            work.task_done()

    async def _speak(self, text: str, fault: Fault | None) -> None:
        if fault is not None and fault.kind == "delay":
            await asyncio.sleep(fault.delay_ms / 1000)
        waiting = deque(pieces(text, self._options))
        sent_ms = 0
        while waiting:
            if fault is not None and sent_ms >= fault.after_ms and fault.kind in {"close", "stall"}:
                if fault.kind == "close":
                    await self._socket.close(fault.close_code, fault.text)
                await asyncio.Event().wait()
            await self._socket.send_bytes(waiting.popleft())
            self._sounding = waiting[0] if waiting else None
            sent_ms += PIECE_MS
            await asyncio.sleep(self._pace_s)


def _options(request: web.Request) -> SpeakOptions | web.Response:
    if (refused := key_refused(request)) is not None:
        return refused
    try:
        return read_speak(request.query)
    except BadQuery as error:
        return deepgram_error(400, str(error))


async def connect(request: web.Request) -> web.StreamResponse:
    """GET /deepgram/v1/speak: open a speaking socket."""
    stage = stage_of(request)
    fault = stage.faults.take(VENDOR, "connect", subject=request.query_string)
    if (obstacle := await obstruct(request, fault, deepgram_refusal)) is not None:
        return obstacle
    options = _options(request)
    if isinstance(options, web.Response):
        return options
    request_id = new_request_id()
    socket = VendorSocket(request, {"dg-request-id": request_id})
    await socket.open()
    socket.suffer(stage.faults.take(VENDOR, "session", subject=request.query_string))
    await SpeakSession(stage, socket, options, request_id).run()
    return socket.web


async def generate(request: web.Request) -> web.StreamResponse:
    """POST /deepgram/v1/speak: stream one text as audio."""
    stage = stage_of(request)
    options = _options(request)
    if isinstance(options, web.Response):
        return options
    body: Json = await request.json()
    text = str(body.get("text", "")).strip()
    fault = stage.faults.take(VENDOR, "request", subject=text)
    if (obstacle := await obstruct(request, fault, deepgram_refusal)) is not None:
        return obstacle
    if not text:
        return deepgram_error(400, "Bad Request: the text is empty.")
    headers = {
        "Content-Type": "audio/mulaw"
        if options.encoding == "mulaw"
        else f"audio/l16;rate={options.rate_hz};channels=1",
        "dg-request-id": new_request_id(),
        "dg-model-name": options.model,
        "dg-model-uuid": MODEL_UUID,
        "dg-char-count": str(len(text)),
    }
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    for piece in pieces(text, options):
        await response.write(piece)
        await asyncio.sleep(PIECE_MS / 1000 / stage.settings.audio_speedup)
    await response.write_eof()
    return response


def routes() -> list[web.AbstractRouteDef]:
    """Return the speaking routes."""
    return [web.get("/deepgram/v1/speak", connect), web.post("/deepgram/v1/speak", generate)]
