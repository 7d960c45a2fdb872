"""Run the outside world: prints {"url": …} when ready, then answers orders on standard input, and ends with it.

Orders, one JSON line each: {"read": true} returns the readings since the last time; {"dial": "ws://…", "group": …,
"calls": n} lets phones join a stream without a dial; {"hang_up": true} ends every call from the callees' side.
"""

import asyncio
import json
import sys
from binascii import a2b_base64

import orjson
import uvloop

from bench.outside.cascade_vendors import Recogniser, Voice, complete
from bench.outside.phones import Exchange
from bench.outside.providers import Ear
from bench.outside.readings import Readings
from bench.outside.realtime_model import RealtimeModel
from bench.outside.wire import Connection, Request, Session

HOST = "127.0.0.1"
ECHO_QUIET_FRAMES = 25


class Echo(Session):
    """The second socket of a bare forwarder: gives every frame back as agent audio."""

    def __init__(self, exchange: Exchange) -> None:
        self._ear = Ear(exchange, ECHO_QUIET_FRAMES, lambda: None, lambda: None)
        self._connection: Connection

    def opened(self, connection: Connection) -> None:
        """Keep the connection."""
        self._connection = connection

    def text(self, payload: bytes) -> None:
        """Take a frame and send it back."""
        self._ear.hear(a2b_base64(orjson.loads(payload)["media"]["payload"]))
        self._connection.send_text(payload)


class World:
    """Everything at one address."""

    def __init__(self) -> None:
        self.readings = Readings()
        self.exchange = Exchange(self.readings)

    def route(self, request: Request, connection: Connection) -> Session | None:
        """Answer a request, or return the session of a websocket."""
        path = request.path.partition("?")[0]
        if path.startswith("/2010-04-01/"):
            self.exchange.serve(request, connection)
        elif path == "/openai/v1/chat/completions":
            complete(request, connection)
        elif path == "/openai/v1/realtime":
            return RealtimeModel(self.exchange)
        elif path == "/deepgram/v1/listen":
            return Recogniser(self.exchange)
        elif path == "/deepgram/v1/speak":
            return Voice(self.exchange)
        elif path == "/echo":
            return Echo(self.exchange)
        else:
            connection.respond("404 Not Found", b"{}")
        return None

    def obey(self, order: dict[str, object]) -> dict[str, object]:
        """Carry out one order."""
        if "dial" in order:
            for _ in range(int(str(order["calls"]))):
                self.exchange.dial(str(order["group"]), str(order["dial"]))
        if order.get("hang_up"):
            self.exchange.hang_up_all()
        return dict(self.readings.take()) if order.get("read") else {}


async def _serve() -> None:
    world = World()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(route=world.route), HOST, 0, backlog=1024)
    print(json.dumps({"url": f"http://{HOST}:{server.sockets[0].getsockname()[1]}"}), flush=True)
    orders = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        print(json.dumps(world.obey(json.loads(line))), flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve())
