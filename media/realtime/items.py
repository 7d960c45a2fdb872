"""What a realtime client must remember of the conversation's items. No I/O.

Audio received per item bounds a truncation; texts, cut to what was heard, are what a following session is told of this
one. Only the latest items are kept.
"""

from dataclasses import dataclass
from typing import Literal

from media.ports import BYTES_PER_MS

ITEMS_KEPT = 60

Role = Literal["user", "assistant"]


@dataclass(slots=True)
class Item:
    """One turn of either side; audio in bytes of mu-law at 8000 Hz."""

    role: Role
    text: str = ""
    response_id: str = ""
    received_bytes: int = 0
    is_done: bool = False


class Items:
    """The latest items, oldest first."""

    __slots__ = ("_items",)

    def __init__(self) -> None:
        self._items: dict[str, Item] = {}

    def callee(self, item_id: str) -> Item:
        """Get a callee's item, new or known."""
        return self._items.get(item_id) or self._add(item_id, Item("user"))

    def agent(self, item_id: str, response_id: str) -> Item:
        """Get an agent's item, new or known."""
        return self._items.get(item_id) or self._add(item_id, Item("assistant", response_id=response_id))

    def get(self, item_id: str) -> Item | None:
        """Get a known item."""
        return self._items.get(item_id)

    def cut(self, item_id: str, heard_ms: int) -> int | None:
        """Cut an item to what was heard, rounded down to what was received; None when there is nothing to cut.

        Its text is cut in proportion.
        """
        item = self._items.get(item_id)
        if item is None or item.received_bytes == 0:
            return None
        received_ms = item.received_bytes // BYTES_PER_MS
        if heard_ms >= received_ms and item.is_done:
            return None
        kept_ms = max(0, min(heard_ms, received_ms))
        item.text = item.text[: len(item.text) * kept_ms // max(1, received_ms)]
        return kept_ms

    def turns(self) -> tuple[tuple[Role, str], ...]:
        """Give what was said, in order."""
        return tuple((item.role, item.text) for item in self._items.values() if item.text)

    def _add(self, item_id: str, item: Item) -> Item:
        self._items[item_id] = item
        if len(self._items) > ITEMS_KEPT:
            del self._items[next(iter(self._items))]
        return item
