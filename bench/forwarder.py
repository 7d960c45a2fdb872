"""The bare forwarder that live calls are compared with: aiohttp, uvloop and orjson, and nothing else.

Decodes every Twilio-shaped frame, sends its audio on over a second socket in the same shape, and carries what comes
back to the phone: what any gateway in this language must do per frame, without a conversation, a record or a clock.
"""

import asyncio
import contextlib
import json
import sys
from binascii import a2b_base64, b2a_base64

import orjson
import uvloop
from aiohttp import ClientSession, ClientWebSocketResponse, TCPConnector, WSMsgType, web

HOST = "127.0.0.1"
Socket = web.WebSocketResponse | ClientWebSocketResponse


async def _carry(source: Socket, sink: Socket, sid: str) -> None:
    with contextlib.suppress(ConnectionError):
        await _carry_all(source, sink, sid)


async def _carry_all(source: Socket, sink: Socket, sid: str) -> None:
    while (message := await source.receive()).type is WSMsgType.TEXT:
        frame = orjson.loads(message.data)
        if frame["event"] == "media":
            audio = a2b_base64(frame["media"]["payload"])
            payload = b2a_base64(audio, newline=False).decode()
            shaped = {"event": "media", "streamSid": sid, "media": {"payload": payload}}
            await sink.send_str(orjson.dumps(shaped).decode())


async def _join(phone: web.WebSocketResponse) -> str:
    """Wait for the start frame and return the stream's id."""
    while True:
        frame = await phone.receive_json(loads=orjson.loads)
        if frame["event"] == "start":
            return str(frame["streamSid"])


async def serve(echo_url: str) -> None:
    """Forward every stream to the address and back until standard input ends; prints where it listens."""
    async with ClientSession(connector=TCPConnector(limit=0)) as client:

        async def stream(request: web.Request) -> web.WebSocketResponse:
            phone = web.WebSocketResponse(compress=False)
            await phone.prepare(request)
            sid = await _join(phone)
            async with client.ws_connect(echo_url, compress=0) as far, asyncio.TaskGroup() as both:
                both.create_task(_carry(phone, far, sid))
                both.create_task(_carry(far, phone, sid))
            return phone

        app = web.Application()
        app.add_routes([web.get("/stream", stream)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, HOST, 0, backlog=1024).start()
        print(json.dumps({"url": f"ws://{HOST}:{runner.addresses[0][1]}/stream"}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as forever:
        forever.run(serve(sys.argv[1]))
        sys.stdout.flush()
