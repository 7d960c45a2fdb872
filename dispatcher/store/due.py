"""Due enrolments with everything the rules must know about them, gathered in one statement per batch.

Rows another transaction holds are passed over. What the facts mean is decided in `dispatcher.rules.decide`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from dispatcher.rules.facts import History, LeadFacts
from dispatcher.rules.timing import UNANSWERED_OUTCOMES
from dispatcher.store.db import Tx
from dispatcher.store.sql import sql
from schema.outcomes import Outcome
from schema.states import EnrolmentState


class Kind(Enum):
    """Which part of a campaign's due enrolments. fresh: never called. returning: retries and explicit requests."""

    FRESH = "state = 'pending'"
    RETURNING = "state in ('due', 'retry_wait')"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One enrolment to be judged, locked until the end of the transaction.

    Attributes:
        scheduled_call_id: the accepted call that waits for it; None when a call is to be made up.
        attempt_number: the number its next call gets.
    """

    enrolment_id: UUID
    scheduled_call_id: UUID | None
    attempt_number: int
    lead: LeadFacts
    history: History


_FACTS = """
    e.id, e.lead_id, e.phone_number, e.zones, e.zone_source, e.state, e.attempts_used, e.refusals_used,
    e.last_outcome, e.next_due_at, e.callback_at,
    l.do_not_call or l.status = 'Unsubscribed' as opted_out,
    exists (
        select 1 from suppressions s
        where s.account_id = e.account_id and s.phone_number = e.phone_number
          and (s.until is null or s.until > :now)
    ) as suppressed,
    exists (
        select 1 from calls c where c.account_id = e.account_id and c.phone_number = e.phone_number and c.phase in $live
    ) as live_call,
    array(
        select c.dialing_at from calls c
        where c.account_id = e.account_id and c.phone_number = e.phone_number and c.dialing_at > :since
          and c.attempt_spent
        order by c.dialing_at
    ) as dials_at,
    case when e.last_call_id is null then '{}' else array(
        select c.outcome from calls c
        where c.enrolment_id = e.id and c.attempt_spent and c.outcome is not null order by c.attempt_number
    ) end as outcomes,
    case when e.last_call_id is null then '{}' else array(
        select c.dialing_at from calls c
        where c.enrolment_id = e.id and c.attempt_spent and c.outcome = any(:unanswered) order by c.attempt_number
    ) end as unanswered_at,
    case when e.last_call_id is null then 1 else 1 + coalesce((
        select max(c.attempt_number) from calls c where c.enrolment_id = e.id and c.attempt_spent
    ), 0) end as attempt_number,
    case when e.state <> 'due' then null else (
        select c.id from calls c
        where c.enrolment_id = e.id and c.attempt_spent and c.phase = 'scheduled' limit 1
    ) end as scheduled_call_id
"""

_DUE = {
    kind: sql(
        """
        with due as materialized (
            select * from enrolments
            where campaign_id = :campaign_id and $kind and next_due_at <= :now
              and id <> all(cast(:but as uuid[]))
            order by next_due_at, seq limit :at_most
            for update skip locked
        )
        select $facts from due e join leads l on l.id = e.lead_id order by e.next_due_at, e.seq
        """,
        kind=kind.value,
        facts=_FACTS,
    )
    for kind in Kind
}
_ONE = sql("select $facts from enrolments e join leads l on l.id = e.lead_id where e.id = :enrolment_id", facts=_FACTS)


def pick_due(
    tx: Tx, campaign_id: UUID, kind: Kind, *, at_most: int, lookback: timedelta, but: Sequence[UUID] = ()
) -> tuple[Candidate, ...]:
    """Lock a campaign's longest due enrolments, `but` those in hand, and gather their facts.

    Those another transaction holds are passed over.
    """
    parameters = {**_parameters(tx, lookback), "campaign_id": campaign_id, "at_most": at_most, "but": list(but)}
    return tuple(_candidate(row) for row in tx.connection.execute(_DUE[kind], parameters))


def candidate_of(tx: Tx, enrolment_id: UUID, lookback: timedelta) -> Candidate:
    """Gather the facts of one enrolment the caller has locked. `History.live_call` includes its own call."""
    parameters = {**_parameters(tx, lookback), "enrolment_id": enrolment_id}
    return _candidate(tx.connection.execute(_ONE, parameters).one())


def _parameters(tx: Tx, lookback: timedelta) -> dict[str, object]:
    unanswered = sorted(outcome.value for outcome in UNANSWERED_OUTCOMES)
    return {"now": tx.now, "since": tx.now - lookback, "unanswered": unanswered}


def _candidate(row: Row[Any]) -> Candidate:
    return Candidate(
        enrolment_id=row.id,
        scheduled_call_id=row.scheduled_call_id,
        attempt_number=row.attempt_number,
        lead=LeadFacts(
            lead_id=row.lead_id,
            phone_number=row.phone_number,
            zones=tuple(row.zones),
            zone_source=row.zone_source,
            opted_out=row.opted_out,
            suppressed=row.suppressed,
        ),
        history=History(
            state=EnrolmentState(row.state),
            attempts_used=row.attempts_used,
            refusals_used=row.refusals_used,
            last_outcome=Outcome(row.last_outcome) if row.last_outcome else None,
            next_due_at=row.next_due_at,
            callback_at=row.callback_at,
            live_call=row.live_call,
            dials_at=tuple(row.dials_at),
            outcomes=tuple(Outcome(outcome) for outcome in row.outcomes),
            unanswered_at=tuple(row.unanswered_at),
        ),
    )
