"""A websocket client connection that hands whole text frames over with little work per frame.

The library opens it, answers pings, keeps it alive and closes it; only unfragmented data frames, which is what arrives
fifty times a second and call, are cut from the stream and masked here. Everything else goes to the library whole, so
that its own parser always stands at the beginning of a frame. Follows RFC 6455, section 5.2; measured in the docs.
"""

import asyncio
from collections import deque
from os import urandom
from struct import Struct
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.protocol import State

try:
    from websockets.speedups import apply_mask
except ImportError:  # an interpreter without the library's compiled part
    from websockets.utils import apply_mask

FRAME_MAX_BYTES = 16 * 1024 * 1024
LINGER_S = 1.0
PAUSE_FRAMES = 512
RESUME_FRAMES = 128
_HEAD_END = b"\r\n\r\n"
_SWITCHED = b"HTTP/1.1 101"
_TEXT, _BINARY, _MASKED = 0x81, 0x82, 0x80
_CLOSE = 0x88
_FRAGMENTS = frozenset({0x00, 0x01, 0x02, 0x80})
_LAST_FRAGMENT = 0x80
_LENGTH_7 = Struct("!BB").pack
_LENGTH_16 = Struct("!BBH").pack
_LENGTH_64 = Struct("!BBQ").pack


class FrameSocket(ClientConnection):
    """Takes the place of the library's connection: hand it over as its `create_connection`, without compression."""

    def __init__(self, protocol: ClientProtocol, **options: Any) -> None:
        super().__init__(protocol, **options)
        self._head = b""
        self._is_upgraded: bool | None = None
        self._rest = b""
        self._fragments: list[bytes] = []
        self._ready: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._is_paused = False
        self.frames_received = 0

    # Out

    @property
    def waiting_bytes(self) -> int:
        """How much of what was sent the connection has not taken yet."""
        return self.transport.get_write_buffer_size()

    def post(self, text: bytes) -> None:
        """Write a text frame, UTF-8; on a dead socket nothing happens, for `next_frame` is the one to say so."""
        if self.protocol.state is not State.OPEN or self.transport.is_closing():
            return
        size, mask = len(text), urandom(4)
        if size < 126:
            head = _LENGTH_7(_TEXT, _MASKED | size)
        elif size < 65_536:
            head = _LENGTH_16(_TEXT, _MASKED | 126, size)
        else:
            head = _LENGTH_64(_TEXT, _MASKED | 127, size)
        self.transport.write(head + mask + apply_mask(text, mask))

    # In

    async def next_frame(self) -> bytes:
        """Give the next data frame. Cancelling loses nothing. Raises ConnectionClosed."""
        while not self._ready:
            if self.connection_lost_waiter.done():
                raise self.protocol.close_exc from self.recv_exc
            self._waiter = self.loop.create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        frame = self._ready.popleft()
        if self._is_paused and len(self._ready) <= RESUME_FRAMES:
            self._is_paused = False
            self.transport.resume_reading()
        return frame

    def data_received(self, data: bytes) -> None:
        """Take bytes from the network."""
        if self._is_upgraded:
            self._cut(self._rest + data if self._rest else data)
        elif self._is_upgraded is None:
            self._read_head(data)
        else:
            super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection is gone."""
        super().connection_lost(exc)
        self._wake()

    def _read_head(self, data: bytes) -> None:
        """Keep the response's head apart from frames that come with it, or all of a refusal together."""
        self._head += data
        head, end, frames = self._head.partition(_HEAD_END)
        if not end:
            return
        self._is_upgraded = head.startswith(_SWITCHED)
        self._head = b""
        if not self._is_upgraded:
            super().data_received(head + end + frames)
            return
        super().data_received(head + end)
        if frames:
            self._cut(frames)

    def _cut(self, data: bytes) -> None:
        """Cut whole frames from the stream and keep what remains."""
        size, at = len(data), 0
        while size - at >= 2:
            first, length = data[at], data[at + 1]
            body = at + 2
            if length >= 126:
                width = 2 if length == 126 else 8
                if length > 127 or size - body < width:
                    break
                length = int.from_bytes(data[body : body + width], "big")
                body += width
            end = body + length
            if end > size:
                break
            if first in (_TEXT, _BINARY):
                self._put(data[body:end])
            elif first in _FRAGMENTS:
                self._put_fragment(first, data[body:end])
            else:
                self._control(first, data[at:end])
            at = end
        self._rest = data[at:]
        if len(self._rest) > FRAME_MAX_BYTES or (len(self._rest) > 1 and self._rest[1] > 127):
            self._rest = b""
            self.transport.abort()

    def _control(self, first: int, frame: bytes) -> None:
        """Leave pings and the close to the library; a peer that closes, or speaks nonsense, gets no time to linger."""
        super().data_received(frame)
        if self.protocol.parser_exc is not None:
            self.transport.abort()
        elif first == _CLOSE:
            self.loop.call_later(LINGER_S, self.transport.abort)

    def _put(self, payload: bytes) -> None:
        self.frames_received += 1
        self._ready.append(payload)
        self._wake()
        if len(self._ready) > PAUSE_FRAMES and not self._is_paused:
            self._is_paused = True
            self.transport.pause_reading()

    def _put_fragment(self, first: int, payload: bytes) -> None:
        self._fragments.append(payload)
        if first == _LAST_FRAGMENT:
            self._put(b"".join(self._fragments))
            self._fragments.clear()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
