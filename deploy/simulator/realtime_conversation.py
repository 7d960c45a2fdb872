"""The items of a realtime conversation: messages, function calls and their outputs, in order. No I/O.

Keeps for every assistant message how much audio was made of it, because a truncation may not ask for more, and what of
its words remains after one, because that is all the model remembers.
"""

from dataclasses import dataclass
from typing import Any, Final

from deploy.simulator.brain import Line
from deploy.simulator.realtime_session import ClientError

Json = dict[str, Any]

_KINDS: Final = frozenset({"message", "function_call", "function_call_output"})
_ROLES: Final = frozenset({"system", "user", "assistant"})


@dataclass(slots=True)
class Item:
    """One item: its wire form, the words the model remembers, and the audio made of it."""

    body: Json
    text: str
    audio_ms: int = 0

    @property
    def id(self) -> str:
        """The item's id."""
        return str(self.body["id"])

    @property
    def line(self) -> Line | None:
        """The item as the brain sees it; None for one without words and for system messages."""
        match self.body["type"]:
            case "function_call":
                return Line("call", str(self.body["name"]))
            case "function_call_output":
                return Line("tool", self.text)
            case _ if self.body["role"] == "system" or not self.text:
                return None
            case _:
                return Line("assistant" if self.body["role"] == "assistant" else "user", self.text)


class Conversation:
    """All items of one session, in order."""

    def __init__(self) -> None:
        self._items: list[Item] = []

    @property
    def last_id(self) -> str | None:
        """The latest item's id."""
        return self._items[-1].id if self._items else None

    def lines(self) -> tuple[Line, ...]:
        """Return what the model remembers."""
        return tuple(line for item in self._items if (line := item.line) is not None)

    def system_text(self) -> str:
        """Return the latest system message, if the callee has not spoken since."""
        last = self._items[-1] if self._items else None
        is_system = last is not None and last.body["type"] == "message" and last.body["role"] == "system"
        return last.text if last is not None and is_system else ""

    def text_length(self) -> int:
        """Return how many characters the model reads of the conversation."""
        return sum(len(item.text) for item in self._items)

    def get(self, item_id: Any) -> Item:
        """Return an item.

        Raises:
            ClientError: there is none.
        """
        for item in self._items:
            if item.id == item_id:
                return item
        raise ClientError(f"Item with item_id '{item_id}' not found.", code="item_not_found", param="item_id")

    def add(self, item: Item, after_id: str | None = None) -> str | None:
        """Insert an item after another (`root`: first; None: last) and return the id before it.

        Raises:
            ClientError: the id is taken, or there is no such other item.
        """
        if any(each.id == item.id for each in self._items):
            raise ClientError(f"Item with id '{item.id}' already exists.", code="item_already_exists", param="item.id")
        at = len(self._items)
        if after_id is not None:
            at = 0 if after_id == "root" else self._items.index(self.get(after_id)) + 1
        self._items.insert(at, item)
        return self._items[at - 1].id if at else None

    def delete(self, item_id: Any) -> None:
        """Remove an item. Raises ClientError when there is none."""
        self._items.remove(self.get(item_id))

    def truncate(self, item_id: Any, content_index: Any, audio_end_ms: Any) -> None:
        """Forget what of an assistant's audio was not heard.

        Raises:
            ClientError: it is no assistant audio, or shorter than that.
        """
        item = self.get(item_id)
        if item.body.get("role") != "assistant" or content_index != 0:
            raise ClientError(
                "Only model output audio messages can be truncated", code="invalid_value", param="item_id"
            )
        if not isinstance(audio_end_ms, int) or audio_end_ms < 0:
            raise ClientError("Invalid 'audio_end_ms'.", code="invalid_value", param="audio_end_ms")
        if audio_end_ms > item.audio_ms:
            message = f"Audio content of {item.audio_ms}ms is already shorter than {audio_end_ms}ms"
            raise ClientError(message, code="invalid_value")
        kept = round(len(item.text) * audio_end_ms / item.audio_ms) if item.audio_ms else 0
        item.text = item.text[:kept]
        item.audio_ms = audio_end_ms
        item.body["content"] = [{"type": "output_audio", "transcript": None}]


def read_item(body: Any, item_id: str) -> Item:
    """Read an item a client created; `item_id` is used when it brings none.

    Raises:
        ClientError: it is no item.
    """
    if not isinstance(body, dict) or body.get("type") not in _KINDS:
        kind = body.get("type") if isinstance(body, dict) else None
        raise ClientError(f"Invalid value: '{kind}'.", code="invalid_value", param="item.type")
    item = {**body, "id": body.get("id") or item_id, "object": "realtime.item", "status": "completed"}
    if item["type"] == "function_call_output":
        return Item(_require(item, "call_id", "output"), str(item["output"]))
    if item["type"] == "function_call":
        return Item(_require(item, "call_id", "name", "arguments"), str(item.get("arguments")))
    if item.get("role") not in _ROLES:
        raise ClientError(f"Invalid value: '{item.get('role')}'.", code="invalid_value", param="item.role")
    parts = item.get("content") or []
    return Item(item, " ".join(str(part.get("text") or part.get("transcript") or "") for part in parts).strip())


def _require(item: Json, *names: str) -> Json:
    for name in names:
        if not isinstance(item.get(name), str):
            param = f"item.{name}"
            raise ClientError(f"Missing required parameter: '{param}'.", code="missing_required_parameter", param=param)
    return item
