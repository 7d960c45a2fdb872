"""Cursors: where a list was left, as text the caller hands back unread.

A cursor that did not come from here is the caller's fault, not an empty list.
"""

import base64
import binascii
import json
from datetime import datetime
from uuid import UUID

from dispatcher.refusals import Faulty
from dispatcher.store.slices import Position, Slice
from schema.pages import PageQuery
from schema.problems import FieldFault


def slice_of(query: PageQuery) -> Slice:
    """Read which slice of a newest-first list is asked for.

    Raises:
        Faulty: the cursor is not one of ours.
    """
    if query.cursor is None:
        return Slice(query.limit)
    match _decoded(query.cursor):
        case [str(created_at), str(row_id)]:
            try:
                return Slice(query.limit, Position(datetime.fromisoformat(created_at), UUID(row_id)))
            except ValueError:
                raise _not_ours() from None
        case _:
            raise _not_ours()


def sequence_of(query: PageQuery) -> int | None:
    """Read after which sequence number a list in order of entry goes on.

    Raises:
        Faulty: the cursor is not one of ours.
    """
    if query.cursor is None:
        return None
    match _decoded(query.cursor):
        case [int(seq)] if 0 <= seq < 2**63:
            return seq
        case _:
            raise _not_ours()


def cursor_at(position: Position) -> str:
    """Write a position in a newest-first list."""
    return _encoded([position.created_at.isoformat(), str(position.row_id)])


def cursor_after(seq: int) -> str:
    """Write a position in a list in order of entry."""
    return _encoded([seq])


def _encoded(parts: list[str] | list[int]) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def _decoded(cursor: str) -> object:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        decoded: object = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):
        raise _not_ours() from None
    return decoded


def _not_ours() -> Faulty:
    return Faulty(FieldFault(path="cursor", message="Not a cursor of this list; use next_cursor of the page before"))
