"""What a session and a pipeline promise each other.

A pipeline is the agent: it hears callee audio, speaks through the line and says when the conversation is over. It
knows neither carrier nor recording. Its own tasks live inside `converse`, which is one task of the session's group.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from media.clock import Clock
from media.conversation.latency import LatencyBook
from media.conversation.transcript import Transcript
from media.line import Cut, Line
from schema.callspec import ToolCall
from schema.outcomes import EndReason


@dataclass(slots=True)
class Conversation:
    """One conversation as the session and its pipeline share it.

    Attributes:
        line: takes audio from the start; what is said before the answer is heard right after it.
        ringing: set when the callee's phone rings or has been answered.
        answered: set when the callee can hear the agent.
        answered_at: monotonic instant of the answer, valid once `answered` is set.
        end: tell the session that the agent is through and why; the last words have been heard.
        opted_out: the callee asked not to be called again.
    """

    line: Line
    clock: Clock
    end: Callable[[EndReason], None]
    transcript: Transcript = field(default_factory=Transcript)
    latency: LatencyBook = field(default_factory=LatencyBook)
    tool_calls: list[ToolCall] = field(default_factory=list)
    ringing: asyncio.Event = field(default_factory=asyncio.Event)
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    answered_at: float = 0.0
    opted_out: bool = False

    def ms_since_answer(self) -> int:
        """Return whole milliseconds since the answer, 0 before it."""
        return max(0, round((self.clock.now() - self.answered_at) * 1000)) if self.answered.is_set() else 0


class Pipeline(Protocol):
    """The agent of one call."""

    async def open(self) -> None:
        """Connect the providers. Raises ProviderError."""

    def callee_audio(self, audio: bytes) -> None:
        """Hear callee audio, normally one frame; must not block."""

    async def converse(self, conversation: Conversation) -> None:
        """Prepare the greeting while it rings, hold the conversation; return soon after `line_gone`.

        Raises:
            ExceptionGroup: of ProviderError, when the providers fail.
        """

    def wind_up(self, reason: EndReason) -> None:
        """Say goodbye, then end the conversation for this reason."""

    def line_gone(self, cuts: tuple[Cut, ...]) -> None:
        """The call is over: cut what was not heard, wait shortly for late transcripts, return from `converse`."""

    async def close(self) -> None:
        """Close the providers, within a second."""
