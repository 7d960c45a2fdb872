"""One session of OpenAI Realtime (GA) over the vendor's SDK.

The SDK finds the address, signs in and opens the socket; frames then pass without a task, a queue or a wait each. When
the provider reads too slowly the latest seconds are kept and sent as one frame once it catches up. What frames mean is
decided in the codec; when to speak or cut is decided by the caller.
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
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from media.errors import ProviderError
from media.llm.client import openai_client
from media.ports import RtEvent, ToolSpec
from media.realtime.client_frames import SessionSetup, append, session_update, verbatim
from media.realtime.frame_socket import FrameSocket
from media.realtime.server_frames import PROVIDER, RealtimeCodec
from media.stt.backlog import Backlog
from schema.outcomes import EndReason

OPEN_S = 8.0
STALL_S = 15.0
OUTPUT_LIMIT_BYTES = 64 * 1024
BACKLOG_FRAMES = 250
"""Five seconds of audio kept while the provider does not read."""
_LOOKS = 5
_CLOSE_S = 0.8
_AUTH_STATUSES = frozenset({401, 403})
_AUTH_CLOSE_CODES = frozenset({3000, 4001, 4003})


class OpenAIRealtime:
    """A speech-to-speech session of one call; audio both ways is mono mu-law, 8000 Hz.

    Args:
        base_url: e.g. https://api.openai.com/v1; the socket's address is derived from it.
        temperature: accepted for every pipeline; a GA session has no such setting, so it is not sent.
        transcribe_model: writes down what the callee says.
        stall_s: longest silence while a response is owed.
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
        stall_s: float = STALL_S,
    ) -> None:
        del temperature
        self._base_url = base_url
        self._api_key = api_key
        self._model = model
        self._setup = SessionSetup(voice, instructions, tools, transcribe_model)
        self._codec = RealtimeCodec()
        self._socket: FrameSocket | None = None
        self._stall: _Stall | None = None
        self._stall_s = stall_s
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
                socket: FrameSocket = await tries(self._connect)
                self._socket = socket
                await self._configure(socket)
        except TimeoutError as error:
            await self.close()
            raise ProviderError(PROVIDER, "no session in time", EndReason.PROVIDER_TIMEOUT) from error
        except ProviderError:
            await self.close()
            raise
        self._stall = _Stall(socket, self._codec, self._stall_s)

    def send_audio(self, audio: bytes) -> None:
        """Send callee audio, at once where the provider reads; otherwise keep the latest five seconds."""
        socket = self._socket
        if socket is None:
            return
        if socket.waiting_bytes > OUTPUT_LIMIT_BYTES:
            self._backlog.keep(audio)
        else:
            socket.post(append(self._backlog.before(audio)))

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
        socket, codec = self._socket, self._codec
        if socket is None:
            return
        while True:
            try:
                found = codec.receive(await socket.next_frame())
            except ConnectionClosed as error:
                if self._closing:
                    return
                raise self._why_closed(error) from error
            if codec.has_frames:
                self._flush()
            for event in found:
                yield event

    async def close(self) -> None:
        """Close the session, within a second."""
        self._closing = True
        if self._stall is not None:
            self._stall.stop()
        socket, self._socket = self._socket, None
        if socket is None:
            return
        try:
            async with asyncio.timeout(_CLOSE_S):
                await socket.close()
        except (TimeoutError, ConnectionClosed, OSError):
            socket.transport.abort()

    async def _connect(self) -> FrameSocket:
        client = openai_client(self._base_url, self._api_key)
        options: dict[str, object] = {"create_connection": FrameSocket, "compression": None}
        if client.base_url.scheme == "https":
            options["ssl"] = _trust()
        try:
            session = await client.realtime.connect(
                model=self._model, websocket_connection_options=cast("WebSocketConnectionOptions", options)
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

    async def _configure(self, socket: FrameSocket) -> None:
        """The server speaks first; the session may be changed only then."""
        try:
            self._codec.receive(await socket.next_frame())
            socket.post(session_update(self._codec.next_event_id(), self._setup))
            while not self._codec.is_configured:
                self._codec.receive(await socket.next_frame())
        except ConnectionClosed as error:
            raise self._why_closed(error) from error

    def _flush(self) -> None:
        for frame in self._codec.frames():
            if self._socket is not None:
                self._socket.post(frame)

    def _why_closed(self, error: ConnectionClosed) -> ProviderError:
        if self._stall is not None and self._stall.struck:
            return ProviderError(PROVIDER, "silent while it owed a response", EndReason.PROVIDER_TIMEOUT)
        code = error.rcvd.code if error.rcvd is not None else 1006
        said = error.rcvd.reason if error.rcvd is not None else "no close frame"
        refused = code in _AUTH_CLOSE_CODES or (code == 1008 and "api key" in said.lower())
        reason = EndReason.PROVIDER_AUTH if refused else EndReason.PROVIDER_CLOSED
        return ProviderError(PROVIDER, f"closed with {code}: {said[:100]}", reason)


class _Stall:
    """Cuts the socket of a provider that owes a response and says nothing. One timer, nothing per frame."""

    __slots__ = ("_codec", "_look_s", "_looks", "_loop", "_seen", "_socket", "_timer", "struck")

    def __init__(self, socket: FrameSocket, codec: RealtimeCodec, stall_s: float) -> None:
        self._socket = socket
        self._codec = codec
        self._loop = asyncio.get_running_loop()
        self._look_s = stall_s / _LOOKS
        self._looks = 0
        self._seen = socket.frames_received
        self.struck = False
        self._timer = self._loop.call_later(self._look_s, self._look)

    def _look(self) -> None:
        is_quiet = self._codec.is_owed and self._socket.frames_received == self._seen
        self._looks = self._looks + 1 if is_quiet else 0
        self._seen = self._socket.frames_received
        if self._looks >= _LOOKS:
            self.struck = True
            self._socket.transport.abort()
        else:
            self._timer = self._loop.call_later(self._look_s, self._look)

    def stop(self) -> None:
        self._timer.cancel()


def _socket_of(session: AsyncRealtimeConnection) -> FrameSocket:
    return cast("FrameSocket", session._connection)  # noqa: SLF001 - the SDK parses every frame into objects


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, ProviderError) and error.end_reason is not EndReason.PROVIDER_AUTH


@cache
def _trust() -> SSLContext:
    """The trust store, loaded once: doing so for each socket would hold up every call of the process."""
    return create_default_context()
