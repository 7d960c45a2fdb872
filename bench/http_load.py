"""A client that posts calls as fast as they are answered, or at a given rate; one process.

Orders on standard input, one JSON line each: {"url", "key", "connections", "kept", "for_s"} and, for a given rate,
"per_s". Connections are kept for the next request, or closed after each. At
a given rate a request's time counts from the moment it was due, so that a server that stalls is charged for the line it
made. The answer gives the counts by status and the times in ms.
"""

import asyncio
import json
import sys
from collections import Counter
from time import monotonic
from typing import cast
from urllib.parse import urlsplit

import uvloop

from bench.measure import quantile

_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length: "
PATIENCE_S = 10.0


class Posts:
    """What is posted, and how it was answered."""

    def __init__(self, url: str, key: str, *, kept: bool) -> None:
        address = urlsplit(url)
        self.host, self.port = address.hostname or "", address.port or 80
        self._head = (
            f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: Bearer {key}\r\n"
            f"Connection: {'keep-alive' if kept else 'close'}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
        self.kept = kept
        self.times_ms: list[float] = []
        self.statuses: Counter[str] = Counter()

    def request(self, number: int) -> bytes:
        """Write the request for one call; every call goes to another number."""
        body = json.dumps(
            {
                "phone_number": f"+1212{2_000_000 + number % 7_999_999:07d}",
                "task": "Confirm the appointment of tomorrow morning, and offer two other times if it does not suit.",
                "first_sentence": "Hello, this is Sarah from Bright Dental.",
                "max_duration": 3,
                "metadata": {"customer": f"C-{number}"},
            }
        ).encode()
        return self._head + str(len(body)).encode() + _HEAD_END + body


class Client(asyncio.Protocol):
    """One connection, one request at a time; opened anew when it was closed."""

    def __init__(self, posts: Posts) -> None:
        self._posts = posts
        self._data = b""
        self._due_at = 0.0
        self._waiter: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the running request up."""
        del exc
        if not self._posts.kept:
            return
        self._transport = None
        self._data = b""
        if self._waiter is not None and not self._waiter.done():
            self._posts.statuses["lost"] += 1
            self._waiter.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Take the answer."""
        self._data += data
        head, end, body = self._data.partition(_HEAD_END)
        if not end or len(body) < int(head.lower().partition(_LENGTH)[2].partition(b"\r\n")[0]):
            return
        self._data = b""
        if not self._posts.kept and self._transport is not None:
            self._transport.close()
            self._transport = None
        self._posts.times_ms.append((monotonic() - self._due_at) * 1000)
        self._posts.statuses[head[9:12].decode()] += 1
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def post(self, number: int, due_at: float) -> None:
        """Send one request and wait for its answer."""
        loop = asyncio.get_running_loop()
        if self._transport is None or self._transport.is_closing():
            await loop.create_connection(lambda: self, self._posts.host, self._posts.port)
        assert self._transport is not None
        self._due_at, self._waiter = due_at, loop.create_future()
        self._transport.write(self._posts.request(number))
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._waiter
        except TimeoutError:
            self._posts.statuses["timeout"] += 1
            self._transport.abort()

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.close()


class Load:
    """Carries out orders; numbers calls through all of them."""

    def __init__(self) -> None:
        self._number = 0

    async def run(self, order: dict[str, object]) -> dict[str, object]:
        """Post for a while and summarise."""
        posts = Posts(str(order["url"]), str(order["key"]), kept=bool(order["kept"]))
        clients = [Client(posts) for _ in range(int(str(order["connections"])))]
        until, per_s = monotonic() + float(str(order["for_s"])), float(str(order.get("per_s", 0)))
        began = monotonic()
        if per_s:
            await self._at_rate(clients, per_s, until)
        else:
            await asyncio.gather(*(self._flat_out(client, until) for client in clients))
        lasted_s = monotonic() - began
        for client in clients:
            client.close()
        times = posts.times_ms
        return {
            "per_s": len(times) / lasted_s,
            "statuses": dict(posts.statuses),
            "p50_ms": quantile(times, 0.5),
            "p99_ms": quantile(times, 0.99),
            "max_ms": max(times, default=0.0),
        }

    async def _flat_out(self, client: Client, until: float) -> None:
        while (now := monotonic()) < until:
            self._number += 1
            await client.post(self._number, now)

    async def _at_rate(self, clients: list[Client], per_s: float, until: float) -> None:
        free: asyncio.Queue[Client] = asyncio.Queue()
        for client in clients:
            free.put_nowait(client)
        due_at = monotonic()
        async with asyncio.TaskGroup() as posts:
            while due_at < until:
                await asyncio.sleep(due_at - monotonic())
                self._number += 1
                posts.create_task(self._post_one(await free.get(), free, self._number, due_at))
                due_at += 1 / per_s

    async def _post_one(self, client: Client, free: "asyncio.Queue[Client]", number: int, due_at: float) -> None:
        await client.post(number, due_at)
        free.put_nowait(client)


def main() -> None:
    """Obey orders until standard input ends."""
    print(json.dumps({"ready": True}), flush=True)
    load = Load()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for line in sys.stdin:
            print(json.dumps(runner.run(load.run(json.loads(line)))), flush=True)


if __name__ == "__main__":
    main()
