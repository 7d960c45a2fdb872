"""What the chat model is shown of a conversation: both sides' words, tools and their results.

The agent's words are what the callee heard of them, so the model never believes it said more. Pure.
"""

from media.ports import Message, ToolRequest


class History:
    """The messages of one call after the system prompt."""

    def __init__(self, system_prompt: str) -> None:
        self._system = Message("system", system_prompt)
        self._messages: list[Message] = []
        self._places: dict[str, list[int]] = {}

    def messages(self, instruction: str | None = None) -> tuple[Message, ...]:
        """Return everything for the next reply; the instruction holds for that reply only."""
        extra = (Message("system", instruction),) if instruction is not None else ()
        said = (message for message in self._messages if message.text or message.tool_requests)
        return (self._system, *said, *extra)

    def callee(self, text: str) -> None:
        """Add what the callee said."""
        self._messages.append(Message("user", text))

    def agent(self, reply: str, text: str) -> None:
        """Add what the agent says in a reply; a reply that uses tools may have several parts."""
        self._places.setdefault(reply, []).append(len(self._messages))
        self._messages.append(Message("assistant", text))

    def heard(self, reply: str, text: str) -> None:
        """Replace a reply by what was heard of it, which may be nothing."""
        places = self._places.pop(reply, [])
        if not places and text:
            self._messages.append(Message("assistant", text))
        for index, place in enumerate(places):
            self._messages[place] = Message("assistant", text if index == 0 else "")

    def tools(self, requests: tuple[ToolRequest, ...], results: tuple[tuple[str, str], ...]) -> None:
        """Add the tools the model asked for, and their results as (request id, JSON text)."""
        self._messages.append(Message("assistant", "", tool_requests=requests))
        self._messages.extend(Message("tool", text, tool_id=request_id) for request_id, text in results)
