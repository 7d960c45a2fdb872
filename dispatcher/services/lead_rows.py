"""A batch of leads, each row judged by itself: bad rows are reported, the others saved.

Rows that were refused while being parsed come with their faults; numbers are judged here. Of rows with the same number
the last one wins.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from dispatcher.rules.numbers import dialable
from dispatcher.services.renew import MENDED_BY_PLACE, renew
from dispatcher.store.db import Tx
from dispatcher.store.lead_batches import LeadRow, SavedRow, save_leads
from schema.leads import BulkMode, CreateLead, RowFate, RowResult
from schema.problems import FieldFault


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that could not be read, with its faults."""

    faults: tuple[FieldFault, ...]


ParsedRow: TypeAlias = CreateLead | RefusedRow


def save_rows(tx: Tx, account_id: UUID, rows: Sequence[ParsedRow], mode: BulkMode) -> tuple[RowResult, ...]:
    """Save the good rows of a batch and tell of each row what became of it."""
    judged = [_judged(row) for row in rows]
    last = {row.phone_number: index for index, row in enumerate(judged) if isinstance(row, CreateLead)}
    distinct = [row for index in last.values() if isinstance(row := judged[index], CreateLead)]
    saved = save_leads(tx, account_id, [lead_row(row) for row in distinct], mode) if distinct else {}
    moved = [saved[row.phone_number].lead_id for row in distinct if row.timezone and saved[row.phone_number].updated]
    renew(tx, moved, MENDED_BY_PLACE)
    return tuple(
        RowResult(index=index, fate=RowFate.INVALID, lead_id=None, errors=row.faults)
        if isinstance(row, RefusedRow)
        else _result(index, saved[row.phone_number], counts=last[row.phone_number] == index)
        for index, row in enumerate(judged)
    )


def _result(index: int, saved: SavedRow, *, counts: bool) -> RowResult:
    if not counts:
        fate = RowFate.DUPLICATE
    elif saved.inserted:
        fate = RowFate.INSERTED
    else:
        fate = RowFate.UPDATED if saved.updated else RowFate.SKIPPED
    return RowResult(index=index, fate=fate, lead_id=saved.lead_id)


def lead_row(lead: CreateLead) -> LeadRow:
    """Write down what a request says of a person."""
    return LeadRow(
        phone_number=lead.phone_number,
        name=lead.name,
        email=lead.email,
        timezone=lead.timezone,
        external_id=lead.external_id,
        status=lead.status.value if lead.status else None,
        notes=lead.notes,
        tags=lead.tags,
        metadata=lead.metadata,
        do_not_call=lead.do_not_call,
    )


def number_fault(phone_number: str, path: str = "phone_number") -> FieldFault | None:
    """Tell what keeps a number from being dialled."""
    fault = dialable(phone_number)
    return None if fault is None else FieldFault(path=path, message=f"{fault}; check the number", code="invalid_number")


def _judged(row: ParsedRow) -> ParsedRow:
    if isinstance(row, RefusedRow):
        return row
    fault = number_fault(row.phone_number)
    return row if fault is None else RefusedRow((fault,))
