"""Leads, one at a time or many at once: saved by number, read, changed.

A lead's status never goes from Converted or Unsubscribed back to Contacted. Lifting do_not_call also lifts the status
Unsubscribed, for both say the same.
"""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from dispatcher.refusals import Conflict, Faulty, Missing
from dispatcher.services.cursors import cursor_at, slice_of
from dispatcher.services.lead_rows import ParsedRow, lead_row, number_fault, save_rows
from dispatcher.services.lead_views import lead_view, saved_view
from dispatcher.services.renew import MENDED_BY_CONSENT, MENDED_BY_PLACE, renew
from dispatcher.store.db import Database, Tx
from dispatcher.store.lead_batches import save_leads
from dispatcher.store.leads import (
    LeadFilter,
    StoredLead,
    change_lead,
    find_lead,
    list_leads,
    number_taken,
)
from dispatcher.store.slices import Position
from schema.leads import (
    BulkMode,
    BulkResult,
    CreateLead,
    Lead,
    LeadQuery,
    PatchLead,
    RowFate,
    SavedLead,
)
from schema.pages import Page
from schema.problems import ProblemCode
from schema.states import LeadStatus

_CLOSED = frozenset({LeadStatus.CONVERTED, LeadStatus.UNSUBSCRIBED})


def save_lead(tx: Tx, account_id: UUID, body: CreateLead) -> SavedLead:
    """Create a lead, or merge the given fields into the one with the same number.

    Raises:
        Faulty: the number cannot be dialled.
    """
    fault = number_fault(body.phone_number)
    if fault is not None:
        raise Faulty(fault)
    saved = save_leads(tx, account_id, (lead_row(body),), BulkMode.MERGE)[body.phone_number]
    if saved.updated and body.timezone:
        renew(tx, (saved.lead_id,), MENDED_BY_PLACE)
    return saved_view(_found(tx, account_id, saved.lead_id), existed=not saved.inserted)


def save_many(tx: Tx, account_id: UUID, rows: Sequence[ParsedRow], mode: BulkMode) -> BulkResult:
    """Save a batch of leads; a bad row does not fail the others."""
    results = save_rows(tx, account_id, rows, mode)
    fates = Counter(result.fate for result in results)
    return BulkResult(
        success=not fates[RowFate.INVALID],
        total_processed=len(results),
        inserted=fates[RowFate.INSERTED],
        updated=fates[RowFate.UPDATED],
        skipped=fates[RowFate.SKIPPED],
        duplicates=fates[RowFate.DUPLICATE],
        invalid=fates[RowFate.INVALID],
        results=results,
    )


def get_lead(db: Database, account_id: UUID, lead_id: UUID) -> Lead:
    """Read one lead.

    Raises:
        Missing: the account has no such lead.
    """
    with db.transaction() as tx:
        return lead_view(_found(tx, account_id, lead_id))


def find_page(db: Database, account_id: UUID, query: LeadQuery) -> Page[Lead]:
    """List the account's leads, newest first.

    Raises:
        Faulty: the cursor is not one of ours.
    """
    which = LeadFilter(query.phone, query.status, query.tag, query.external_id, query.updated_since)
    with db.transaction() as tx:
        found = list_leads(tx, account_id, which, slice_of(query))
    last = found.rows[-1] if found.more else None
    return Page[Lead](
        data=tuple(lead_view(lead) for lead in found.rows),
        has_more=found.more,
        next_cursor=cursor_at(Position(last.created_at, last.lead_id)) if last else None,
    )


def patch_lead(tx: Tx, account_id: UUID, lead_id: UUID, body: PatchLead) -> Lead:
    """Change the given fields of a lead; its enrolments follow.

    Raises:
        Missing: the account has no such lead.
        Faulty: the new number cannot be dialled.
        Conflict: another lead has the new number, or the status may not go back.
    """
    before = find_lead(tx, account_id, lead_id, lock=True)
    if before is None:
        raise Missing("Lead")
    changes = {name: _stored(getattr(body, name)) for name in body.model_fields_set}
    if body.phone_number is not None:
        _check_number(tx, before, body.phone_number)
    if body.status is LeadStatus.CONTACTED and before.status in _CLOSED:
        raise Conflict(
            f"A lead that is {before.status.value} cannot become Contacted again",
            before.status.value,
            ProblemCode.INVALID_STATE_TRANSITION,
        )
    if body.do_not_call is False and body.status is None and before.status is LeadStatus.UNSUBSCRIBED:
        changes["status"] = LeadStatus.NEW.value
    if body.status is LeadStatus.CONVERTED and before.converted_at is None:
        changes["converted_at"] = tx.now
    after = change_lead(tx, lead_id, changes)
    _renew_enrolments(tx, before, after)
    return lead_view(after)


def _renew_enrolments(tx: Tx, before: StoredLead, after: StoredLead) -> None:
    moved = (before.phone_number, before.timezone) != (after.phone_number, after.timezone)
    consents = _refuses(before) and not _refuses(after)
    if moved or consents:
        mended = (MENDED_BY_PLACE if moved else frozenset()) | (MENDED_BY_CONSENT if consents else frozenset())
        renew(tx, (after.lead_id,), mended)


def _refuses(lead: StoredLead) -> bool:
    return lead.do_not_call or lead.status is LeadStatus.UNSUBSCRIBED


def _check_number(tx: Tx, lead: StoredLead, phone_number: str) -> None:
    fault = number_fault(phone_number)
    if fault is not None:
        raise Faulty(fault)
    if number_taken(tx, lead.account_id, phone_number, but=lead.lead_id):
        raise Conflict("Another lead has this phone number", lead.status.value, ProblemCode.DUPLICATE_NUMBER)


def _stored(value: object) -> object:
    match value:
        case LeadStatus():
            return value.value
        case tuple():
            return list(value)
        case _:
            return value


def _found(tx: Tx, account_id: UUID, lead_id: UUID) -> StoredLead:
    lead = find_lead(tx, account_id, lead_id)
    if lead is None:
        raise Missing("Lead")
    return lead
