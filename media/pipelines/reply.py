"""One reply of the cascade while it is made: model text cut into sentences, sentences handed to the voice.

Knows how far it has come, so that a lost voice can be given again what the callee cannot have heard. Whether a reply is
wanted, and when it is silenced, is decided in `cascade.py`.
"""

import asyncio
from typing import Protocol

import structlog

from media.conversation.sentences import SentenceCutter
from media.errors import ProviderError
from media.ports import LanguageModel, Message, TextDelta, ToolRequest, ToolSpec
from schema.outcomes import EndReason

log = structlog.get_logger()

SLOW_MS_PER_CHAR = 80
"""Nobody speaks slower; a sentence counts as voiced only when its audio must be complete at this pace."""


class Reply:
    """One agent utterance in the making.

    Attributes:
        name: its name on the line and in the transcript.
        sentences: what was given to the voice.
        received_bytes: audio the voice gave, mono mu-law 8000 Hz.
        made: everything has been given to the voice.
        revoiced: the voice was lost once and given the rest again.
        task: makes it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.sentences: list[str] = []
        self.received_bytes = 0
        self.made = False
        self.revoiced = False
        self.task: asyncio.Task[None] | None = None

    @property
    def text(self) -> str:
        """All text given to the voice."""
        return " ".join(self.sentences)

    def unvoiced(self) -> list[str]:
        """Return the sentences whose audio may be missing or incomplete."""
        voiced_ms = self.received_bytes // 8
        for index, sentence in enumerate(self.sentences):
            voiced_ms -= len(sentence) * SLOW_MS_PER_CHAR
            if voiced_ms < 0:
                return self.sentences[index:]
        return []


class Speaker(Protocol):
    """Who takes what the model says."""

    def token(self) -> None:
        """The model gave more text."""

    async def say(self, sentence: str) -> None:
        """Speak a complete sentence."""


async def stream_reply(
    model: LanguageModel, messages: tuple[Message, ...], tools: tuple[ToolSpec, ...], speaker: Speaker
) -> tuple[str, tuple[ToolRequest, ...]]:
    """Stream one model reply sentence by sentence; return its text and the tools it asks for.

    A reply that fails before its first sentence is asked for once more, unless the key was refused.

    Raises:
        ProviderError: the model failed twice, in the middle, or refused the key.
    """
    spoken: list[str] = []
    try:
        return await _stream_once(model, messages, tools, speaker, spoken)
    except ProviderError as error:
        if spoken or error.end_reason is EndReason.PROVIDER_AUTH:
            raise
        log.warning("reply_asked_again", provider=error.provider, reason=error.end_reason.value)
    return await _stream_once(model, messages, tools, speaker, spoken)


async def _stream_once(
    model: LanguageModel,
    messages: tuple[Message, ...],
    tools: tuple[ToolSpec, ...],
    speaker: Speaker,
    spoken: list[str],
) -> tuple[str, tuple[ToolRequest, ...]]:
    cutter = SentenceCutter()
    requests: list[ToolRequest] = []
    async for event in model.reply(messages, tools):
        if isinstance(event, TextDelta):
            speaker.token()
            for sentence in cutter.feed(event.text):
                spoken.append(sentence)
                await speaker.say(sentence)
        else:
            requests.append(event)
    rest = cutter.rest()
    if rest:
        spoken.append(rest)
        await speaker.say(rest)
    return " ".join(spoken), tuple(requests)
