"""How a socket to OpenAI Realtime is opened, lost, watched and shut; what passes over it is the codec's.

The SDK finds the address and signs in. A refused key is told apart from every other fault, since it is never worth a
second try. Source: OpenAI, Realtime close codes as clients report them.
"""

import asyncio
from collections.abc import Callable
from functools import cache
from ssl import SSLContext, create_default_context
from typing import cast

from openai import OpenAIError
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.websocket_connection_options import WebSocketConnectionOptions
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from media.errors import ProviderError
from media.llm.client import openai_client
from media.realtime.frame_socket import FrameSocket
from media.realtime.server_frames import PROVIDER
from schema.outcomes import EndReason

_LOOKS = 5
_SHUT_S = 0.8
_AUTH_STATUSES = frozenset({401, 403})
_AUTH_CLOSE_CODES = frozenset({3000, 4001, 4003})


async def connect(base_url: str, api_key: str, model: str) -> FrameSocket:
    """Open a socket. Raises ProviderError."""
    client = openai_client(base_url, api_key)
    options: dict[str, object] = {"create_connection": FrameSocket, "compression": None}
    if client.base_url.scheme == "https":
        options["ssl"] = _trust()
    try:
        session = await client.realtime.connect(
            model=model, websocket_connection_options=cast("WebSocketConnectionOptions", options)
        ).enter()
    except InvalidStatus as error:
        status = error.response.status_code
        reason = EndReason.PROVIDER_AUTH if status in _AUTH_STATUSES else EndReason.PROVIDER_ERROR
        raise ProviderError(PROVIDER, f"handshake refused, HTTP {status}", reason) from error
    except (OSError, InvalidHandshake, EOFError) as error:
        detail = f"cannot connect: {type(error).__name__}"
        raise ProviderError(PROVIDER, detail, EndReason.PROVIDER_CLOSED) from error
    except OpenAIError as error:
        raise ProviderError(PROVIDER, type(error).__name__, EndReason.PROVIDER_ERROR) from error
    return _socket_of(session)


async def shut(socket: FrameSocket) -> None:
    """Close a socket, within a second."""
    try:
        async with asyncio.timeout(_SHUT_S):
            await socket.close()
    except (TimeoutError, ConnectionClosed, OSError):
        socket.transport.abort()


def closed_fault(error: ConnectionClosed) -> ProviderError:
    """Say why the other end closed."""
    code = error.rcvd.code if error.rcvd is not None else 1006
    said = error.rcvd.reason if error.rcvd is not None else "no close frame"
    refused = code in _AUTH_CLOSE_CODES or (code == 1008 and "api key" in said.lower())
    reason = EndReason.PROVIDER_AUTH if refused else EndReason.PROVIDER_CLOSED
    return ProviderError(PROVIDER, f"closed with {code}: {said[:100]}", reason)


def may_pass(error: BaseException) -> bool:
    """Tell whether a second try may succeed."""
    return isinstance(error, ProviderError) and error.end_reason is not EndReason.PROVIDER_AUTH


class StallWatch:
    """Cuts a socket that brings nothing while something is owed. One timer, nothing per frame.

    Args:
        is_owed: whether the other end owes us a frame.
        stall_s: longest silence meanwhile.
    """

    __slots__ = ("_is_owed", "_look_s", "_looks", "_loop", "_seen", "_socket", "_timer", "struck")

    def __init__(self, socket: FrameSocket, is_owed: Callable[[], bool], stall_s: float) -> None:
        self._socket = socket
        self._is_owed = is_owed
        self._loop = asyncio.get_running_loop()
        self._look_s = stall_s / _LOOKS
        self._looks = 0
        self._seen = socket.frames_received
        self.struck = False
        self._timer = self._loop.call_later(self._look_s, self._look)

    def _look(self) -> None:
        is_quiet = self._is_owed() and self._socket.frames_received == self._seen
        self._looks = self._looks + 1 if is_quiet else 0
        self._seen = self._socket.frames_received
        if self._looks >= _LOOKS:
            self.struck = True
            self._socket.transport.abort()
        else:
            self._timer = self._loop.call_later(self._look_s, self._look)

    def stop(self) -> None:
        """Watch no longer."""
        self._timer.cancel()


def _socket_of(session: AsyncRealtimeConnection) -> FrameSocket:
    return cast("FrameSocket", session._connection)  # noqa: SLF001 - the SDK parses every frame into objects


@cache
def _trust() -> SSLContext:
    """The trust store, loaded once: doing so for each socket would hold up every call of the process."""
    return create_default_context()
