"""One session of OpenAI Realtime (GA) over the vendor's SDK.

Audio costs nothing but the frame: it is written straight to the SDK's websocket, without a task, a queue or a wait, and
received as raw bytes. When the provider reads too slowly the latest seconds are kept and sent as one frame once it
catches up. What frames mean is decided in the codec; when to speak or cut is decided by the caller.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import cache
from ssl import SSLContext, create_default_context
from typing import cast

from openai import OpenAIError
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.websocket_connection_options import WebSocketConnectionOptions
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.server import broadcast
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from media.errors import ProviderError
from media.llm.client import openai_client
from media.ports import RtEvent, ToolSpec
from media.realtime.client_frames import SessionSetup, append, session_update, verbatim
from media.realtime.server_frames import PROVIDER, RealtimeCodec
from media.stt.backlog import Backlog
from schema.outcomes import EndReason

OPEN_S = 8.0
STALL_S = 15.0
"""Longest silence while a response is owed."""
OUTPUT_LIMIT_BYTES = 64 * 1024
BACKLOG_FRAMES = 250
"""Five seconds of audio kept while the provider does not read."""
_CLOSE_S = 0.8
_AUTH_STATUSES = frozenset({401, 403})
_AUTH_CLOSE_CODES = frozenset({3000, 4001, 4003})


class OpenAIRealtime:
    """A speech-to-speech session of one call; audio both ways is mono mu-law, 8000 Hz.

    Args:
        base_url: e.g. https://api.openai.com/v1; the socket's address is derived from it.
        temperature: accepted for every pipeline; a GA session has no such setting, so it is not sent.
        transcribe_model: writes down what the callee says.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        model: str,
        voice: str,
        temperature: float,
        instructions: str,
        tools: tuple[ToolSpec, ...],
        transcribe_model: str,
    ) -> None:
        del temperature
        self._base_url = base_url
        self._api_key = api_key
        self._model = model
        self._setup = SessionSetup(voice, instructions, tools, transcribe_model)
        self._codec = RealtimeCodec()
        self._sdk: AsyncRealtimeConnection | None = None
        self._socket: ClientConnection | None = None
        self._closing = False
        self._backlog = Backlog(BACKLOG_FRAMES)

    @property
    def dropped_frames(self) -> int:
        """How many frames were given up because the provider did not read."""
        return self._backlog.dropped_frames

    async def open(self) -> None:
        """Connect, configure the session and wait until it is confirmed.

        Raises:
            ProviderError: The key is refused (never retried), or no session could be had in time.
        """
        tries = AsyncRetrying(
            retry=retry_if_exception(_may_pass), stop=stop_after_attempt(2), wait=wait_random(0.1, 0.4), reraise=True
        )
        try:
            async with asyncio.timeout(OPEN_S):
                await tries(self._connect)
                await self._configure()
        except TimeoutError as error:
            await self.close()
            raise ProviderError(PROVIDER, "no session in time", EndReason.PROVIDER_TIMEOUT) from error
        except ProviderError:
            await self.close()
            raise

    def send_audio(self, audio: bytes) -> None:
        """Send callee audio, at once where the provider reads; otherwise keep the latest five seconds."""
        socket = self._socket
        if socket is None:
            return
        if socket.transport.get_write_buffer_size() > OUTPUT_LIMIT_BYTES:
            self._backlog.keep(audio)
        else:
            broadcast((socket,), append(self._backlog.before(audio)))

    async def greet(self, first_sentence: str | None) -> None:
        """Let the agent begin: say exactly the sentence, or open by itself when None."""
        self._codec.ask(None if first_sentence is None else verbatim(first_sentence))
        self._flush()

    async def say(self, instructions: str) -> None:
        """Ask for one response following the instructions, on top of the session's own."""
        self._codec.ask({"instructions": f"{self._setup.instructions}\n\n{instructions}", "tool_choice": "none"})
        self._flush()

    async def truncate(self, item_id: str, heard_ms: int) -> None:
        """Tell the model how much of the item was heard; the rest of its response is not yielded any more."""
        self._codec.cut(item_id, heard_ms)
        self._flush()

    async def answer_tools(self, results: tuple[tuple[str, str], ...], *, respond: bool) -> None:
        """Give tool results as (request id, JSON text); ask for the next response when `respond`."""
        self._codec.give_results(results)
        if respond:
            self._codec.ask(None)
        self._flush()

    async def events(self) -> AsyncIterator[RtEvent]:
        """Yield events until closed.

        Raises:
            ProviderError: The provider failed, closed the session, or fell silent while it owed a response.
        """
        sdk = self._sdk
        if sdk is None:
            return
        while True:
            message = await self._next(sdk)
            if message is None:
                return
            found = self._codec.receive(message)
            self._flush()
            for event in found:
                yield event

    async def close(self) -> None:
        """Close the session, within a second."""
        self._closing = True
        sdk, self._sdk = self._sdk, None
        socket, self._socket = self._socket, None
        if sdk is None or socket is None:
            return
        try:
            async with asyncio.timeout(_CLOSE_S):
                await sdk.close()
        except (TimeoutError, ConnectionClosed, OSError):
            socket.transport.abort()

    async def _connect(self) -> None:
        client = openai_client(self._base_url, self._api_key)
        options = cast("WebSocketConnectionOptions", {"ssl": _trust()}) if client.base_url.scheme == "https" else {}
        try:
            sdk = await client.realtime.connect(model=self._model, websocket_connection_options=options).enter()
        except InvalidStatus as error:
            status = error.response.status_code
            reason = EndReason.PROVIDER_AUTH if status in _AUTH_STATUSES else EndReason.PROVIDER_ERROR
            raise ProviderError(PROVIDER, f"handshake refused, HTTP {status}", reason) from error
        except (OSError, InvalidHandshake, EOFError) as error:
            detail = f"cannot connect: {type(error).__name__}"
            raise ProviderError(PROVIDER, detail, EndReason.PROVIDER_CLOSED) from error
        except OpenAIError as error:
            raise ProviderError(PROVIDER, type(error).__name__, EndReason.PROVIDER_ERROR) from error
        self._sdk = sdk
        self._socket = sdk._connection  # noqa: SLF001 - the SDK's own send costs several times the frame

    async def _configure(self) -> None:
        """The server speaks first; the session may be changed only then."""
        sdk = self._sdk
        if sdk is None:
            return
        self._read(await self._receive(sdk))
        self._post(session_update(self._codec.next_event_id(), self._setup))
        while not self._codec.is_configured:
            self._read(await self._receive(sdk))

    def _read(self, message: bytes | None) -> None:
        if message is None:
            raise ProviderError(PROVIDER, "closed before the session began", EndReason.PROVIDER_CLOSED)
        self._codec.receive(message)

    async def _next(self, sdk: AsyncRealtimeConnection) -> bytes | None:
        if not self._codec.is_owed:
            return await self._receive(sdk)
        try:
            async with asyncio.timeout(STALL_S):
                return await self._receive(sdk)
        except TimeoutError as error:
            raise ProviderError(PROVIDER, "silent while it owed a response", EndReason.PROVIDER_TIMEOUT) from error

    async def _receive(self, sdk: AsyncRealtimeConnection) -> bytes | None:
        """Receive one frame; None once we closed the session."""
        try:
            return await sdk.recv_bytes()
        except ConnectionClosed as error:
            if self._closing:
                return None
            raise _closed(error) from error

    def _flush(self) -> None:
        for frame in self._codec.frames():
            self._post(frame)

    def _post(self, frame: str) -> None:
        """Write a frame; on a dead socket nothing happens here, for `events` is the one to say so."""
        if self._socket is not None:
            broadcast((self._socket,), frame)


def _closed(error: ConnectionClosed) -> ProviderError:
    code = error.rcvd.code if error.rcvd is not None else 1006
    said = error.rcvd.reason if error.rcvd is not None else "no close frame"
    refused = code in _AUTH_CLOSE_CODES or (code == 1008 and "api key" in said.lower())
    reason = EndReason.PROVIDER_AUTH if refused else EndReason.PROVIDER_CLOSED
    return ProviderError(PROVIDER, f"closed with {code}: {said[:100]}", reason)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, ProviderError) and error.end_reason is not EndReason.PROVIDER_AUTH


@cache
def _trust() -> SSLContext:
    """The trust store, loaded once: doing so for each socket would hold up every call of the process."""
    return create_default_context()
