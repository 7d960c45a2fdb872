"""The media socket carries sound both ways, survives what Twilio may do to it, and says when it is gone."""

import asyncio
from base64 import b64encode

import aiohttp
import pytest

from deploy.simulator.process import World
from media.carriers.twilio.socket import BAD_FIRST_FRAME, JOIN_TIMEOUT, StreamLimits
from media.ports import CarrierEnded
from tests.conformance.adapters.phone_line import Line, open_carrier, open_line

SPEAKER, QUIET = "+15550000001", "+15550000007"
FRAME = b"\x7f" * 160
START = (
    '{"event":"start","sequenceNumber":"1","streamSid":"MZ1","start":{"streamSid":"MZ1","accountSid":"AC1",'
    '"callSid":"CA1","tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}}}'
)
MEDIA = (
    '{"event":"media","sequenceNumber":"2","streamSid":"MZ1","media":{"track":"inbound","chunk":"1","timestamp":"0",'
    f'"payload":"{b64encode(FRAME).decode()}"}}}}'
)


def test_speech_and_digits_reach_us_and_our_frames_and_marks_reach_twilio(world: World) -> None:
    async def scenario() -> str:
        async with open_line() as line, open_carrier(world) as carrier:
            sid = await carrier.dial(line.request(SPEAKER))
            leg = await line.joined()
            for _ in range(5):
                leg.send_audio(FRAME)
            leg.send_mark("spoken")
            await line.until(lambda: line.digits == "5#" and "spoken" in line.marks and len(line.audio) > 8000)
            assert set(line.audio) != {0xFF}
            assert len(line.audio) % len(FRAME) == 0
            await carrier.hang_up(sid)
            await line.until(lambda: line.times_left == 1)
            assert not line.broke
            await line.heard_of(CarrierEnded)
            assert line.upgrades_signed == [True]
            return sid

    truth = world.call(asyncio.run(scenario()))
    assert (truth["stream_error"], truth["frames_received"], truth["played_ms"]) == (None, 5, 100)
    assert truth["marks"] == ["spoken"]


def test_clear_drops_what_was_not_heard_and_returns_the_marks(world: World) -> None:
    async def scenario() -> str:
        async with open_line() as line, open_carrier(world) as carrier:
            sid = await carrier.dial(line.request(QUIET))
            leg = await line.joined()
            leg.send_audio(FRAME * 500)
            leg.send_mark("cut")
            leg.clear()
            await line.until(lambda: line.marks == ["cut"])
            await leg.close()
            await line.heard_of(CarrierEnded)
            return sid

    truth = world.call(asyncio.run(scenario()))
    assert truth["cleared_ms"] > 9000
    assert (truth["ended_by"], truth["stream_error"]) == ("stream_closed", None)


def test_a_malformed_frame_costs_nothing_but_itself(world: World) -> None:
    world.arm("twilio", "media", "malformed", after_ms=100)

    async def scenario() -> None:
        async with open_line() as line, open_carrier(world) as carrier:
            sid = await carrier.dial(line.request(SPEAKER))
            await line.until(lambda: line.digits == "5#")
            assert line.times_left == 0
            await carrier.hang_up(sid)
            await line.until(lambda: line.times_left == 1)

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", ["close", "reset", "half_open"])
def test_a_lost_socket_is_noticed_once_however_it_was_lost(world: World, kind: str) -> None:
    world.arm("twilio", "media", kind, after_ms=300, close_code=1011)

    async def scenario() -> None:
        async with open_line(StreamLimits(silence_s=0.4, watch_s=0.2)) as line, open_carrier(world) as carrier:
            sid = await carrier.dial(line.request(QUIET))
            leg = await line.joined()
            await line.until(lambda: line.times_left == 1)
            leg.send_audio(FRAME)
            leg.clear()
            await leg.close()
            await carrier.hang_up(sid)
        assert line.times_left == 1
        assert line.broke

    asyncio.run(scenario())


async def close_code_after(line: Line, *frames: str | bytes) -> int | None:
    """Open the socket as Twilio does, send the frames and wait for the close."""
    async with aiohttp.ClientSession() as session, session.ws_connect(f"ws://{line.host}/stream") as ws:
        for frame in frames:
            if isinstance(frame, bytes):
                await ws.send_bytes(frame)
            else:
                await ws.send_str(frame)
        await ws.receive()
        return ws.close_code


@pytest.mark.parametrize("frame", [b"\x00\x01", "hello", MEDIA, '{"event":"stop"}', '{"event":"start","start":{}}'])
def test_a_socket_that_begins_wrongly_is_refused(frame: str | bytes) -> None:
    async def scenario() -> None:
        async with open_line() as line:
            assert await close_code_after(line, frame) == BAD_FIRST_FRAME
        assert (line.leg, line.times_left) == (None, 0)

    asyncio.run(scenario())


@pytest.mark.parametrize("frames", [(), ('{"event":"connected","protocol":"Call","version":"1.0.0"}',)])
def test_a_socket_that_never_starts_is_refused(frames: tuple[str, ...]) -> None:
    async def scenario() -> None:
        async with open_line(StreamLimits(join_s=0.1)) as line:
            assert await close_code_after(line, *frames) == JOIN_TIMEOUT
        assert (line.leg, line.times_left) == (None, 0)

    asyncio.run(scenario())


def test_a_reader_that_does_not_read_is_bounded_then_cut() -> None:
    async def scenario() -> None:
        limits = StreamLimits(full_s=0.2, watch_s=0.1)
        async with open_line(limits) as line:
            reader, writer = await asyncio.open_connection(*line.host.split(":"), limit=1024)
            await _shake_hands(writer, line.host)
            leg = await line.joined()
            while leg.dropped_bytes == 0:
                leg.send_audio(FRAME * 50)
                await asyncio.sleep(0)
            await line.until(lambda: line.times_left == 1)
            writer.close()
            assert not reader.at_eof()

    asyncio.run(scenario())


async def _shake_hands(writer: asyncio.StreamWriter, host: str) -> None:
    """Upgrade and send a start frame without reading anything."""
    head = f"GET /stream HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    writer.write((head + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n").encode())
    text = START.encode()
    writer.write(b"\x81\xfe" + len(text).to_bytes(2, "big") + bytes(4) + text)
    await writer.drain()
