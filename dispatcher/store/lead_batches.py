"""Saving many leads by number at once, in a fixed number of statements whatever the batch's size.

New numbers are inserted, known ones merged, replaced or left alone. Rows are taken in order of their number, so two
batches never wait for each other in a circle.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import assert_never
from uuid import UUID

from sqlalchemy import ARRAY, Boolean, ColumnElement, Text, and_, bindparam, case, func, literal_column, select, update
from sqlalchemy import column as given
from sqlalchemy.dialects.postgresql import JSONB, insert

from dispatcher.store.db import Tx
from schema.leads import BulkMode
from schema.states import LeadStatus
from schema.tables import leads


@dataclass(frozen=True, slots=True)
class LeadRow:
    """What a row says of a person; None means that it does not say."""

    phone_number: str
    name: str | None = None
    email: str | None = None
    timezone: str | None = None
    external_id: str | None = None
    status: str | None = None
    notes: str | None = None
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, object] = field(default_factory=dict)
    do_not_call: bool | None = None


@dataclass(frozen=True, slots=True)
class SavedRow:
    """The lead a row became; `updated` is False when it was inserted or left alone."""

    lead_id: UUID
    inserted: bool
    updated: bool


_ROWS = (
    func.jsonb_to_recordset(bindparam("rows", type_=JSONB))
    .table_valued(
        given("phone_number", Text),
        given("name", Text),
        given("email", Text),
        given("timezone", Text),
        given("external_id", Text),
        given("status", Text),
        given("notes", Text),
        given("tags", ARRAY(Text)),
        given("metadata", JSONB),
        given("do_not_call", Boolean),
        name="given",
    )
    .render_derived(name="given", with_types=True)
)
_COLUMNS = ("phone_number", "name", "email", "timezone", "external_id", "notes", "tags", "metadata")
_UNITED_TAGS: ColumnElement[object] = literal_column(
    "(select coalesce(array_agg(distinct tag order by tag), '{}') from unnest(leads.tags || given.tags) as tag)"
)
_CLOSED = (LeadStatus.CONVERTED.value, LeadStatus.UNSUBSCRIBED.value)


def save_leads(tx: Tx, account_id: UUID, rows: Sequence[LeadRow], mode: BulkMode) -> dict[str, SavedRow]:
    """Save rows of distinct numbers and return, by number, the lead each became."""
    ordered = sorted(rows, key=lambda row: row.phone_number)
    inserted = _insert(tx, account_id, ordered)
    known = [row for row in ordered if row.phone_number not in inserted]
    saved = {number: SavedRow(lead_id, inserted=True, updated=False) for number, lead_id in inserted.items()}
    if known:
        found = _lock(tx, account_id, known)
        changes = mode is not BulkMode.SKIP
        if changes:
            _update(tx, account_id, known, mode)
        saved |= {number: SavedRow(lead_id, inserted=False, updated=changes) for number, lead_id in found.items()}
    return saved


def _insert(tx: Tx, account_id: UUID, rows: Sequence[LeadRow]) -> dict[str, UUID]:
    status = func.coalesce(_ROWS.c.status, LeadStatus.NEW.value)
    values = select(
        bindparam("owner_id", account_id, type_=leads.c.account_id.type),
        *(_ROWS.c[name] for name in _COLUMNS),
        status,
        func.coalesce(_ROWS.c.do_not_call, False),
    ).order_by(_ROWS.c.phone_number)
    names = ["account_id", *_COLUMNS, "status", "do_not_call"]
    query = insert(leads).from_select(names, values)
    query = query.on_conflict_do_nothing(index_elements=["account_id", "phone_number"])
    made = tx.connection.execute(query.returning(leads.c.phone_number, leads.c.id), _parameters(rows))
    return {number: lead_id for number, lead_id in made}  # noqa: C416 rows are not a dict's items to mypy


def _lock(tx: Tx, account_id: UUID, rows: Sequence[LeadRow]) -> dict[str, UUID]:
    query = (
        select(leads.c.phone_number, leads.c.id)
        .where(leads.c.account_id == account_id, leads.c.phone_number.in_([row.phone_number for row in rows]))
        .order_by(leads.c.phone_number)
        .with_for_update(key_share=True)
    )
    return {number: lead_id for number, lead_id in tx.connection.execute(query)}  # noqa: C416 idem


def _update(tx: Tx, account_id: UUID, rows: Sequence[LeadRow], mode: BulkMode) -> None:
    status = case(
        (and_(leads.c.status.in_(_CLOSED), _ROWS.c.status == LeadStatus.CONTACTED.value), leads.c.status),
        else_=func.coalesce(_ROWS.c.status, leads.c.status),
    )
    query = (
        update(leads)
        .where(leads.c.account_id == account_id, leads.c.phone_number == _ROWS.c.phone_number)
        .values(
            **_changes(mode),
            status=status,
            do_not_call=func.coalesce(_ROWS.c.do_not_call, leads.c.do_not_call),
            updated_at=tx.now,
        )
    )
    tx.connection.execute(query, _parameters(rows))


def _changes(mode: BulkMode) -> dict[str, ColumnElement[object]]:
    plain = ("name", "email", "timezone", "external_id", "notes")
    match mode:
        case BulkMode.MERGE:
            merged: dict[str, ColumnElement[object]] = {
                name: func.coalesce(_ROWS.c[name], leads.c[name]) for name in plain
            }
            return {**merged, "tags": _UNITED_TAGS, "metadata": leads.c.metadata.op("||")(_ROWS.c.metadata)}
        case BulkMode.REPLACE:
            return {name: _ROWS.c[name] for name in (*plain, "tags", "metadata")}
        case BulkMode.SKIP:
            return {}
        case _:
            assert_never(mode)


def _parameters(rows: Sequence[LeadRow]) -> dict[str, object]:
    return {"rows": [asdict(row) for row in rows]}
