"""The cascade's voice: puts the audio of one reply at a time on the line.

A voice that is lost in the middle is opened once more per reply and given again what the callee cannot have heard.
Which reply is spoken, and when it is silenced, is decided in `cascade.py`.
"""

import asyncio

import structlog

from media.errors import ProviderError
from media.pipelines.pipeline import Conversation
from media.pipelines.reply import Reply
from media.ports import TextToSpeech
from schema.outcomes import EndReason

log = structlog.get_logger()


class Voice:
    """Speaks replies through a text-to-speech provider.

    Attributes:
        reply: the reply being spoken, or None.
    """

    def __init__(self, provider: TextToSpeech) -> None:
        self.reply: Reply | None = None
        self._provider = provider
        self._lock = asyncio.Lock()
        self._closing = False

    async def open(self) -> None:
        """Connect. Raises ProviderError."""
        await self._provider.open()

    async def close(self) -> None:
        """Close, within a second."""
        self._closing = True
        await self._provider.close()

    async def say(self, reply: Reply, sentence: str) -> None:
        """Speak one more sentence of the reply."""
        async with self._lock:
            reply.sentences.append(sentence)
            await self._provider.speak(sentence)

    async def finish(self, reply: Reply) -> None:
        """The reply is complete."""
        async with self._lock:
            reply.made = True
            if reply.sentences:
                await self._provider.finish()

    async def silence(self) -> None:
        """Forget the reply being spoken."""
        reply, self.reply = self.reply, None
        if reply is not None and reply.task is not None:
            reply.task.cancel()
        await self._provider.cancel()

    async def run(self, talk: Conversation) -> None:
        """Put audio on the line until closed. Raises ProviderError."""
        while True:
            try:
                await self._listen(talk)
            except ProviderError as error:
                await self._recover(error)
            else:
                if self._closing:
                    return
                raise ProviderError("text to speech", "the stream ended", EndReason.PROVIDER_CLOSED)

    async def _listen(self, talk: Conversation) -> None:
        async for audio in self._provider.audio():
            reply = self.reply
            if reply is None:
                continue
            if audio is None:
                talk.line.finish(reply.name)
            else:
                now = talk.clock.now()
                talk.latency.reached("first_audio", now)
                reply.received_bytes += len(audio)
                talk.line.play(reply.name, audio)

    async def _recover(self, error: ProviderError) -> None:
        reply = self.reply
        if error.end_reason is EndReason.PROVIDER_AUTH or reply is None or reply.revoiced:
            raise error
        log.warning("voice_reopened", provider=error.provider, reason=error.end_reason.value)
        reply.revoiced = True
        async with self._lock:
            await self._provider.open()
            for sentence in reply.unvoiced():
                await self._provider.speak(sentence)
            if reply.made:
                await self._provider.finish()
