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
from schema.leads import BulkMode, CreateLead, RowFault
from schema.problems import FieldFault


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that could not be read, with its faults."""

    faults: tuple[FieldFault, ...]


ParsedRow: TypeAlias = CreateLead | RefusedRow


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of a batch; `saved` holds, per row, the lead it is about, None for a refused row."""

    saved: tuple[SavedRow | None, ...]
    duplicates: int
    faults: tuple[RowFault, ...]

    @property
    def invalid(self) -> int:
        """Count the refused rows."""
        return sum(1 for row in self.saved if row is None)

    @property
    def lead_ids(self) -> tuple[UUID | None, ...]:
        """List the leads in order of the rows."""
        return tuple(None if row is None else row.lead_id for row in self.saved)


def save_rows(tx: Tx, account_id: UUID, rows: Sequence[ParsedRow], mode: BulkMode) -> Batch:
    """Save the good rows of a batch."""
    judged = [_judged(row) for row in rows]
    good = [row for row in judged if isinstance(row, CreateLead)]
    distinct = {row.phone_number: lead_row(row) for row in good}
    saved = save_leads(tx, account_id, tuple(distinct.values()), mode) if distinct else {}
    moved = [saved[row.phone_number].lead_id for row in good if row.timezone and saved[row.phone_number].updated]
    renew(tx, moved, MENDED_BY_PLACE)
    return Batch(
        saved=tuple(saved[row.phone_number] if isinstance(row, CreateLead) else None for row in judged),
        duplicates=len(good) - len(distinct),
        faults=tuple(
            RowFault(index=index, path=fault.path, message=fault.message, code=fault.code)
            for index, row in enumerate(judged)
            if isinstance(row, RefusedRow)
            for fault in row.faults
        ),
    )


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
