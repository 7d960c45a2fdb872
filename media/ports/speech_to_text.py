"""What a streaming recogniser promises. Audio is mono mu-law, 8000 Hz."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """The provider heard the callee begin to speak."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A transcript of the callee's current utterance; `final` segments do not change any more."""

    text: str
    final: bool


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The provider takes the callee's turn as over."""


SttEvent = SpeechStarted | Heard | SpeechEnded


class SpeechToText(Protocol):
    """A streaming recogniser of one call."""

    async def open(self) -> None:
        """Connect and authenticate. Raises ProviderError."""

    def send_audio(self, audio: bytes) -> None:
        """Queue callee audio; bounded, oldest dropped and counted when the provider is slow."""

    def events(self) -> AsyncIterator[SttEvent]:
        """Yield what was recognised until closed. Raises ProviderError when the provider fails."""

    async def close(self) -> None:
        """End the stream gracefully, within a second."""
