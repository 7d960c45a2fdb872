"""Deepgram's live recogniser (listen v1) over a WebSocket: the handshake, audio in, transcripts out, and the ends.

What is heard is `listening`'s. Source: Deepgram, streaming speech to text; facts on 10 s of silence (1011 NET-0001).
"""

import asyncio
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

import numpy as np
import orjson
from aiohttp import web

from deploy.simulator import mulaw
from deploy.simulator.deepgram_options import BadQuery, ListenOptions, read_listen
from deploy.simulator.deepgram_wire import (
    MODEL_UUID,
    Json,
    deepgram_error,
    deepgram_refusal,
    key_refused,
    new_request_id,
)
from deploy.simulator.listening import Listening
from deploy.simulator.obstruction import obstruct
from deploy.simulator.stage import Stage, stage_of
from deploy.simulator.vendor_socket import VendorSocket

VENDOR: Final = "deepgram_listen"
_IDLE: Final = 1011
_IDLE_REASON: Final = "NET-0001: Deepgram did not receive audio data or a text message within the timeout window."


class ListenSession:
    """One listening socket."""

    def __init__(self, stage: Stage, socket: VendorSocket, options: ListenOptions, request_id: str) -> None:
        self._stage = stage
        self._socket = socket
        self._options = options
        self._request_id = request_id
        arch = "-".join(options.model.split("-")[:2])
        model = {"name": f"general-{arch}", "version": "2025-07-31.0", "arch": arch}
        metadata = {"request_id": request_id, "model_info": model, "model_uuid": MODEL_UUID}
        self._listening = Listening(options, metadata, canned="deepgram" in stage.settings.canned)
        self._digest = sha256()
        self._heard_at = asyncio.get_running_loop().time()
        self._odd = b""

    async def run(self) -> None:
        """Serve the socket until it closes."""
        watch = self._stage.spawn(self._watch_silence())
        try:
            async for frame in self._socket.frames():
                self._heard_at = asyncio.get_running_loop().time()
                if isinstance(frame, str):
                    await self._obey(frame)
                elif frame:
                    await self._hear(frame)
                else:
                    await self._close()
        finally:
            watch.cancel()

    async def _watch_silence(self) -> None:
        idle_s = self._stage.settings.idle_s
        loop = asyncio.get_running_loop()
        while True:
            left_s = self._heard_at + idle_s - loop.time()
            if left_s <= 0:
                await self._socket.close(_IDLE, _IDLE_REASON)
                return
            await asyncio.sleep(left_s)

    async def _hear(self, audio: bytes) -> None:
        self._digest.update(audio)
        if not self._listening.lose_speech_final:
            self._listening.lose_speech_final = self._stage.faults.take(VENDOR, "speech_final") is not None
        for message in self._listening.feed(self._mulaw(audio)):
            await self._socket.send(message)

    def _mulaw(self, audio: bytes) -> bytes:
        if self._options.encoding == "mulaw":
            return audio
        step = self._options.rate_hz // mulaw.SAMPLE_RATE_HZ
        data = self._odd + audio
        whole = len(data) // (2 * step) * 2 * step
        self._odd = data[whole:]
        return mulaw.encode(np.frombuffer(data[:whole], dtype="<i2")[::step].astype(np.int16))

    async def _obey(self, text: str) -> None:
        try:
            message = orjson.loads(text)
            kind = message["type"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            await self._complain(text)
            return
        match kind:
            case "KeepAlive":
                return
            case "Finalize":
                if self._stage.faults.take(VENDOR, "finalize") is None:
                    await self._socket.send(self._listening.finalize())
            case "CloseStream":
                await self._close()
            case "Configure":
                await self._configure(message)
            case _:
                await self._complain(text)

    async def _complain(self, text: str) -> None:
        description = "Could not parse the client message."
        await self._socket.send(
            {"type": "Error", "variant": "SchemaError", "description": description, "message": text}
        )

    async def _configure(self, message: Json) -> None:
        if message.get("keyterms") and not self._options.model.startswith("nova-3"):
            refusal = {"code": "CONFIGURE_KEYTERMS_NOT_SUPPORTED", "description": "Only Nova-3 takes keyterms."}
            await self._socket.send({"type": "ConfigureFailure", "request_id": self._request_id, **refusal})
            return
        answer: Json = {"type": "ConfigureSuccess", "request_id": self._request_id}
        if message.get("keyterms") is not None:
            answer["keyterms"] = message["keyterms"]
        await self._socket.send(answer)

    async def _close(self) -> None:
        for message in self._listening.close():
            await self._socket.send(message)
        await self._socket.send(
            {
                "type": "Metadata",
                "transaction_key": "deprecated",
                "request_id": self._request_id,
                "sha256": self._digest.hexdigest(),
                "created": datetime.now(UTC).isoformat(),
                "duration": self._listening.duration_s,
                "channels": 1,
            }
        )
        await self._socket.close()


async def connect(request: web.Request) -> web.StreamResponse:
    """GET /deepgram/v1/listen: open a listening socket."""
    stage = stage_of(request)
    fault = stage.faults.take(VENDOR, "connect", subject=request.query_string)
    if (obstacle := await obstruct(request, fault, deepgram_refusal)) is not None:
        return obstacle
    if (refused := key_refused(request)) is not None:
        return refused
    try:
        options = read_listen(request.query)
    except BadQuery as error:
        return deepgram_error(400, str(error))
    request_id = new_request_id()
    socket = VendorSocket(request, {"dg-request-id": request_id})
    await socket.open()
    socket.suffer(stage.faults.take(VENDOR, "session", subject=request.query_string))
    await ListenSession(stage, socket, options, request_id).run()
    return socket.web


def routes() -> list[web.AbstractRouteDef]:
    """Return the listening route."""
    return [web.get("/deepgram/v1/listen", connect)]
