"""The do-not-call list as the account keeps it.

Suppressing a number for good marks its lead as somebody not to be called, in the same transaction; taking it off the
list lifts that again, for it says that the person agreed.
"""

from uuid import UUID

from dispatcher.refusals import Faulty, Missing
from dispatcher.services.cursors import cursor_at, slice_of
from dispatcher.services.lead_rows import number_fault
from dispatcher.services.lead_views import suppression_view
from dispatcher.services.renew import MENDED_BY_CONSENT, renew
from dispatcher.store.db import Database, Tx
from dispatcher.store.leads import find_by_number, opt_in_number, opt_out_number
from dispatcher.store.slices import Position
from dispatcher.store.suppressions import list_suppressions, suppress, unsuppress
from schema.leads import CreateSuppression, Deleted, Suppression, SuppressionQuery
from schema.pages import Page
from schema.problems import FieldFault

SOURCE = "api"


def add_suppression(tx: Tx, account_id: UUID, body: CreateSuppression) -> tuple[Suppression, bool]:
    """Put a number on the list, or renew its row; True when it was not on it before.

    Raises:
        Faulty: the number cannot exist, or `until` has passed.
    """
    fault = number_fault(body.phone_number)
    if fault is not None:
        raise Faulty(fault)
    if body.until is not None and body.until <= tx.now:
        raise Faulty(FieldFault(path="until", message="Has passed already; give a later instant or leave it out"))
    if body.until is None:
        opt_out_number(tx, account_id, body.phone_number)
    row, is_new = suppress(tx, account_id, body.phone_number, source=SOURCE, reason=body.reason, until=body.until)
    return suppression_view(row), is_new


def remove_suppression(tx: Tx, account_id: UUID, suppression_id: UUID) -> Deleted:
    """Take a number off the list; its lead may be called again.

    Raises:
        Missing: the account has no such row.
    """
    row = unsuppress(tx, account_id, suppression_id)
    if row is None:
        raise Missing("Suppression")
    lead_id = (opt_in_number if row.until is None else find_by_number)(tx, account_id, row.phone_number)
    if lead_id is not None:
        renew(tx, (lead_id,), MENDED_BY_CONSENT)
    return Deleted()


def find_page(db: Database, account_id: UUID, query: SuppressionQuery) -> Page[Suppression]:
    """List the account's suppressed numbers, newest first.

    Raises:
        Faulty: the cursor is not one of ours.
    """
    with db.transaction() as tx:
        found = list_suppressions(tx, account_id, query.phone, slice_of(query))
    last = found.rows[-1] if found.more else None
    return Page[Suppression](
        data=tuple(suppression_view(row) for row in found.rows),
        has_more=found.more,
        next_cursor=cursor_at(Position(last.created_at, last.suppression_id)) if last else None,
    )
