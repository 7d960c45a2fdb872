"""One slice of a long list: newest first, from a position on.

A position is the creation instant and id of the last row of the slice before. Follows the list indexes on
(account_id, created_at, id).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import Select, Table, tuple_

Row = TypeVar("Row")
Queried = TypeVar("Queried", bound=tuple[Any, ...])


@dataclass(frozen=True, slots=True)
class Position:
    """Where a list was left."""

    created_at: datetime
    row_id: UUID


@dataclass(frozen=True, slots=True)
class Slice:
    """How much to read, and after which position."""

    limit: int
    after: Position | None = None


@dataclass(frozen=True, slots=True)
class Sliced(Generic[Row]):
    """The rows of one slice; `more` tells whether others follow."""

    rows: tuple[Row, ...]
    more: bool


def newest_first(query: Select[Queried], table: Table, slice_: Slice) -> Select[Queried]:
    """Order the query newest first and cut the slice out of it, with one row more to see whether others follow."""
    place = tuple_(table.c.created_at, table.c.id)
    if slice_.after is not None:
        query = query.where(place < tuple_(slice_.after.created_at, slice_.after.row_id))
    return query.order_by(table.c.created_at.desc(), table.c.id.desc()).limit(slice_.limit + 1)


def sliced(rows: Sequence[Row], limit: int) -> Sliced[Row]:
    """Take off the row beyond the limit, which tells of others."""
    return Sliced(tuple(rows[:limit]), len(rows) > limit)
