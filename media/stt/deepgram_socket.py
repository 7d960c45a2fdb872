"""One websocket of Deepgram, for listening or speaking, as its SDK opens it.

The SDK builds the address and signs in; frames go straight to its websocket without a coroutine each, and come back
unparsed. Faults are told apart here, once: a refused key is never worth a second try.
"""

import asyncio
import contextlib
from collections.abc import Awaitable
from contextlib import AbstractAsyncContextManager
from functools import cache

from deepgram import AsyncDeepgramClient
from deepgram.core.api_error import ApiError
from deepgram.environment import DeepgramClientEnvironment
from deepgram.listen.v1.socket_client import AsyncV1SocketClient as ListenSocket
from deepgram.speak.v1.socket_client import AsyncV1SocketClient as SpeakSocket
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.legacy.client import WebSocketClientProtocol
from websockets.legacy.protocol import broadcast

from media.errors import ProviderError
from schema.outcomes import EndReason

PROVIDER = "deepgram"
OPEN_S = 4.0
_CLOSE_S = 0.8
_AUTH_STATUSES = frozenset({401, 403})
SdkSocket = ListenSocket | SpeakSocket


@cache
def deepgram_client(base_url: str, api_key: str) -> AsyncDeepgramClient:
    """Get the client of an address such as https://api.deepgram.com; one serves all calls and loops.

    Only its addresses and headers are used: each websocket is opened on the running loop.
    """
    http, _, rest = base_url.rstrip("/").partition("://")
    sockets = f"{'wss' if http == 'https' else 'ws'}://{rest}"
    environment = DeepgramClientEnvironment(base=base_url, production=sockets, agent=sockets, agent_rest=base_url)
    return AsyncDeepgramClient(api_key=api_key, environment=environment)


class DeepgramSocket:
    """An open websocket. Make it with `open_socket`."""

    __slots__ = ("_context", "_pong", "_ws")

    def __init__(self, context: AbstractAsyncContextManager[SdkSocket], ws: WebSocketClientProtocol) -> None:
        self._context = context
        self._ws = ws
        self._pong: Awaitable[float] | None = None

    @property
    def is_open(self) -> bool:
        """Whether frames can still be sent."""
        return self._ws.open

    @property
    def waiting_bytes(self) -> int:
        """How much of what was sent the connection has not taken yet."""
        return self._ws.transport.get_write_buffer_size()

    def send(self, frame: str | bytes) -> None:
        """Write a text or binary frame; on a dead socket nothing happens, for `receive` is the one to say so."""
        broadcast((self._ws,), frame)

    async def receive(self) -> str | bytes:
        """Receive one frame, JSON text or audio. Cancelling loses nothing. Raises ProviderError once closed."""
        try:
            return await self._ws.recv()
        except ConnectionClosed as error:
            raise _closed(error) from error

    async def probe(self) -> None:
        """Ask the other end for a sign of life. Raises ProviderError when the last question was not answered."""
        if isinstance(self._pong, asyncio.Future) and not self._pong.done():
            raise ProviderError(PROVIDER, "no sign of life", EndReason.PROVIDER_TIMEOUT)
        try:
            self._pong = await self._ws.ping()
        except ConnectionClosed as error:
            raise _closed(error) from error

    async def close(self, farewell: str) -> None:
        """Say farewell, give the other end a moment to close, then close, within a second."""
        self.send(farewell)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S / 2):
                await self._ws.wait_closed()
        await self._leave()

    async def cut(self) -> None:
        """Drop a socket that is of no use any more."""
        self._ws.transport.abort()
        await self._leave()

    async def _leave(self) -> None:
        try:
            async with asyncio.timeout(_CLOSE_S / 2):
                await self._context.__aexit__(None, None, None)
        except (TimeoutError, WebSocketException, OSError):
            self._ws.transport.abort()


async def open_socket(context: AbstractAsyncContextManager[SdkSocket]) -> DeepgramSocket:
    """Open a socket through the SDK's connect.

    Raises:
        ProviderError: PROVIDER_AUTH when the key is refused, PROVIDER_TIMEOUT, or what else went wrong.
    """
    try:
        async with asyncio.timeout(OPEN_S):
            sdk = await context.__aenter__()
    except TimeoutError as error:
        raise ProviderError(PROVIDER, "no connection in time", EndReason.PROVIDER_TIMEOUT) from error
    except ApiError as error:
        reason = EndReason.PROVIDER_AUTH if error.status_code in _AUTH_STATUSES else EndReason.PROVIDER_ERROR
        raise ProviderError(PROVIDER, f"handshake refused, HTTP {error.status_code}", reason) from error
    except (OSError, WebSocketException, EOFError) as error:
        detail = f"cannot connect: {type(error).__name__}"
        raise ProviderError(PROVIDER, detail, EndReason.PROVIDER_CLOSED) from error
    return DeepgramSocket(context, sdk._websocket)  # noqa: SLF001 - the SDK parses every frame into objects


def _closed(error: ConnectionClosed) -> ProviderError:
    said = f"{error.rcvd.code}: {error.rcvd.reason[:100]}" if error.rcvd is not None else "no close frame"
    return ProviderError(PROVIDER, f"closed with {said}", EndReason.PROVIDER_CLOSED)
