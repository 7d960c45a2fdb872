"""One media stream of a call: the WebSocket Twilio opens to the other side, and what it plays to the callee.

The call's own 20 ms clock drives it through `play` and `send`; this file decides only how a socket lives and dies.
Source: Twilio, Media Streams; facts on errors 31901-31951.
"""

import asyncio
import os
import socket
from typing import Final
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp

from deploy.simulator import mulaw
from deploy.simulator.faults import Fault
from deploy.simulator.ledger import CallTruth
from deploy.simulator.performance import Tick
from deploy.simulator.stage import NotLoopback, Stage, require_loopback
from deploy.simulator.twilio_callbacks import SIGNATURE_HEADER, signature
from deploy.simulator.twilio_frames import (
    CONNECTED,
    Clear,
    Order,
    PlaceMark,
    PlayAudio,
    StreamError,
    StreamWriter,
    read_order,
)
from deploy.simulator.twilio_playout import Playout
from deploy.simulator.twiml import ConnectStream

_CONNECT_S: Final = 10.0
_CLOSE_S: Final = 2.0


class MediaStream:
    """A bidirectional stream; `run` returns when it is over, whoever ended it."""

    def __init__(self, stage: Stage, call: CallTruth, verb: ConnectStream) -> None:
        self.sid = f"MZ{uuid4().hex}"
        self._stage = stage
        self._call = call
        self._verb = verb
        self._writer = StreamWriter(self.sid, stage.settings.twilio_sid, call.sid)
        self._playout = Playout()
        self._connection: aiohttp.ClientWebSocketResponse | None = None
        self._marks: list[str] = []
        self._at_ms = 0
        self._dead = False

    async def run(self, at_ms: int) -> None:
        """Connect and take orders until the socket closes; `at_ms` is the time since the answer."""
        self._at_ms = at_ms
        fault = self._stage.faults.take("twilio", "media", number=self._call.to)
        if fault is not None and fault.kind == "never":
            await asyncio.Event().wait()
        try:
            connection = await self._connect()
        except StreamError as error:
            self._call.stream_error = str(error)
            return
        acting = self._stage.spawn(self._act(fault, connection)) if fault is not None else None
        try:
            await self._take_orders(connection)
        except StreamError as error:
            self._call.stream_error = str(error)
            await connection.close(code=aiohttp.WSCloseCode.POLICY_VIOLATION, message=str(error).encode()[:120])
        finally:
            self._connection = None
            if acting is not None:
                acting.cancel()

    async def _connect(self) -> aiohttp.ClientWebSocketResponse:
        url = self._verb.url
        address = urlsplit(url)
        if address.scheme not in {"ws", "wss"}:
            raise StreamError(31922, f"Invalid scheme: {address.scheme}")
        if address.query:
            raise StreamError(31920, "WebSocket handshake error: query string is not supported")
        headers = {
            SIGNATURE_HEADER: signature(self._stage.settings.twilio_token, url, {}),
            "User-Agent": "Twilio.TmeWs/1.0",
        }
        try:
            require_loopback(url)
            async with asyncio.timeout(_CONNECT_S):
                connection = await self._stage.http.ws_connect(url, headers=headers, max_msg_size=0)
        except aiohttp.WSServerHandshakeError as error:
            raise StreamError(31920, f"WebSocket handshake error: HTTP {error.status}") from error
        except (aiohttp.ClientError, TimeoutError, NotLoopback) as error:
            raise StreamError(31901, f"WebSocket connection error: {error}") from error
        parameters = dict(self._verb.parameters)
        self._call.stream_sid, self._call.stream_url = self.sid, url
        self._call.stream_parameters = parameters
        self._call.stream_connected_ms = self._at_ms
        await connection.send_str(CONNECTED)
        await connection.send_str(self._writer.start(parameters))
        self._connection = connection
        return connection

    async def _take_orders(self, connection: aiohttp.ClientWebSocketResponse) -> None:
        async for message in connection:
            if self._dead:
                await asyncio.Event().wait()
            if message.type is aiohttp.WSMsgType.TEXT:
                self._obey(read_order(message.data, self.sid))
            elif message.type is aiohttp.WSMsgType.BINARY:
                raise StreamError(31950, "Malformed message: binary")

    def _obey(self, order: Order) -> None:
        match order:
            case PlayAudio(audio):
                self._call.frames_received += 1
                self._playout.add(audio)
            case PlaceMark(name):
                self._marks.extend(self._playout.mark(name))
            case Clear():
                self._call.clears_ms.append(self._at_ms)
                self._marks.extend(self._playout.clear())

    def play(self, at_ms: int) -> bytes | None:
        """Play the next 20 ms to the callee; None is silence."""
        self._at_ms = at_ms
        frame, marks = self._playout.take_frame()
        self._marks.extend(marks)
        self._call.played_ms = self._playout.played_bytes // mulaw.BYTES_PER_MS
        self._call.cleared_ms = self._playout.cleared_bytes // mulaw.BYTES_PER_MS
        return frame

    async def send(self, tick: Tick) -> None:
        """Send the callee's 20 ms, touch tones and the marks that have been passed."""
        connection = self._connection
        if connection is None or self._dead:
            return
        try:
            await connection.send_str(self._writer.media(tick.frame))
            for digit in tick.digits:
                await connection.send_str(self._writer.dtmf(digit))
            for name in self._marks:
                self._call.marks.append(name)
                await connection.send_str(self._writer.mark(name))
            self._marks.clear()
        except (aiohttp.ClientError, ConnectionError):
            self._connection = None

    async def stop(self) -> None:
        """Say that the call is over and begin to close the socket; a half-open one stays as it is."""
        connection, self._connection = self._connection, None
        if connection is None or self._dead:
            return
        try:
            async with asyncio.timeout(_CLOSE_S):
                await connection.send_str(self._writer.stop())
        except (aiohttp.ClientError, ConnectionError, TimeoutError):
            return
        self._stage.spawn(connection.close())

    async def _act(self, fault: Fault, connection: aiohttp.ClientWebSocketResponse) -> None:
        await asyncio.sleep(fault.after_ms / 1000)
        match fault.kind:
            case "close":
                self._stage.spawn(connection.close(code=fault.close_code, message=fault.text.encode()))
            case "half_open":
                self._dead = True
            case "malformed":
                await connection.send_str(fault.text or '{"event":"media","media":{"payload":')
            case "reset":
                cut(connection)
            case _:
                return


def cut(connection: aiohttp.ClientWebSocketResponse) -> None:
    """Cut the connection without a close frame."""
    open_socket = connection.get_extra_info("socket")
    if open_socket is not None:
        with socket.socket(fileno=os.dup(open_socket.fileno())) as same:
            same.shutdown(socket.SHUT_RDWR)
