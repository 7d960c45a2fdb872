"""Who wants to start calls now, and whose turn it is: bounded looks at the due indexes and the cursor of the ring.

Counts stop at what a tick could use, so a tick costs the same whether thousands or millions wait. Campaigns are asked
one by one, in scalar subqueries, which no planner turns into a join over all enrolments.
"""

from dataclasses import dataclass
from uuid import UUID

from dispatcher.store.db import Tx
from dispatcher.store.sql import sql

CLAIMER_LOCK = 0x636C61696D
CALLS_QUEUE = "calls"

_LOCK = sql("select pg_try_advisory_xact_lock(:key)")
_CURSOR = sql("select cursor from fair_turns where queue = :queue")
_KEEP_CURSOR = sql(
    "insert into fair_turns (queue, cursor) values (:queue, :cursor) on conflict (queue) do update set cursor = :cursor"
)
_CAMPAIGNS = sql("""
    with due as materialized (
        select m.account_id, m.id, m.policy_version_id, m.weight from campaigns m
        where m.status = 'running' and coalesce(
            (select 1 from enrolments e
                where e.campaign_id = m.id and e.state = 'pending' and e.next_due_at <= :now limit 1),
            (select 1 from enrolments e
                where e.campaign_id = m.id and e.state in ('due', 'retry_wait') and e.next_due_at <= :now limit 1)
        ) is not null
    )
    select m.account_id, m.id, m.policy_version_id, m.weight, fresh.due + returning_.due as due
    from due m
    cross join lateral (select count(*) as due from (
        select 1 from enrolments e
        where e.campaign_id = m.id and e.state = 'pending' and e.next_due_at <= :now limit :at_most
    ) f) fresh
    cross join lateral (select count(*) as due from (
        select 1 from enrolments e
        where e.campaign_id = m.id and e.state in ('due', 'retry_wait') and e.next_due_at <= :now limit :at_most
    ) r) returning_
    """)
_DIRECT = sql("""
    with recursive waiting as (
        (select account_id from calls
            where phase = 'scheduled' and enrolment_id is null order by account_id limit 1)
        union all
        select (select c.account_id from calls c
            where c.phase = 'scheduled' and c.enrolment_id is null and c.account_id > waiting.account_id
            order by c.account_id limit 1)
        from waiting where waiting.account_id is not null
    )
    select waiting.account_id, due.calls as due
    from waiting cross join lateral (select count(*) as calls from (
        select 1 from calls c
        where c.account_id = waiting.account_id and c.phase = 'scheduled' and c.enrolment_id is null
          and c.due_at <= :now limit :at_most
    ) d) due
    where waiting.account_id is not null and due.calls > 0
    """)


@dataclass(frozen=True, slots=True)
class DueCampaign:
    """A running campaign with enrolments that are due; `due` is counted up to the tick's limit only."""

    account_id: UUID
    campaign_id: UUID
    policy_version_id: UUID
    weight: int
    due: int


def lone_claimer(tx: Tx) -> bool:
    """Say whether this transaction alone may claim calls until its end; media slots are one for all accounts."""
    return bool(tx.connection.execute(_LOCK, {"key": CLAIMER_LOCK}).scalar_one())


def due_campaigns(tx: Tx, at_most: int) -> tuple[DueCampaign, ...]:
    """List running campaigns with something due."""
    rows = tx.connection.execute(_CAMPAIGNS, {"now": tx.now, "at_most": at_most})
    return tuple(DueCampaign(row.account_id, row.id, row.policy_version_id, row.weight, row.due) for row in rows)


def due_direct_calls(tx: Tx, at_most: int) -> dict[UUID, int]:
    """Count accepted calls outside campaigns that are due, per account, up to the tick's limit."""
    rows = tx.connection.execute(_DIRECT, {"now": tx.now, "at_most": at_most})
    return {row.account_id: row.due for row in rows}


def ring_cursor(tx: Tx) -> int:
    """Read where the ring of accounts was left."""
    return int(tx.connection.execute(_CURSOR, {"queue": CALLS_QUEUE}).scalar_one_or_none() or 0)


def keep_ring_cursor(tx: Tx, cursor: int) -> None:
    """Write where the ring of accounts was left."""
    tx.connection.execute(_KEEP_CURSOR, {"queue": CALLS_QUEUE, "cursor": cursor})
