"""What a streaming voice promises. Audio is mono mu-law, 8000 Hz."""

from collections.abc import AsyncIterator
from typing import Protocol


class TextToSpeech(Protocol):
    """A streaming voice. One utterance (agent turn) at a time; `speak` may be called many times for one.

    After a failure `open` may be called again: the utterance is forgotten, and the voice begins afresh.
    """

    async def open(self) -> None:
        """Connect and authenticate. Raises ProviderError."""

    async def speak(self, text: str) -> None:
        """Queue one sentence of the current utterance."""

    async def finish(self) -> None:
        """The utterance is complete: flush."""

    async def cancel(self) -> None:
        """Forget the current utterance; neither its audio nor its end is yielded afterwards."""

    def audio(self) -> AsyncIterator[bytes | None]:
        """Yield mu-law audio as it arrives, and None at the end of each utterance. Raises ProviderError."""

    async def close(self) -> None:
        """End the stream gracefully, within a second."""
