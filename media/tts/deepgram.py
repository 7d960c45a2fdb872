"""A streaming voice of one call: Deepgram Aura-2 over the vendor's SDK.

Decides when a socket that Deepgram closed in a quiet moment is replaced: at the next sentence. A socket lost while
speaking is an error, since only the caller knows what was heard. Which audio counts is decided in the codec.
"""

import asyncio
from collections.abc import AsyncIterator

from media.errors import ProviderError
from media.stt.deepgram_socket import PROVIDER, DeepgramSocket, deepgram_client, open_socket
from media.tts.deepgram_codec import CLOSE, SpeakCodec
from schema.outcomes import EndReason

ANSWER_S = 8.0


class DeepgramTextToSpeech:
    """Speaks for one call; audio is mono mu-law, 8000 Hz.

    `open` may be called again after a failure: it forgets the utterance and starts afresh.

    Args:
        base_url: e.g. https://api.deepgram.com; the socket's address is derived from it.
        voice: an Aura-2 model such as aura-2-thalia-en.
        answer_s: longest silence while the provider owes the end of an utterance.
    """

    def __init__(self, *, base_url: str, api_key: str, voice: str, answer_s: float = ANSWER_S) -> None:
        self._base_url = base_url
        self._api_key = api_key
        self._voice = voice
        self._answer_s = answer_s
        self._codec = SpeakCodec()
        self._socket: DeepgramSocket | None = None
        self._changed = asyncio.Event()
        self._closing = False

    @property
    def is_connected(self) -> bool:
        """Whether there is a live socket."""
        return self._socket is not None and self._socket.is_open

    async def open(self) -> None:
        """Connect and sign in. Raises ProviderError."""
        lost, self._socket = self._socket, None
        if lost is not None:
            await lost.cut()
        context = deepgram_client(self._base_url, self._api_key).speak.v1.connect(
            model=self._voice, encoding="mulaw", sample_rate=8000
        )
        socket = await open_socket(context)
        self._codec = SpeakCodec()
        self._socket = socket
        self._changed.set()

    async def speak(self, text: str) -> None:
        """Send one sentence of the current utterance. Raises ProviderError when no socket can be had."""
        if not self._codec.is_busy and (self._socket is None or not self._socket.is_open) and not self._closing:
            await self.open()
        self._send(self._codec.speak(text))

    async def finish(self) -> None:
        """The utterance is complete: flush, once Deepgram's budget of flushes allows."""
        loop = asyncio.get_running_loop()
        wait_s = self._codec.flush_wait_s(loop.time())
        if wait_s:
            await asyncio.sleep(wait_s)
        self._send(self._codec.flush(loop.time()))

    async def cancel(self) -> None:
        """Forget the current utterance; neither its audio nor its end is yielded afterwards."""
        self._send(self._codec.clear())

    async def audio(self) -> AsyncIterator[bytes | None]:
        """Yield mu-law audio as it arrives, and None at the end of each utterance that was not cancelled.

        Raises:
            ProviderError: The socket was lost while speaking, or the provider owed an answer for too long.
        """
        while not self._closing:
            socket = self._socket
            if socket is None:
                self._changed.clear()
                await self._changed.wait()
                continue
            try:
                message = await self._receive(socket)
            except ProviderError:
                if self._closing:
                    return
                if self._codec.is_busy:
                    raise
                await self._drop(socket)
                continue
            for piece in self._codec.receive(message):
                yield piece

    async def close(self) -> None:
        """End the stream gracefully, within a second."""
        self._closing = True
        self._changed.set()
        self._send(self._codec.clear())
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close(CLOSE)

    async def _receive(self, socket: DeepgramSocket) -> str | bytes:
        if not self._codec.is_owed:
            return await socket.receive()
        try:
            async with asyncio.timeout(self._answer_s):
                return await socket.receive()
        except TimeoutError as error:
            raise ProviderError(PROVIDER, "the voice fell silent", EndReason.PROVIDER_TIMEOUT) from error

    async def _drop(self, socket: DeepgramSocket) -> None:
        """Let go of a socket that was lost in a quiet moment, unless a sentence has replaced it already."""
        if self._socket is socket:
            self._socket = None
            await socket.cut()

    def _send(self, frame: str | None) -> None:
        if frame is not None and self._socket is not None:
            self._socket.send(frame)
