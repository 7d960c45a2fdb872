"""Call seconds: holding them, ending a hold, and what is left. The ledger's unique keys let each happen once per call.

Every change writes its ledger rows and the balance in one transaction. The balance row is locked last, after campaigns,
calls and enrolments, so that no two transactions wait for each other. How much to hold or to bill is decided in
`dispatcher.rules.quota`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from dispatcher.store.db import Tx
from schema.tables import campaign_spend, quota_accounts, quota_entries
from schema.tables.quota import EntryKind


@dataclass(frozen=True, slots=True)
class Balance:
    """An account's seconds; granted = available + held + spent."""

    granted_s: int
    available_s: int
    held_s: int
    spent_s: int


@dataclass(frozen=True, slots=True)
class Hold:
    """Seconds to be held for one call."""

    call_id: UUID
    campaign_id: UUID | None
    seconds: int


@dataclass(frozen=True, slots=True)
class Ending:
    """How a hold ends: `spent_s` of `held_s` are spent, the rest goes back."""

    account_id: UUID
    campaign_id: UUID | None
    call_id: UUID
    held_s: int
    spent_s: int


EMPTY = Balance(0, 0, 0, 0)

_HOLD = text(
    """
    update quota_accounts set available_s = available_s - :total, held_s = held_s + :total, updated_at = :now
    where account_id = :account_id and available_s >= :total
    """
)
_HOLD_ENTRIES = text(
    """
    insert into quota_entries (account_id, campaign_id, call_id, kind, amount_s, created_at)
    select :account_id, x.campaign_id, x.call_id, 'hold', x.amount_s, :now
    from unnest(cast(:call_ids as uuid[]), cast(:campaign_ids as uuid[]), cast(:amounts as bigint[]))
        as x (call_id, campaign_id, amount_s)
    """
)
_END = text(
    """
    update quota_accounts
    set available_s = available_s + :released, held_s = held_s - :held, spent_s = spent_s + :spent, updated_at = :now
    where account_id = :account_id
    """
)
_END_CAMPAIGN = text(
    "update campaign_spend set held_s = held_s - :held, spent_s = spent_s + :spent where campaign_id = :campaign_id"
)


def balance(tx: Tx, account_id: UUID) -> Balance:
    """Read an account's balance; all zero when nothing was ever granted."""
    query = select(quota_accounts).where(quota_accounts.c.account_id == account_id)
    row = tx.connection.execute(query).one_or_none()
    return EMPTY if row is None else Balance(row.granted_s, row.available_s, row.held_s, row.spent_s)


def grant(tx: Tx, account_id: UUID, seconds: int, note: str | None = None) -> Balance:
    """Add seconds to an account and return the new balance."""
    tx.connection.execute(
        insert(quota_entries).values(
            account_id=account_id, kind=EntryKind.GRANT, amount_s=seconds, note=note, created_at=tx.now
        )
    )
    statement = upsert(quota_accounts).values(
        account_id=account_id, granted_s=seconds, available_s=seconds, updated_at=tx.now
    )
    row = tx.connection.execute(
        statement.on_conflict_do_update(
            index_elements=[quota_accounts.c.account_id],
            set_={
                "granted_s": quota_accounts.c.granted_s + seconds,
                "available_s": quota_accounts.c.available_s + seconds,
                "updated_at": tx.now,
            },
        ).returning(quota_accounts)
    ).one()
    return Balance(row.granted_s, row.available_s, row.held_s, row.spent_s)


def hold(tx: Tx, account_id: UUID, holds: Sequence[Hold]) -> bool:
    """Hold seconds for calls, all or none; False, and nothing written, when the account has too few.

    Raises:
        IntegrityError: one of the calls has a hold already.
    """
    total = sum(one.seconds for one in holds)
    held = tx.connection.execute(_HOLD, {"account_id": account_id, "total": total, "now": tx.now}).rowcount
    if not held:
        return False
    tx.connection.execute(
        _HOLD_ENTRIES,
        {
            "account_id": account_id,
            "call_ids": [one.call_id for one in holds],
            "campaign_ids": [one.campaign_id for one in holds],
            "amounts": [one.seconds for one in holds],
            "now": tx.now,
        },
    )
    for campaign_id in {one.campaign_id for one in holds if one.campaign_id is not None}:
        _hold_for_campaign(tx, campaign_id, sum(one.seconds for one in holds if one.campaign_id == campaign_id))
    return True


def end_hold(tx: Tx, ending: Ending) -> bool:
    """Spend a part of a call's hold and release the rest; False, and nothing written, when it has ended before."""
    settled = tx.connection.execute(
        upsert(quota_entries)
        .values([_entry(tx, ending, EntryKind.SETTLE, ending.spent_s)])
        .on_conflict_do_nothing()
        .returning(quota_entries.c.id)
    ).one_or_none()
    if settled is None:
        return False
    released_s = ending.held_s - ending.spent_s
    tx.connection.execute(insert(quota_entries).values([_entry(tx, ending, EntryKind.RELEASE, released_s)]))
    amounts = {"released": released_s, "held": ending.held_s, "spent": ending.spent_s}
    tx.connection.execute(_END, {"account_id": ending.account_id, "now": tx.now, **amounts})
    if ending.campaign_id is not None:
        tx.connection.execute(_END_CAMPAIGN, {"campaign_id": ending.campaign_id, **amounts})
    return True


def spoken_for_s(tx: Tx, campaign_id: UUID) -> int:
    """Return the seconds a campaign has spent or holds, to be judged against its budget."""
    query = select(campaign_spend.c.held_s + campaign_spend.c.spent_s).where(
        campaign_spend.c.campaign_id == campaign_id
    )
    return int(tx.connection.execute(query).scalar_one_or_none() or 0)


def _entry(tx: Tx, ending: Ending, kind: EntryKind, amount_s: int) -> dict[str, object]:
    return {
        "account_id": ending.account_id,
        "campaign_id": ending.campaign_id,
        "call_id": ending.call_id,
        "kind": kind,
        "amount_s": amount_s,
        "created_at": tx.now,
    }


def _hold_for_campaign(tx: Tx, campaign_id: UUID, seconds: int) -> None:
    statement = upsert(campaign_spend).values(campaign_id=campaign_id, held_s=seconds)
    tx.connection.execute(
        statement.on_conflict_do_update(
            index_elements=[campaign_spend.c.campaign_id], set_={"held_s": campaign_spend.c.held_s + seconds}
        )
    )
