"""The side that a carrier talks to, reduced to what a test must see: status callbacks and media sockets on loopback."""

import asyncio
import json
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from deploy.simulator.voice import Decoder, speak

WAIT_S = 10.0


@dataclass
class Callback:
    """One form post as received."""

    url: str
    form: dict[str, str]
    signature: str


@dataclass
class Stream:
    """One media socket that the carrier opened."""

    socket: web.WebSocketResponse
    url: str
    signature: str
    path: str
    sid: str = ""
    seen: list[dict[str, Any]] = field(default_factory=list)
    ear: Decoder = field(default_factory=Decoder)

    async def next(self, *events: str) -> dict[str, Any]:
        """Read until a message of these events and return it; `closed` stands for the end of the socket."""
        async with asyncio.timeout(WAIT_S):
            while True:
                message = await self.socket.receive()
                if message.type is not WSMsgType.TEXT:
                    assert "closed" in events, f"the socket ended before {events}"
                    return {"event": "closed", "code": self.socket.close_code}
                frame = json.loads(message.data)
                self.seen.append(frame)
                self.sid = self.sid or frame.get("streamSid", "")
                if frame["event"] == "media":
                    self.ear.feed(b64decode(frame["media"]["payload"]))
                if frame["event"] in events:
                    return frame

    async def until_heard(self, text: str) -> None:
        """Listen until the callee has said this."""
        while text not in self.ear.text:
            await self.next("media")

    async def say(self, text: str) -> None:
        """Send speech for the callee."""
        await self.send("media", media={"payload": b64encode(speak(text)).decode()})

    async def mark(self, name: str) -> None:
        """Send a mark."""
        await self.send("mark", mark={"name": name})

    async def send(self, event: str, **fields: object) -> None:
        """Send a message of this stream."""
        await self.socket.send_json({"event": event, "streamSid": self.sid, **fields})


class Caller:
    """Our end of the carrier's protocols."""

    def __init__(self) -> None:
        self.base_url = ""
        self.callbacks: asyncio.Queue[Callback] = asyncio.Queue()
        self.streams: asyncio.Queue[Stream] = asyncio.Queue()
        self.released = asyncio.Event()

    @property
    def status_url(self) -> str:
        """Where status callbacks go."""
        return f"{self.base_url}/status"

    def stream_url(self, token: str) -> str:
        """Where the media socket goes."""
        return f"{self.base_url.replace('http', 'ws', 1)}/streams/{token}"

    def twiml(self, token: str = "t", parameters: Mapping[str, str] | None = None) -> str:
        """Instructions that connect the callee to us."""
        inner = "".join(f'<Parameter name="{n}" value="{v}"/>' for n, v in (parameters or {}).items())
        return f'<Response><Connect><Stream url="{self.stream_url(token)}">{inner}</Stream></Connect></Response>'

    async def callback(self, status: str) -> Callback:
        """Wait for the callback of this status; earlier ones are passed over."""
        async with asyncio.timeout(WAIT_S):
            while True:
                found = await self.callbacks.get()
                if found.form.get("CallStatus", found.form.get("AnsweredBy")) == status:
                    return found

    async def statuses(self, last: str) -> list[str]:
        """Wait for the callback of this status and return all statuses up to it."""
        found: list[str] = []
        async with asyncio.timeout(WAIT_S):
            while not found or found[-1] != last:
                found.append((await self.callbacks.get()).form["CallStatus"])
        return found

    async def stream(self) -> Stream:
        """Wait for a media socket, and for its start message."""
        async with asyncio.timeout(WAIT_S):
            stream = await self.streams.get()
        await stream.next("start")
        return stream

    async def _take_callback(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        await self.callbacks.put(Callback(str(request.url), form, request.headers["X-Twilio-Signature"]))
        return web.Response()

    async def _take_stream(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        url = self.base_url.replace("http", "ws", 1) + request.path_qs
        await self.streams.put(Stream(socket, url, request.headers["X-Twilio-Signature"], request.path))
        await self.released.wait()
        await socket.close(code=WSCloseCode.OK)
        return socket


@asynccontextmanager
async def running_caller() -> AsyncIterator[Caller]:
    """Serve a caller on a free loopback port."""
    caller = Caller()
    app = web.Application()
    app.router.add_post("/status", caller._take_callback)
    app.router.add_get("/streams/{token}", caller._take_stream)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    caller.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield caller
    finally:
        caller.released.set()
        await runner.cleanup()
