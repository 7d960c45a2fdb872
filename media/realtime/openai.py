"""One call's speech-to-speech model: OpenAI Realtime (GA) over the vendor's SDK.

Frames pass without a task, a queue or a wait each. When the provider reads too slowly the latest seconds are kept and
sent as one frame once it catches up. A session may last an hour at most, so a long call moves on to a second one in a
quiet moment and tells it what was said. What frames mean is decided in the codec; when to speak or cut, by the caller.
"""

import asyncio
from collections.abc import AsyncIterator

import structlog
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random
from websockets.exceptions import ConnectionClosed

from media.errors import ProviderError
from media.ports import RtEvent, RtResponseDone, ToolSpec
from media.realtime.client_frames import SessionSetup, append, remember, session_update, verbatim
from media.realtime.frame_socket import FrameSocket
from media.realtime.link import StallWatch, closed_fault, connect, may_pass, shut
from media.realtime.server_frames import PROVIDER, RealtimeCodec
from media.stt.backlog import Backlog
from schema.outcomes import EndReason

OPEN_S = 8.0
STALL_S = 15.0
ROLL_OVER_S = 55 * 60.0
OUTPUT_LIMIT_BYTES = 64 * 1024
BACKLOG_FRAMES = 250
"""Five seconds of audio kept while the provider does not read."""

_log = structlog.get_logger()


class OpenAIRealtime:
    """A speech-to-speech model of one call; audio both ways is mono mu-law, 8000 Hz.

    Args:
        base_url: e.g. https://api.openai.com/v1; the socket's address is derived from it.
        temperature: accepted for every pipeline; a GA session has no such setting, so it is not sent.
        transcribe_model: writes down what the callee says.
        stall_s: longest silence while a response is owed.
        roll_over_s: age of a session from which the next quiet moment begins another.
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
        roll_over_s: float = ROLL_OVER_S,
    ) -> None:
        del temperature
        self._address = (base_url, api_key, model)
        self._setup = SessionSetup(voice, instructions, tools, transcribe_model)
        self._stall_s = stall_s
        self._roll_over_s = roll_over_s
        self._codec = RealtimeCodec()
        self._socket: FrameSocket | None = None
        self._watch: StallWatch | None = None
        self._roll_over_at = 0.0
        self._rolling = False
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
        self._take_over(await self._begin(self._codec))

    def send_audio(self, audio: bytes) -> None:
        """Send callee audio, at once where the provider reads; otherwise keep the latest five seconds."""
        socket = self._socket
        if socket is None:
            return
        if self._rolling or socket.waiting_bytes > OUTPUT_LIMIT_BYTES:
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

    async def end_turn(self) -> None:
        """Take what the callee has said so far as a turn: it is written down, and not answered."""
        self._codec.end_turn()
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
        while self._socket is not None:
            try:
                found = self._codec.receive(await self._socket.next_frame())
            except ConnectionClosed as error:
                if self._closing:
                    return
                raise self._lost(error) from error
            if self._codec.has_frames:
                self._flush()
            for event in found:
                yield event
                if isinstance(event, RtResponseDone):
                    await self._maybe_roll_over()

    async def close(self) -> None:
        """Close the session, within a second."""
        self._closing = True
        if self._watch is not None:
            self._watch.stop()
        socket, self._socket = self._socket, None
        if socket is not None:
            await shut(socket)

    async def _begin(self, codec: RealtimeCodec) -> FrameSocket:
        """Begin a session. Raises ProviderError."""
        try:
            async with asyncio.timeout(OPEN_S):
                return await self._connected(codec)
        except TimeoutError as error:
            raise ProviderError(PROVIDER, "no session in time", EndReason.PROVIDER_TIMEOUT) from error
        except ConnectionClosed as error:
            raise closed_fault(error) from error

    async def _connected(self, codec: RealtimeCodec) -> FrameSocket:
        """Connect, once more if that fails, and configure; a socket that comes to nothing is dropped."""
        tries = AsyncRetrying(
            retry=retry_if_exception(may_pass), stop=stop_after_attempt(2), wait=wait_random(0.1, 0.4), reraise=True
        )
        socket: FrameSocket = await tries(connect, *self._address)
        is_ready = False
        try:
            await self._configure(codec, socket)
            is_ready = True
        finally:
            if not is_ready:
                socket.transport.abort()
        return socket

    async def _configure(self, codec: RealtimeCodec, socket: FrameSocket) -> None:
        """The server speaks first; the session may be changed only then."""
        codec.receive(await socket.next_frame())
        socket.post(session_update(codec.next_event_id(), self._setup))
        while not codec.is_configured:
            codec.receive(await socket.next_frame())
        for role, text in codec.items.turns():
            socket.post(remember(codec.next_event_id(), role, text))

    def _take_over(self, socket: FrameSocket) -> None:
        codec = self._codec
        self._socket = socket
        self._watch = StallWatch(socket, lambda: codec.is_owed, self._stall_s)
        self._roll_over_at = asyncio.get_running_loop().time() + self._roll_over_s

    async def _maybe_roll_over(self) -> None:
        """Move on to another session when this one is old and nothing is going on in it."""
        old = self._socket
        is_due = asyncio.get_running_loop().time() >= self._roll_over_at
        if not is_due or not self._codec.is_quiet or old is None:
            return
        self._rolling = True
        try:
            await self._roll_over(self._codec)
        finally:
            self._rolling = False
        kept = self._backlog.before(b"")
        if kept and self._socket is not None:
            self._socket.post(append(kept))
        self._flush()
        if self._socket is not old:
            await shut(old)

    async def _roll_over(self, old_codec: RealtimeCodec) -> None:
        self._codec = codec = RealtimeCodec(old_codec.items)
        try:
            socket = await self._begin(codec)
        except ProviderError as fault:
            if codec.is_owed:
                raise
            _log.warning("realtime.roll_over_failed", reason=fault.end_reason.value)
            self._codec = old_codec
            self._roll_over_at += self._roll_over_s / 60
            return
        if self._closing:
            await shut(socket)
            return
        if self._watch is not None:
            self._watch.stop()
        self._take_over(socket)

    def _flush(self) -> None:
        if self._socket is None or self._rolling:
            return
        for frame in self._codec.frames():
            self._socket.post(frame)

    def _lost(self, error: ConnectionClosed) -> ProviderError:
        if self._watch is not None and self._watch.struck:
            return ProviderError(PROVIDER, "silent while it owed a response", EndReason.PROVIDER_TIMEOUT)
        return closed_fault(error)
