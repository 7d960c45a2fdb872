"""The lean websocket reads any legal stream of frames however the network cuts it, and refuses an illegal one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.utils import accept_key

from media.realtime.frame_socket import FRAME_MAX_BYTES, PAUSE_FRAMES, FrameSocket

Talk = Callable[[ServerConnection], Awaitable[None]]
SIZES = (0, 1, 125, 126, 127, 65_535, 65_536, 200_000)


@asynccontextmanager
async def connected_to(talk: Talk) -> AsyncIterator[FrameSocket]:
    async with serve(talk, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with opened(f"ws://127.0.0.1:{port}") as socket:
            yield socket


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[FrameSocket]:
    """A socket to the address; compression would change the frames, so it is off, as it is in the SDK."""
    async with connect(url, create_connection=FrameSocket, compression=None) as socket:
        assert isinstance(socket, FrameSocket)
        yield socket


def test_frames_of_every_length_pass_both_ways() -> None:
    async def echo(peer: ServerConnection) -> None:
        async for message in peer:
            await peer.send(message)

    async def scenario() -> None:
        async with connected_to(echo) as socket:
            for size in SIZES:
                socket.post(b"x" * size)
                assert await socket.next_frame() == b"x" * size

    asyncio.run(scenario())


def test_fragments_are_joined_and_pings_between_them_answered() -> None:
    async def talk(peer: ServerConnection) -> None:
        async def pieces() -> AsyncIterator[str]:
            yield "one "
            await (await peer.ping())
            yield "two "
            yield "three"

        await peer.send(pieces())
        await peer.send(b"binary")
        await peer.wait_closed()

    async def scenario() -> None:
        async with connected_to(talk) as socket:
            assert [await socket.next_frame(), await socket.next_frame()] == [b"one two three", b"binary"]

    asyncio.run(scenario())


def test_what_came_before_a_close_is_read_first() -> None:
    async def talk(peer: ServerConnection) -> None:
        for number in range(3):
            await peer.send(str(number))
        await peer.close(4003, "enough")

    async def scenario() -> None:
        async with connected_to(talk) as socket:
            assert [await socket.next_frame() for _ in range(3)] == [b"0", b"1", b"2"]
            for _ in range(2):
                with pytest.raises(ConnectionClosed) as caught:
                    await socket.next_frame()
                assert caught.value.rcvd is not None
                assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (4003, "enough")
            socket.post(b"too late")

    asyncio.run(scenario())


def test_a_reader_that_waits_makes_the_network_wait() -> None:
    count = 4 * PAUSE_FRAMES

    async def talk(peer: ServerConnection) -> None:
        for number in range(count):
            await peer.send(f"{number:>4000}")
        await peer.wait_closed()

    async def scenario() -> None:
        async with connected_to(talk) as socket:
            assert [int(await socket.next_frame()) for _ in range(count)] == list(range(count))

    asyncio.run(scenario())


def test_a_cancelled_wait_loses_nothing() -> None:
    async def talk(peer: ServerConnection) -> None:
        await peer.recv()
        await peer.send("late")
        await peer.wait_closed()

    async def scenario() -> None:
        async with connected_to(talk) as socket:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await socket.next_frame()
            socket.post(b"go")
            assert await socket.next_frame() == b"late"

    asyncio.run(scenario())


@asynccontextmanager
async def raw_server(pieces: Callable[[bytes], Iterator[bytes]]) -> AsyncIterator[str]:
    """A server that writes exactly these pieces, the answer to the handshake included, one segment each."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        key = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key"))
        accept = accept_key(key.split(b": ")[1].decode())
        answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        for piece in pieces(f"{answer}Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"


TEXT = b"\x81\x05hello" + b"\x81\x7e\x00\x80" + b"y" * 128 + b"\x89\x01p" + b"\x01\x02ab" + b"\x80\x01c"


@pytest.mark.parametrize("step", [1, 2, 3, 7, 64, 10_000])
def test_any_cut_of_the_stream_reads_the_same(step: int) -> None:
    def pieces(head: bytes) -> Iterator[bytes]:
        stream = head + TEXT
        yield from (stream[at : at + step] for at in range(0, len(stream), step))

    async def scenario() -> None:
        async with raw_server(pieces) as url, opened(url) as socket:
            assert [await socket.next_frame() for _ in range(3)] == [b"hello", b"y" * 128, b"abc"]
            socket.transport.abort()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(b"\x81\x85maskhello", id="masked by the server"),
        pytest.param(b"\xc1\x05hello", id="reserved bit"),
        pytest.param(b"\x83\x05hello", id="reserved opcode"),
        pytest.param(b"\x81\x7f" + (2**62).to_bytes(8, "big") + b"x" * (FRAME_MAX_BYTES + 1), id="endless"),
    ],
)
def test_an_illegal_frame_ends_the_connection(frame: bytes) -> None:
    async def scenario() -> None:
        async with raw_server(lambda head: iter((head, frame))) as url, opened(url) as socket:
            with pytest.raises(ConnectionClosed):
                async with asyncio.timeout(5):
                    await socket.next_frame()

    asyncio.run(scenario())


def test_a_refused_handshake_is_the_librarys_own_error() -> None:
    def pieces(_head: bytes) -> Iterator[bytes]:
        yield b"HTTP/1.1 401 Unauthorized\r\nContent-"
        yield b"Length: 2\r\n\r\nno"

    async def scenario() -> None:
        async with raw_server(pieces) as url:
            with pytest.raises(InvalidStatus) as caught:
                await connect(url, create_connection=FrameSocket)
            assert caught.value.response.status_code == 401

    asyncio.run(scenario())
