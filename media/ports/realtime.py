"""What a speech-to-speech model promises. Audio is mono mu-law, 8000 Hz."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from media.ports.language import ToolRequest


@dataclass(frozen=True, slots=True)
class RtSpeechStarted:
    """Server VAD heard the callee begin."""


@dataclass(frozen=True, slots=True)
class RtSpeechStopped:
    """Server VAD heard the callee end."""


@dataclass(frozen=True, slots=True)
class RtCalleeText:
    """Transcript of a callee turn; `item_id` orders it."""

    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class RtAudio:
    """Agent audio of an item, mu-law."""

    item_id: str
    audio: bytes


@dataclass(frozen=True, slots=True)
class RtAgentText:
    """More text of what the item says."""

    item_id: str
    text: str


@dataclass(frozen=True, slots=True)
class RtItemDone:
    """All audio and text of the item has been received."""

    item_id: str


@dataclass(frozen=True, slots=True)
class RtCommitted:
    """The callee's turn became a conversation item."""

    item_id: str


@dataclass(frozen=True, slots=True)
class RtResponseDone:
    """A response is over; `status` completed | cancelled | failed | incomplete, with its tool requests."""

    status: str
    tool_requests: tuple[ToolRequest, ...]
    detail: str = ""


RtEvent = (
    RtSpeechStarted | RtSpeechStopped | RtCommitted | RtCalleeText | RtAudio | RtAgentText | RtItemDone | RtResponseDone
)


class RealtimeModel(Protocol):
    """A speech-to-speech session of one call.

    The model answers the callee's turns by itself and stops by itself when the callee begins to speak. It keeps
    responses one at a time: what `greet`, `say` and `answer_tools` ask for waits until the running response is over.
    """

    async def open(self) -> None:
        """Connect, configure the session and wait until it is confirmed. Raises ProviderError."""

    def send_audio(self, audio: bytes) -> None:
        """Queue callee audio; bounded, oldest dropped and counted when the provider is slow."""

    async def greet(self, first_sentence: str | None) -> None:
        """Let the agent begin: say exactly the sentence, or open by itself when None."""

    async def end_turn(self) -> None:
        """Take what the callee has said so far as a turn: it is committed and written down, and not answered."""

    async def truncate(self, item_id: str, heard_ms: int) -> None:
        """Tell the model how much of the item was heard; what is left of its response is not yielded any more."""

    async def answer_tools(self, results: tuple[tuple[str, str], ...], *, respond: bool) -> None:
        """Give tool results as (request id, JSON text); ask for the next response when `respond`."""

    async def say(self, instructions: str) -> None:
        """Ask for one response following the instructions (goodbye, inactivity prompt)."""

    def events(self) -> AsyncIterator[RtEvent]:
        """Yield events until closed. Raises ProviderError when the provider fails."""

    async def close(self) -> None:
        """Close the session, within a second."""
