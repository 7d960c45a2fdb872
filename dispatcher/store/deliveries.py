"""The webhook outbox: one row per event and URL, leased lane by lane.

A lane is one host of one account. A row waits (`pending`, `due_at`), is leased for a sender (`lease_until`), and is
settled once. Every lease raises `lease_token`, and a write under an old token changes nothing; a lease that runs out
makes the row due again, with the same event id. How wide a lane may be and when to try again is decided in `services`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, literal, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from dispatcher.store.db import Tx
from schema.events import DeliveryStatus, EventType
from schema.tables import accounts, deliveries

GONE_FOR = timedelta(hours=24)
"""How long nothing is sent to a URL after it answered 410."""

_GONE = "not sent: the receiver answered 410 before"
_LANES = text(
    """
    with recursive lane as (
        (select account_id, host from deliveries where status = 'pending' order by account_id, host limit 1)
        union all
        select later.account_id, later.host
        from lane cross join lateral (
            select d.account_id, d.host from deliveries d
            where d.status = 'pending' and (d.account_id, d.host) > (lane.account_id, lane.host)
            order by d.account_id, d.host limit 1
        ) later
    )
    select lane.account_id, lane.host, earliest.due_at,
        (select count(*) from deliveries d
         where d.status = 'pending' and d.account_id = lane.account_id and d.host = lane.host
           and d.lease_until > :now) as leased,
        exists (select 1 from deliveries d
         where d.status = 'pending' and d.account_id = lane.account_id and d.host = lane.host
           and d.tries > 0) as troubled
    from lane left join lateral (
        select d.due_at from deliveries d
        where d.status = 'pending' and d.account_id = lane.account_id and d.host = lane.host
          and d.due_at <= :now and (d.lease_until is null or d.lease_until <= :now)
        order by d.due_at, d.seq limit 1
    ) earliest on true
    """
)


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """An event for one URL; `dedupe_key` makes a repeat add nothing."""

    account_id: UUID
    call_id: UUID | None
    campaign_id: UUID | None
    event_type: EventType
    dedupe_key: str
    url: str
    payload: dict[str, object]


@dataclass(frozen=True, slots=True)
class Lane:
    """One host of one account with waiting rows.

    Attributes:
        due_at: when its earliest row that nobody holds became due; None when none is due.
        leased: rows held by senders.
        troubled: some row of it has been tried in vain.
    """

    account_id: UUID
    host: str
    due_at: datetime | None
    leased: int
    troubled: bool


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to send one delivery, while `token` is the row's."""

    delivery_id: UUID
    token: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A delivery in a sender's hands since `taken_at`. `tries` counts the earlier ones."""

    lease: Lease
    taken_at: datetime
    account_id: UUID
    host: str
    url: str
    event_type: EventType
    payload: dict[str, object]
    tries: int
    secret: str


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a try came to. `due_at` is the next try of a row that stays pending."""

    status: DeliveryStatus
    due_at: datetime | None
    status_code: int | None
    error: str | None


def host_of(url: str) -> str:
    """Name the host a URL points at, lower case; empty when the URL has none."""
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def add_deliveries(tx: Tx, new: Sequence[NewDelivery]) -> None:
    """Put events into the outbox; repeats are dropped, and a URL that answered 410 lately gets a disabled row."""
    for one in new:
        gone = _gone_lately(tx, one)
        statement = insert(deliveries).values(
            account_id=one.account_id,
            call_id=one.call_id,
            campaign_id=one.campaign_id,
            event_type=one.event_type,
            dedupe_key=one.dedupe_key,
            url=one.url,
            host=host_of(one.url),
            payload=one.payload,
            status=DeliveryStatus.DISABLED if gone else DeliveryStatus.PENDING,
            last_error=_GONE if gone else None,
            due_at=tx.now,
            created_at=tx.now,
        )
        tx.connection.execute(statement.on_conflict_do_nothing(index_elements=["dedupe_key"]))


def _gone_lately(tx: Tx, one: NewDelivery) -> bool:
    query = exists().where(
        deliveries.c.account_id == one.account_id,
        deliveries.c.url == one.url,
        deliveries.c.last_status_code == literal(410, literal_execute=True),
        deliveries.c.last_tried_at > tx.now - GONE_FOR,
    )
    return bool(tx.connection.execute(select(query)).scalar_one())


def lone_sweeper(tx: Tx) -> bool:
    """Say whether this transaction is the only one that sweeps the outbox now."""
    key = func.hashtext("trunkline.deliveries.sweep")
    return bool(tx.connection.execute(select(func.pg_try_advisory_xact_lock(key))).scalar_one())


def lanes(tx: Tx) -> tuple[Lane, ...]:
    """List every lane with waiting rows, at the cost of a few index look-ups each."""
    rows = tx.connection.execute(_LANES, {"now": tx.now})
    return tuple(Lane(row.account_id, row.host, row.due_at, row.leased, row.troubled) for row in rows)


def lease_of_lane(tx: Tx, account_id: UUID, host: str, *, limit: int, lease_s: int) -> tuple[Lease, ...]:
    """Lease up to `limit` due rows of a lane, the longest due first."""
    free = or_(deliveries.c.lease_until.is_(None), deliveries.c.lease_until <= tx.now)
    due = (
        select(deliveries.c.id)
        .where(
            deliveries.c.status == literal("pending", literal_execute=True),
            deliveries.c.account_id == account_id,
            deliveries.c.host == host,
            deliveries.c.due_at <= tx.now,
            free,
        )
        .order_by(deliveries.c.due_at, deliveries.c.seq)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    statement = (
        update(deliveries)
        .where(deliveries.c.id == due.c.id)
        .values(lease_token=deliveries.c.lease_token + 1, lease_until=tx.now + timedelta(seconds=lease_s))
        .returning(deliveries.c.id, deliveries.c.lease_token)
    )
    return tuple(Lease(row.id, row.lease_token) for row in tx.connection.execute(statement))


def begin(tx: Tx, lease: Lease, *, lease_s: int) -> Outgoing | None:
    """Take a leased row in hand under a fresh token; None when the lease is no longer good."""
    statement = (
        update(deliveries)
        .where(_held(lease), deliveries.c.lease_until > tx.now, accounts.c.id == deliveries.c.account_id)
        .values(lease_token=deliveries.c.lease_token + 1, lease_until=tx.now + timedelta(seconds=lease_s))
        .returning(deliveries, accounts.c.webhook_secret)
    )
    row = tx.connection.execute(statement).one_or_none()
    if row is None:
        return None
    return Outgoing(
        lease=Lease(row.id, row.lease_token),
        taken_at=tx.now,
        account_id=row.account_id,
        host=row.host,
        url=row.url,
        event_type=EventType(row.event_type),
        payload=row.payload,
        tries=row.tries,
        secret=row.webhook_secret,
    )


def take_of_lane(tx: Tx, account_id: UUID, host: str, *, lease_s: int) -> Outgoing | None:
    """Take the longest due row of a lane in hand; None when none is due."""
    leased = lease_of_lane(tx, account_id, host, limit=1, lease_s=lease_s)
    return begin(tx, leased[0], lease_s=lease_s) if leased else None


def settle(tx: Tx, lease: Lease, settlement: Settlement) -> bool:
    """Write what a try came to; False, and nothing written, when the lease has passed to another."""
    values: dict[str, object] = {
        "status": settlement.status,
        "tries": deliveries.c.tries + 1,
        "lease_until": None,
        "last_tried_at": tx.now,
        "last_status_code": settlement.status_code,
        "last_error": settlement.error,
    }
    if settlement.due_at is not None:
        values["due_at"] = settlement.due_at
    if settlement.status is DeliveryStatus.DELIVERED:
        values["delivered_at"] = tx.now
    return tx.connection.execute(update(deliveries).where(_held(lease)).values(values)).rowcount == 1


def disable_url(tx: Tx, account_id: UUID, url: str) -> int:
    """Give up every waiting delivery of an account to a URL that is gone; rows just being written are passed over."""
    waiting = (
        select(deliveries.c.id)
        .where(
            deliveries.c.status == literal("pending", literal_execute=True),
            deliveries.c.account_id == account_id,
            deliveries.c.host == host_of(url),
            deliveries.c.url == url,
        )
        .with_for_update(skip_locked=True)
        .cte("waiting")
    )
    statement = (
        update(deliveries)
        .where(deliveries.c.id == waiting.c.id)
        .values(status=DeliveryStatus.DISABLED, lease_until=None, last_error=_GONE)
    )
    return tx.connection.execute(statement).rowcount


def _held(lease: Lease) -> ColumnElement[bool]:
    return and_(
        deliveries.c.id == lease.delivery_id,
        deliveries.c.lease_token == lease.token,
        deliveries.c.status == DeliveryStatus.PENDING,
    )
