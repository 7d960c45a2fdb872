"""What a streaming chat model promises, and the tools it may ask for."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool the model may call; `parameters` is a JSON Schema object."""

    name: str
    description: str
    parameters: dict[str, object]


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """The model asks for a tool."""

    id: str
    name: str
    arguments: dict[str, object]


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More text of the reply."""

    text: str


ReplyEvent = TextDelta | ToolRequest


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of the conversation for the model: role system | user | assistant | tool."""

    role: str
    text: str
    tool_requests: tuple[ToolRequest, ...] = ()
    tool_id: str | None = None


class LanguageModel(Protocol):
    """A chat model that streams. Closing the iterator cancels generation."""

    def reply(self, messages: tuple[Message, ...], tools: tuple[ToolSpec, ...]) -> AsyncIterator[ReplyEvent]:
        """Stream the next reply. Raises ProviderError (auth, timeout of the first token, closed, error)."""
