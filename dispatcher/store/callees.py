"""The person of a call: what the agent is told of them, whether they may be called, and what a call leaves on them.

Locks follow the order suppression, lead, enrolment. Listing and changing leads for people is
`dispatcher.store.leads`.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from dispatcher.store.db import Tx
from dispatcher.store.sql import sql
from schema.states import LeadStatus

_SHARE = sql("select name, email, notes, status, metadata, do_not_call from leads where id = :lead_id for share")
_BARRED = sql("""
    select exists (
            select 1 from suppressions s
            where s.account_id = :account_id and s.phone_number = :phone_number
              and (s.until is null or s.until > :now)
        ) as suppressed,
        exists (
            select 1 from leads l
            where l.account_id = :account_id and l.phone_number = :phone_number
              and (l.do_not_call or l.status = 'Unsubscribed')
        ) as opted_out
    """)
_CALLED = sql("""
    update leads set attempts_total = attempts_total + :attempts, updated_at = :now,
        last_called_at = greatest(coalesce(last_called_at, :dialled_at), :dialled_at),
        status = case when :reached and status = 'New' then 'Contacted' else status end
    where id = :lead_id
    """)


@dataclass(frozen=True, slots=True)
class Callee:
    """A lead as the agent hears of it."""

    name: str | None
    email: str | None
    notes: str | None
    status: LeadStatus
    metadata: dict[str, object]


@dataclass(frozen=True, slots=True)
class Bars:
    """What keeps the account from calling a number at all."""

    suppressed: bool
    opted_out: bool


def share_callee(tx: Tx, lead_id: UUID) -> Callee:
    """Read a lead and keep it from changing until the commit; an opt-out waits, or has been seen."""
    row = tx.connection.execute(_SHARE, {"lead_id": lead_id}).one()
    return Callee(row.name, row.email, row.notes, LeadStatus(row.status), row.metadata)


def bars_of(tx: Tx, account_id: UUID, phone_number: str) -> Bars:
    """Read whether the number is suppressed, or belongs to a lead who asked not to be called."""
    parameters = {"account_id": account_id, "phone_number": phone_number, "now": tx.now}
    row = tx.connection.execute(_BARRED, parameters).one()
    return Bars(row.suppressed, row.opted_out)


def note_call(tx: Tx, lead_id: UUID, *, dialled_at: datetime, spent: bool, reached: bool) -> None:
    """Write on the lead that it was called; somebody reached for the first time becomes Contacted."""
    parameters = {
        "lead_id": lead_id,
        "dialled_at": dialled_at,
        "attempts": int(spent),
        "reached": reached,
        "now": tx.now,
    }
    tx.connection.execute(_CALLED, parameters)
