"""Lists over HTTP: one page shape, one way to ask for the next.

A cursor is opaque to the caller; what it holds is decided in `dispatcher.services.cursors`.
"""

from typing import Generic, TypeVar

from pydantic import Field

from schema.wire import Wire

Row = TypeVar("Row")

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


class PageQuery(Wire):
    """How much of a list to send, and from where."""

    limit: int = Field(default=DEFAULT_LIMIT, ge=1, le=MAX_LIMIT, description="rows per page")
    cursor: str | None = Field(
        default=None, min_length=1, max_length=500, description="next_cursor of the page before; omit for the first"
    )


class Page(Wire, Generic[Row]):
    """One page of a list, newest first. `next_cursor` is None on the last page."""

    data: tuple[Row, ...]
    has_more: bool
    next_cursor: str | None
