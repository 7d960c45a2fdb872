"""Who is turned away from the simulated realtime model, and how its sessions end and break."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import connect as ws_connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from deploy.simulator.process import World, world_process


@asynccontextmanager
async def _raw(world: World, headers: dict[str, str]) -> AsyncIterator[Any]:
    url = world.openai_url.replace("http", "ws", 1) + "/realtime?model=gpt-realtime-2.1"
    async with ws_connect(url, additional_headers=headers, proxy=None) as socket:
        yield socket


async def _frames(socket: Any) -> AsyncIterator[str]:
    try:
        async for frame in socket:
            yield frame
    except ConnectionClosed:
        return


@pytest.mark.parametrize(
    ("headers", "said", "code"),
    [
        ({"Authorization": "Bearer sk-stolen"}, "invalid_api_key", 3000),
        ({"Authorization": "Bearer sk-simulated", "OpenAI-Beta": "realtime=v1"}, "beta_api_shape_disabled", 4000),
    ],
)
def test_wrong_keys_and_beta_clients_are_closed(world: World, headers: dict[str, str], said: str, code: int) -> None:
    async def run() -> None:
        async with _raw(world, headers) as socket:
            assert said in await socket.recv()
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == code

    asyncio.run(run())


def test_a_handshake_can_be_refused_and_a_session_broken(world: World) -> None:
    async def run() -> None:
        world.arm("openai_realtime", "connect", "refuse", status=503)
        with pytest.raises(InvalidStatus):
            async with _raw(world, {"Authorization": "Bearer sk-simulated"}):
                pass
        world.arm("openai_realtime", "session", "close", close_code=1011, text="server error")
        async with _raw(world, {"Authorization": "Bearer sk-simulated"}) as socket:
            async for _ in _frames(socket):
                pass
            assert (socket.close_code, socket.close_reason) == (1011, "server error")

    asyncio.run(run())


def test_a_session_ends_at_its_longest_duration() -> None:
    async def run(world: World) -> None:
        async with _raw(world, {"Authorization": "Bearer sk-simulated"}) as socket:
            seen = [frame async for frame in _frames(socket)]
            assert "session_expired" in seen[-1]
            assert socket.close_code == 1001

    with world_process(options=("--session-s", "0.2")) as world:
        asyncio.run(run(world))
