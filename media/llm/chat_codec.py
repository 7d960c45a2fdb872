"""Chat completions, streamed: requests out, and a tolerant reading of the chunks. No I/O.

Text goes out as it comes; a tool call only when the stream says that it is complete, never from a stream that broke.
Compatible servers leave out indexes, repeat ids, send a call in one piece or its arguments as an object: all of that
reads the same. Source: OpenAI, chat completion chunks.
"""

from dataclasses import dataclass

import orjson
import structlog

from media.errors import ProviderError
from media.ports import Message, ReplyEvent, TextDelta, ToolRequest, ToolSpec
from schema.outcomes import EndReason

PROVIDER = "chat"
_DATA = "data:"
_DONE = "[DONE]"

_log = structlog.get_logger()


def request_messages(messages: tuple[Message, ...]) -> list[dict[str, object]]:
    """Write the conversation as the API takes it."""
    return [_message(message) for message in messages]


def _message(message: Message) -> dict[str, object]:
    written: dict[str, object] = {"role": message.role, "content": message.text}
    if message.tool_id is not None:
        written["tool_call_id"] = message.tool_id
    if message.tool_requests:
        written["content"] = message.text or None
        written["tool_calls"] = [
            {
                "id": request.id,
                "type": "function",
                "function": {"name": request.name, "arguments": orjson.dumps(request.arguments).decode()},
            }
            for request in message.tool_requests
        ]
    return written


def request_tools(tools: tuple[ToolSpec, ...]) -> list[dict[str, object]]:
    """Write the tools as the API takes them."""
    return [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters},
        }
        for tool in tools
    ]


@dataclass(slots=True)
class _ToolParts:
    """A tool call being put together."""

    index: object
    id: str
    name: str
    arguments: str


class ReplyReader:
    """Reads the lines of one streamed reply.

    Attributes:
        has_begun: text or a piece of a tool call has come.
        is_over: the server said that the reply is complete.
    """

    __slots__ = ("_calls", "_cut_short", "has_begun", "is_over")

    def __init__(self) -> None:
        self.has_begun = False
        self.is_over = False
        self._calls: list[_ToolParts] = []
        self._cut_short = False

    def receive(self, line: str) -> tuple[ReplyEvent, ...]:
        """Read one line of the event stream; comments, blanks and malformed chunks are passed over.

        Raises:
            ProviderError: The server reports an error inside the stream.
        """
        if not line.startswith(_DATA):
            return ()
        data = line[len(_DATA) :].strip()
        if data == _DONE:
            self.is_over = True
            return ()
        try:
            return self._chunk(orjson.loads(data))
        except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
            _log.warning("chat.malformed_chunk", fault=type(error).__name__)
            return ()

    def tool_requests(self) -> tuple[ToolRequest, ...]:
        """Give the complete tool calls; none of a reply that ran into its length limit."""
        if self._cut_short:
            return ()
        return tuple(
            ToolRequest(call.id or f"call_{position}", call.name, _arguments(call.arguments))
            for position, call in enumerate(self._calls)
            if call.name
        )

    def _chunk(self, chunk: dict[str, object]) -> tuple[ReplyEvent, ...]:
        if chunk.get("error"):
            raise ProviderError(PROVIDER, str(chunk["error"])[:200], EndReason.PROVIDER_ERROR)
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices:
            return ()
        delta = choices[0].get("delta") or {}
        for part in delta.get("tool_calls") or ():
            self._assemble(part)
        finish = choices[0].get("finish_reason")
        if finish:
            self.is_over = True
            self._cut_short = finish == "length"
        text = delta.get("content") or delta.get("refusal")
        self.has_begun = self.has_begun or bool(text or self._calls)
        return (TextDelta(text),) if isinstance(text, str) and text else ()

    def _assemble(self, part: dict[str, object]) -> None:
        function = part.get("function")
        fields = function if isinstance(function, dict) else {}
        name, arguments = fields.get("name") or "", fields.get("arguments") or ""
        if not isinstance(arguments, str):
            arguments = orjson.dumps(arguments).decode()
        call = self._call_of(part.get("index"), str(part.get("id") or ""), str(name))
        call.arguments += arguments

    def _call_of(self, index: object, call_id: str, name: str) -> _ToolParts:
        """Find the call a fragment belongs to: by index, else by id, else the latest; a new id begins a new call."""
        for call in reversed(self._calls):
            same_index = index is None or call.index is None or call.index == index
            same_id = not call_id or not call.id or call.id == call_id
            if same_index and same_id:
                call.id, call.name = call.id or call_id, call.name or name
                return call
        call = _ToolParts(index, call_id, name, "")
        self._calls.append(call)
        return call


def _arguments(text: str) -> dict[str, object]:
    """Read a model's arguments; what is no JSON object reads as none, and the tool then says what it lacks."""
    try:
        arguments = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        _log.warning("chat.bad_tool_arguments")
        return {}
    return arguments if isinstance(arguments, dict) else {}
