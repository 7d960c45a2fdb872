"""One TCP connection, as server or client: HTTP/1.1 requests until one of them becomes a websocket, then frames.

Just enough of RFC 9112 and RFC 6455 for well-behaved peers on loopback. Knows nothing of what is said.
"""

import asyncio
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha1
from os import urandom
from struct import Struct
from typing import cast
from urllib.parse import urlsplit

from websockets.speedups import apply_mask

_HEAD_END = b"\r\n\r\n"
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TEXT, _BINARY, _CLOSE, _PING, _PONG = 0x81, 0x82, 0x88, 0x89, 0x8A
_LENGTH_16, _LENGTH_64 = Struct("!H"), Struct("!Q")


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Session:
    """What a websocket talks to; subclasses take frames."""

    def opened(self, connection: "Connection") -> None:
        """Take the connection, ready for frames."""

    def text(self, payload: bytes) -> None:
        """Take a text frame."""

    def binary(self, payload: bytes) -> None:
        """Take a binary frame."""

    def closed(self) -> None:
        """Learn that the connection is gone."""


Route = Callable[[Request, "Connection"], Session | None]
"""Answers a request on the connection, or returns the session of a websocket to be."""


class Connection(asyncio.Protocol):
    """One connection; give `route` for a server, `session` for a client that has sent its upgrade."""

    def __init__(self, route: Route | None = None, session: Session | None = None) -> None:
        self._route = route
        self._session = session
        self._is_client = session is not None
        self._upgraded = False
        self._data = b""
        self._mask = urandom(4)
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the session."""
        del exc
        if self._upgraded and self._session is not None:
            self._session.closed()

    def data_received(self, data: bytes) -> None:
        """Take bytes from the network."""
        self._data = self._data + data if self._data else data
        if not self._upgraded:
            self._read_http()
        if self._upgraded and self._data:
            self._cut()

    def send_text(self, payload: bytes) -> None:
        """Write a text frame."""
        self._send(_TEXT, payload)

    def send_binary(self, payload: bytes) -> None:
        """Write a binary frame."""
        self._send(_BINARY, payload)

    def close(self) -> None:
        """Say goodbye and leave."""
        self._send(_CLOSE, b"\x03\xe8")
        self.transport.close()

    def write(self, data: bytes) -> None:
        """Write bytes as they are, unless the connection is going."""
        if not self.transport.is_closing():
            self.transport.write(data)

    def respond(self, status: str, body: bytes, content_type: str = "application/json") -> None:
        """Answer a request in one piece."""
        head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        self.write(head.encode() + body)

    def _send(self, first: int, payload: bytes) -> None:
        size, masked = len(payload), 0x80 if self._is_client else 0
        if size < 126:
            head = bytes((first, masked | size))
        elif size < 65_536:
            head = bytes((first, masked | 126)) + _LENGTH_16.pack(size)
        else:
            head = bytes((first, masked | 127)) + _LENGTH_64.pack(size)
        if masked:
            mask = self._mask
            self.write(head + mask + apply_mask(payload, mask))
        else:
            self.write(head + payload)

    def _read_http(self) -> None:
        while not self._upgraded:
            head, end, rest = self._data.partition(_HEAD_END)
            if not end:
                return
            first, *lines = head.decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            size = int(headers.get("content-length", 0))
            if len(rest) < size:
                return
            self._data = rest[size:]
            if self._is_client:
                self._joined(first)
            else:
                method, path, _ = first.split(" ", 2)
                self._serve(Request(method, path, headers, rest[:size]))

    def _joined(self, status_line: str) -> None:
        if " 101 " not in status_line or self._session is None:
            self.transport.close()
            return
        self._upgraded = True
        self._session.opened(self)

    def _serve(self, request: Request) -> None:
        assert self._route is not None
        session = self._route(request, self)
        if session is None:
            return
        accept = b64encode(sha1(request.headers["sec-websocket-key"].encode() + _GUID).digest())
        head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self.transport.write(head + b"Sec-WebSocket-Accept: " + accept + _HEAD_END)
        self._session, self._upgraded = session, True
        session.opened(self)

    def _cut(self) -> None:
        data, at, size = self._data, 0, len(self._data)
        while size - at >= 2:
            first, second = data[at], data[at + 1]
            body, length = at + 2, second & 0x7F
            if length == 126:
                body, length = at + 4, _LENGTH_16.unpack_from(data, at + 2)[0] if size - at >= 4 else size
            elif length == 127:
                body, length = at + 10, _LENGTH_64.unpack_from(data, at + 2)[0] if size - at >= 10 else size
            if second & 0x80:
                body += 4
            if body + length > size:
                break
            payload = data[body : body + length]
            at = body + length
            self._take(first, apply_mask(payload, data[body - 4 : body]) if second & 0x80 else payload)
        self._data = data[at:]

    def _take(self, first: int, payload: bytes) -> None:
        assert self._session is not None
        if first == _TEXT:
            self._session.text(payload)
        elif first == _BINARY:
            self._session.binary(payload)
        elif first == _PING:
            self._send(_PONG, payload)
        elif first == _CLOSE:
            self._send(_CLOSE, payload[:2])
            self.transport.close()


async def open_websocket(url: str, session: Session, headers: dict[str, str]) -> None:
    """Connect to a ws:// address; the session hears the rest."""
    address = urlsplit(url)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(
        lambda: Connection(session=session), address.hostname or "", address.port or 80
    )
    lines = [
        f"GET {address.path or '/'} HTTP/1.1",
        f"Host: {address.netloc}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {b64encode(urandom(16)).decode()}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    transport.write("\r\n".join(lines).encode() + _HEAD_END)
