"""A live recogniser of one call: Deepgram Nova over the vendor's SDK.

Sends audio as it comes, keeps the socket alive through silence, and when it is lost opens another and sends again what
no final transcript covers, for a few seconds at most. What a turn is, is decided in the codec.
"""

import asyncio
from collections.abc import AsyncIterator
from math import inf

import structlog
from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_chain, wait_random

from media.errors import ProviderError
from media.ports import SttEvent
from media.stt.backlog import Backlog
from media.stt.deepgram_codec import CLOSE_STREAM, KEEP_ALIVE, ListenCodec
from media.stt.deepgram_socket import DeepgramSocket, deepgram_client, open_socket
from media.stt.replay import Replay
from schema.outcomes import EndReason

KEEP_ALIVE_LOOK_S = 2.0
"""Deepgram ends a socket after 10 s with neither audio nor a sign of life; this way none is older than 4 s."""
UTTERANCE_END_MS = 1000
OVERDUE_S = 3.0
"""A turn without news for this long has ended, though Deepgram did not say so."""
PROBE_S = 4.0
REPLAY_S = 5.0
REOPEN_S = 6.0
OUTPUT_LIMIT_BYTES = 64 * 1024
BACKLOG_FRAMES = 250

_log = structlog.get_logger()


class DeepgramSpeechToText:
    """Recognises one call; audio is mono mu-law, 8000 Hz.

    Args:
        base_url: e.g. https://api.deepgram.com; the socket's address is derived from it.
        language: BCP 47 tag or `multi`; None leaves the choice to the model.
        endpointing_ms: silence after which the provider takes a turn as over.
        probe_s: a socket that brings nothing for so long is asked for a sign of life, and given up when none comes.

    Attributes:
        sockets_opened: how many sockets this call has used so far.
    """

    def __init__(
        self,
        *,
        base_url: str,
        api_key: str,
        model: str,
        language: str | None,
        endpointing_ms: int,
        probe_s: float = PROBE_S,
    ) -> None:
        self._base_url = base_url
        self._api_key = api_key
        self._model = model
        self._language = language
        self._endpointing_ms = endpointing_ms
        self._probe_s = probe_s
        self._codec = ListenCodec()
        self._socket: DeepgramSocket | None = None
        self._backlog = Backlog(BACKLOG_FRAMES)
        self._replay = Replay(REPLAY_S)
        self._keep_alive: asyncio.TimerHandle | None = None
        self._is_silent = True
        self._closing = False
        self.sockets_opened = 0

    @property
    def dropped_frames(self) -> int:
        """How many frames were given up because the provider did not read."""
        return self._backlog.dropped_frames

    async def open(self) -> None:
        """Connect and sign in. Raises ProviderError."""
        self._socket = await self._connect()
        self._stay_alive()

    def send_audio(self, audio: bytes) -> None:
        """Send callee audio, at once where the provider reads; otherwise keep the latest five seconds."""
        self._is_silent = False
        socket = self._socket
        if socket is None:
            self._replay.keep(audio)
        elif socket.waiting_bytes > OUTPUT_LIMIT_BYTES:
            self._backlog.keep(audio)
        else:
            audio = self._backlog.before(audio)
            self._replay.keep(audio)
            socket.send(audio)

    async def events(self) -> AsyncIterator[SttEvent]:
        """Yield what was recognised until closed; a lost socket is replaced.

        Raises:
            ProviderError: It could not be replaced in time, or the key is refused.
        """
        codec, loop = self._codec, asyncio.get_running_loop()
        overdue_at = inf
        while not self._closing and self._socket is not None:
            try:
                message = await self._receive(self._socket, overdue_at)
                found = codec.overdue() if message is None else codec.receive(message)
            except ProviderError as fault:
                if self._closing:
                    return
                await self._reopen(fault)
                continue
            self._replay.heard_until(codec.heard_until_s)
            if found:
                overdue_at = loop.time() + OVERDUE_S if codec.is_open else inf
            for event in found:
                yield event

    async def close(self) -> None:
        """End the stream gracefully, within a second."""
        self._closing = True
        if self._keep_alive is not None:
            self._keep_alive.cancel()
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close(CLOSE_STREAM)

    async def _connect(self) -> DeepgramSocket:
        context = deepgram_client(self._base_url, self._api_key).listen.v1.connect(
            model=self._model,
            language=self._language,
            encoding="mulaw",
            sample_rate=8000,
            interim_results=True,
            endpointing=self._endpointing_ms,
            utterance_end_ms=UTTERANCE_END_MS,
            vad_events=True,
            smart_format=True,
        )
        socket = await open_socket(context)
        self.sockets_opened += 1
        return socket

    async def _receive(self, socket: DeepgramSocket, overdue_at: float) -> str | bytes | None:
        """Receive one frame, or None once the turn is overdue; a quiet socket is asked for signs of life."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout_at(min(overdue_at, loop.time() + self._probe_s)):
                    return await socket.receive()
            except TimeoutError:
                if loop.time() >= overdue_at:
                    return None
                await socket.probe()

    async def _reopen(self, fault: ProviderError) -> None:
        _log.warning("stt.socket_lost", detail=fault.detail)
        lost, self._socket = self._socket, None
        if lost is not None:
            await lost.cut()
        tries = AsyncRetrying(
            retry=retry_if_exception(_may_pass),
            stop=stop_after_delay(REOPEN_S),
            wait=wait_chain(wait_random(0.05, 0.15), wait_random(0.2, 0.4), wait_random(0.7, 1.3)),
            reraise=True,
        )
        socket: DeepgramSocket = await tries(self._connect)
        if self._closing:
            await socket.close(CLOSE_STREAM)
            return
        self._codec.restart()
        unheard = self._replay.restart()
        if unheard:
            socket.send(unheard)
        self._socket = socket

    def _stay_alive(self) -> None:
        """Send a sign of life when no audio went out since the last look."""
        if self._is_silent and self._socket is not None:
            self._socket.send(KEEP_ALIVE)
        self._is_silent = True
        self._keep_alive = asyncio.get_running_loop().call_later(KEEP_ALIVE_LOOK_S, self._stay_alive)


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, ProviderError) and error.end_reason is not EndReason.PROVIDER_AUTH
