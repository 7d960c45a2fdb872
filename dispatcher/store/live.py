"""How much room there is for more calls, counted from live rows: media slots, caps of accounts and campaigns.

Capacity is never kept in a counter: what counts is how many rows are live, under which worker, and how many were
dialled in the last minute. A claimed call counts as a start that is still to come.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from dispatcher.store.db import Tx
from dispatcher.store.sql import sql

FRESH_HEARTBEAT = timedelta(seconds=15)
"""A media worker that has not been heard of for longer gets no calls."""
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

_MEDIA_SLOTS = sql("""
    with live as (select lease_owner, count(*) as calls from calls where phase in $live group by lease_owner)
    select coalesce((
            select sum(greatest(w.slots - coalesce(live.calls, 0), 0))
            from media_workers w left join live on live.lease_owner = w.id
            where w.heartbeat_at > :fresh_since and not w.draining
        ), 0) - coalesce((select calls from live where lease_owner is null), 0)
    """)
_ACCOUNTS = sql("""
    select a.id, a.from_number, a.max_concurrent_calls, a.max_calls_per_minute, live.calls, live.undialled,
        (select count(*) from calls c where c.account_id = a.id and c.dialing_at > :minute_ago) as dialled,
        coalesce((select available_s from quota_accounts q where q.account_id = a.id), 0) as available_s
    from accounts a cross join lateral (
        select count(*) as calls, count(*) filter (where lease_owner is null) as undialled
        from calls c where c.account_id = a.id and c.phase in $live
    ) live
    where a.id = any(:account_ids)
    """)
_CAMPAIGNS = sql("""
    select m.id, live.calls, live.undialled,
        (select count(*) from calls c where c.campaign_id = m.id and c.dialing_at > :minute_ago) as dialled,
        coalesce((select held_s + spent_s from campaign_spend s where s.campaign_id = m.id), 0) as spoken_for_s
    from campaigns m cross join lateral (
        select count(*) as calls, count(*) filter (where lease_owner is null) as undialled
        from calls c where c.account_id = m.account_id and c.campaign_id = m.id and c.phase in $live
    ) live
    where m.id = any(:campaign_ids)
    """)
_DIALLED_SINCE = sql("select count(*) from calls where campaign_id = :campaign_id and dialing_at > :since")
_BY_CALLER_ID = sql(
    "select from_number, count(*) as calls from calls where account_id = :account_id and phase in $live group by 1"
)


@dataclass(frozen=True, slots=True)
class AccountRoom:
    """What an account may still start now: `starts_free` within the rolling minute."""

    account_id: UUID
    from_number: str | None
    live: int
    live_free: int
    starts_free: int
    available_s: int

    @property
    def free(self) -> int:
        """Calls that both caps leave room for."""
        return max(0, min(self.live_free, self.starts_free))


@dataclass(frozen=True, slots=True)
class CampaignLoad:
    """What a campaign has under way: starts in the rolling minute include claims not dialled yet."""

    campaign_id: UUID
    live: int
    undialled: int
    starts_last_minute: int
    spoken_for_s: int


def media_slots_free(tx: Tx) -> int:
    """Count the free slots of media workers that are alive and not draining; never below 0."""
    parameters = {"fresh_since": tx.now - FRESH_HEARTBEAT}
    return max(0, int(tx.connection.execute(_MEDIA_SLOTS, parameters).scalar_one()))


def account_rooms(tx: Tx, account_ids: Sequence[UUID]) -> dict[UUID, AccountRoom]:
    """Read what several accounts may still start."""
    rows = tx.connection.execute(_ACCOUNTS, {"account_ids": list(account_ids), "minute_ago": tx.now - MINUTE})
    return {
        row.id: AccountRoom(
            account_id=row.id,
            from_number=row.from_number,
            live=row.calls,
            live_free=row.max_concurrent_calls - row.calls,
            starts_free=row.max_calls_per_minute - row.dialled - row.undialled,
            available_s=row.available_s,
        )
        for row in rows
    }


def campaign_loads(tx: Tx, campaign_ids: Sequence[UUID]) -> dict[UUID, CampaignLoad]:
    """Read what several campaigns have under way."""
    rows = tx.connection.execute(_CAMPAIGNS, {"campaign_ids": list(campaign_ids), "minute_ago": tx.now - MINUTE})
    return {
        row.id: CampaignLoad(
            campaign_id=row.id,
            live=row.calls,
            undialled=row.undialled,
            starts_last_minute=row.dialled + row.undialled,
            spoken_for_s=row.spoken_for_s,
        )
        for row in rows
    }


def campaign_dials_since(tx: Tx, campaign_id: UUID, since: datetime) -> int:
    """Count a campaign's dials after an instant."""
    return int(tx.connection.execute(_DIALLED_SINCE, {"campaign_id": campaign_id, "since": since}).scalar_one())


def live_by_caller_id(tx: Tx, account_id: UUID) -> dict[str, int]:
    """Count an account's live calls per caller id."""
    rows = tx.connection.execute(_BY_CALLER_ID, {"account_id": account_id})
    return {row.from_number: row.calls for row in rows}
