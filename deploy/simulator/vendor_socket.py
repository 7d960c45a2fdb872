"""A vendor's end of a WebSocket: opens it, sends and receives frames, and acts out the faults every vendor shares.

Knows no protocol. A half-open socket neither reads nor writes and never closes: exactly what a dead network path does.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Final

import orjson
from aiohttp import WSCloseCode, WSMsgType, web

from deploy.simulator.faults import Fault
from deploy.simulator.stage import Stage, stage_of

_MALFORMED: Final = '{"type": "surprise", "cut off'
_REASON_BYTES: Final = 120


class VendorSocket:
    """One accepted socket.

    Attributes:
        opened_at: loop time.
    """

    def __init__(self, request: web.Request, headers: Mapping[str, str] | None = None) -> None:
        self._request = request
        self._stage: Stage = stage_of(request)
        self.web = web.WebSocketResponse(max_msg_size=0, compress=False)
        self.web.headers.update(headers or {})
        self._dead = False
        self.opened_at = 0.0

    async def open(self) -> None:
        """Finish the handshake."""
        await self.web.prepare(self._request)
        self.opened_at = asyncio.get_running_loop().time()

    async def send(self, message: object) -> None:
        """Send JSON text; on a closed or dead socket nothing happens."""
        await self.send_text(orjson.dumps(message).decode())

    async def send_text(self, text: str) -> None:
        """Send a text frame."""
        if self._dead or self.web.closed:
            return
        try:
            await self.web.send_str(text)
        except ConnectionError:
            return

    async def send_bytes(self, data: bytes) -> None:
        """Send a binary frame."""
        if self._dead or self.web.closed:
            return
        try:
            await self.web.send_bytes(data)
        except ConnectionError:
            return

    async def frames(self) -> AsyncIterator[str | bytes]:
        """Yield text and binary frames until the socket closes; a dead socket yields nothing and stays."""
        async for message in self.web:
            if self._dead:
                await asyncio.Event().wait()
            if message.type in {WSMsgType.TEXT, WSMsgType.BINARY}:
                yield message.data

    async def close(self, code: int = WSCloseCode.OK, reason: str = "") -> None:
        """Close the socket, unless it is dead."""
        if not self._dead:
            await self.web.close(code=code, message=reason.encode()[:_REASON_BYTES])

    def suffer(self, fault: Fault | None) -> None:
        """Let a socket fault strike when its time has come."""
        if fault is not None:
            self._stage.spawn(self._strike(fault))

    async def _strike(self, fault: Fault) -> None:
        await asyncio.sleep(fault.after_ms / 1000)
        match fault.kind:
            case "close":
                await self.close(fault.close_code, fault.text)
            case "half_open":
                self._dead = True
            case "malformed":
                await self.send_text(fault.text or _MALFORMED)
            case "reset":
                self.cut()
            case _:
                return

    def cut(self) -> None:
        """Cut the connection without a close frame."""
        if self._request.transport is not None:
            self._request.transport.abort()
