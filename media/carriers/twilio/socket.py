"""Serves one media socket of Twilio: joins it, hands its frames to the session, carries the agent's audio back.

Decides when a socket never joined (4408), began wrongly (4400) or is dead. Output never blocks and is bounded: beyond
the limit the newest audio is dropped and counted, for Twilio then has seconds to play; a socket that stays full, or
brings no frame for a while, is cut. Frames are read in `codec`; whose call it is was decided by the token in the path.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from struct import Struct

from aiohttp import WSMessage, WSMsgType, web

from media.carriers.twilio.codec import (
    DigitPressed,
    MalformedFrame,
    MarkPlayed,
    StreamConnected,
    StreamEncoder,
    StreamStarted,
    StreamStopped,
    decode,
)
from media.ports import LegSink

BAD_FIRST_FRAME = 4400
JOIN_TIMEOUT = 4408
_CLOSE_S = 1.0
_TEXT = 0x81
_LENGTH_7 = Struct("!BB").pack
_LENGTH_16 = Struct("!BBH").pack
_LENGTH_64 = Struct("!BBQ").pack


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How long and how much a socket may keep us waiting.

    Attributes:
        join_s: until the start frame.
        silence_s: without any frame; Twilio sends one every 20 ms, in silence too.
        full_s: with a full output buffer.
        watch_s: between two looks at the last two.
        output_bytes: audio waiting in the socket; 64 KB are about four seconds.
    """

    join_s: float = 5.0
    silence_s: float = 15.0
    full_s: float = 10.0
    watch_s: float = 5.0
    output_bytes: int = 64 * 1024


LIMITS = StreamLimits()


def text_frame(payload: bytes) -> bytes:
    """Wrap UTF-8 text in one unmasked frame of a server (RFC 6455, section 5.2)."""
    size = len(payload)
    if size < 126:
        return _LENGTH_7(_TEXT, size) + payload
    if size < 65_536:
        return _LENGTH_16(_TEXT, 126, size) + payload
    return _LENGTH_64(_TEXT, 127, size) + payload


class TwilioLeg:
    """The joined socket of one call.

    Attributes:
        provider_call_id: Twilio's SID of the call.
        dropped_bytes: agent audio that found the socket full.
    """

    __slots__ = ("_closed", "_encoder", "_output_bytes", "_transport", "_ws", "dropped_bytes", "provider_call_id")

    def __init__(
        self, ws: web.WebSocketResponse, transport: asyncio.Transport, started: StreamStarted, output_bytes: int
    ) -> None:
        self._ws = ws
        self._output_bytes = output_bytes
        self._transport = transport
        self._encoder = StreamEncoder(started.stream_sid)
        self._closed = False
        self.provider_call_id = started.call_sid
        self.dropped_bytes = 0

    def send_audio(self, audio: bytes) -> None:
        """Send agent audio, mono mu-law 8000 Hz, a whole number of 160-byte frames."""
        if self.is_full:
            self.dropped_bytes += len(audio)
        else:
            self._write(self._encoder.media(audio))

    def send_mark(self, name: str) -> None:
        """Ask to be told when everything sent so far has been played."""
        self._write(self._encoder.mark(name))

    def clear(self) -> None:
        """Drop what Twilio has buffered but not played; it returns all pending marks at once."""
        self._write(self._encoder.clear())

    async def close(self) -> None:
        """Close the socket, which ends the call at Twilio, within a second."""
        self._closed = True
        await _close(self._ws, 1000)

    @property
    def is_full(self) -> bool:
        """Whether more audio is waiting in the socket than is kept."""
        return self._transport.get_write_buffer_size() > self._output_bytes

    def cut(self) -> None:
        """Drop the connection without a word: the other end does not read, or is gone."""
        self._closed = True
        self._transport.abort()

    def _write(self, payload: bytes) -> None:
        if not self._closed and not self._transport.is_closing():
            self._transport.write(text_frame(payload))


class _Watch:
    """Cuts a socket that brings nothing, or takes nothing, for too long. One timer, nothing per frame but a count."""

    __slots__ = ("_full_s", "_leg", "_limits", "_loop", "_quiet_s", "_seen", "_timer", "frames")

    def __init__(self, leg: TwilioLeg, limits: StreamLimits) -> None:
        self._leg = leg
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self.frames = 0
        self._seen = 0
        self._quiet_s = self._full_s = 0.0
        self._timer = self._loop.call_later(limits.watch_s, self._look)

    def _look(self) -> None:
        limits = self._limits
        self._quiet_s = self._quiet_s + limits.watch_s if self.frames == self._seen else 0.0
        self._full_s = self._full_s + limits.watch_s if self._leg.is_full else 0.0
        self._seen = self.frames
        if self._quiet_s >= limits.silence_s or self._full_s >= limits.full_s:
            self._leg.cut()
        else:
            self._timer = self._loop.call_later(limits.watch_s, self._look)

    def stop(self) -> None:
        self._timer.cancel()


async def serve_stream(ws: web.WebSocketResponse, sink: LegSink, limits: StreamLimits = LIMITS) -> None:
    """Serve a prepared socket until the call or the connection ends.

    `sink.leg_left` follows every `sink.leg_joined`; a socket that never joined calls neither.
    """
    leg = await _join(ws, limits)
    if leg is None:
        return
    watch = _Watch(leg, limits)
    stopped = False
    try:
        sink.leg_joined(leg)
        stopped = await _listen(ws, sink, watch)
    finally:
        watch.stop()
        sink.leg_left(broke=not stopped)
        await leg.close()


async def _join(ws: web.WebSocketResponse, limits: StreamLimits) -> TwilioLeg | None:
    """Wait for the start frame; None after closing a socket that did not bring one."""
    transport = _transport(ws)
    try:
        async with asyncio.timeout(limits.join_s):
            while transport is not None:
                frame = _first_frame(await ws.receive())
                if isinstance(frame, StreamStarted):
                    return TwilioLeg(ws, transport, frame, limits.output_bytes)
                if frame is None:
                    break
    except TimeoutError:
        await _close(ws, JOIN_TIMEOUT)
    except MalformedFrame:
        await _close(ws, BAD_FIRST_FRAME)
    return None


def _first_frame(message: WSMessage) -> StreamConnected | StreamStarted | None:
    """Accept connected and start only; None when the peer left."""
    if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
        return None
    frame = decode(message.data) if message.type is WSMsgType.TEXT else None
    if isinstance(frame, StreamConnected | StreamStarted):
        return frame
    raise MalformedFrame("the stream has not started")


async def _listen(ws: web.WebSocketResponse, sink: LegSink, watch: _Watch) -> bool:
    """Pass on what comes until the stream ends; False when it ended without Twilio's stop, so the socket broke."""
    while True:
        message = await ws.receive()
        if message.type is not WSMsgType.TEXT:
            if message.type is WSMsgType.BINARY:
                continue
            return False
        watch.frames += 1
        try:
            frame = decode(message.data)
        except MalformedFrame:
            continue
        if isinstance(frame, bytes):
            sink.callee_audio(frame)
        elif isinstance(frame, MarkPlayed):
            sink.mark_played(frame.name)
        elif isinstance(frame, DigitPressed):
            sink.digit_pressed(frame.digit)
        elif isinstance(frame, StreamStopped):
            return True


def _transport(ws: web.WebSocketResponse) -> asyncio.Transport | None:
    """Reach the transport: aiohttp's own send is a coroutine per frame, and writing here needs none."""
    request = ws._req  # noqa: SLF001 - a response offers no public way to its request
    return request.transport if request is not None else None


async def _close(ws: web.WebSocketResponse, code: int) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_CLOSE_S):
            await ws.close(code=code)
