"""How many leads of a campaign lack a value for each variable its texts name.

Counted in the database, over every lead that may still be called. What a text names, and which values a campaign gives
itself, is decided in `dispatcher.services.prompts`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Text, and_, case, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from dispatcher.store.db import Tx
from schema.states import OPEN_ENROLMENTS
from schema.tables import enrolments, leads

LEAD_COLUMNS = {"name": leads.c.name, "email": leads.c.email, "notes": leads.c.notes, "status": leads.c.status}


@dataclass(frozen=True, slots=True)
class Lack:
    """A variable that `count` leads have no value for; `example` is one of them."""

    name: str
    count: int
    example: UUID


def count_leads(tx: Tx, campaign_id: UUID) -> int:
    """Count the leads of a campaign that may still be called."""
    query = select(func.count()).select_from(enrolments).where(*_callable(campaign_id))
    count: int = tx.connection.execute(query).scalar_one()
    return count


def lacking(
    tx: Tx, campaign_id: UUID, names: Sequence[str], lead_ids: Sequence[UUID] | None = None
) -> tuple[Lack, ...]:
    """Return the names for which leads of the campaign, or just the given ones, have no value."""
    if not names:
        return ()
    columns = [
        column
        for number, name in enumerate(names)
        for column in (
            func.count(case((_lacks(name), 1))).label(f"count_{number}"),
            func.min(case((_lacks(name), cast(leads.c.id, Text)))).label(f"example_{number}"),
        )
    ]
    query = (
        select(*columns)
        .select_from(enrolments.join(leads, leads.c.id == enrolments.c.lead_id))
        .where(*_callable(campaign_id))
    )
    if lead_ids is not None:
        query = query.where(enrolments.c.lead_id.in_(lead_ids))
    row = tx.connection.execute(query).mappings().one()
    return tuple(
        Lack(name, row[f"count_{number}"], UUID(row[f"example_{number}"]))
        for number, name in enumerate(names)
        if row[f"count_{number}"]
    )


def _callable(campaign_id: UUID) -> tuple[ColumnElement[bool], ...]:
    states = [state.value for state in OPEN_ENROLMENTS]
    return enrolments.c.campaign_id == campaign_id, enrolments.c.state.in_(states)


def _lacks(name: str) -> ColumnElement[bool]:
    path = cast(literal(name.split("."), ARRAY(Text)), ARRAY(Text))
    given = [leads.c.metadata.op("->>")(name).is_not(None), leads.c.metadata.op("#>>")(path).is_not(None)]
    if name in LEAD_COLUMNS:
        given.append(LEAD_COLUMNS[name].is_not(None))
    return and_(*(~one for one in given)) if len(given) > 1 else ~or_(*given)
