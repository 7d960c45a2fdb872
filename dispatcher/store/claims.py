"""Making calls `claimed`: rows made up for enrolments, and accepted rows whose time has come.

A claim is fenced by `lease_token` and runs out at `lease_until`. `uq_calls_one_live_per_number` has the last word on
who gets a number; which enrolments to claim is decided in `dispatcher.services.claim`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from dispatcher.store.db import Tx
from dispatcher.store.sql import sql
from schema.callspec import Claim

FIRST_TOKEN = 1
CLAIM_LEASE = timedelta(seconds=15)
"""How long a claimed call waits for a media worker before it is taken back."""


@dataclass(frozen=True, slots=True)
class NewClaim:
    """A call to be made up for an enrolment."""

    call_id: UUID
    enrolment_id: UUID
    lead_id: UUID
    attempt_number: int
    phone_number: str
    from_number: str


@dataclass(frozen=True, slots=True)
class ClaimBatch:
    """What all calls of a batch share; `hold_s` is held for each."""

    account_id: UUID
    campaign_id: UUID
    policy_version_id: UUID
    hold_s: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted call, locked; its seconds were held when it was accepted."""

    call_id: UUID
    phone_number: str
    number_busy: bool


_INSERT = sql("""
    insert into calls (id, account_id, campaign_id, lead_id, enrolment_id, policy_version_id, attempt_number,
        phone_number, from_number, config, phase, lease_token, lease_until, due_at, claimed_at, created_at, hold_s)
    select x.id, :account_id, :campaign_id, x.lead_id, x.enrolment_id, :policy_version_id, x.attempt_number,
        x.phone_number, x.from_number,
        (select body -> 'call_config' from policy_versions where id = :policy_version_id),
        'claimed', :token, :lease_until, :now, :now, :now, :hold_s
    from unnest(cast(:ids as uuid[]), cast(:lead_ids as uuid[]), cast(:enrolment_ids as uuid[]),
                cast(:attempt_numbers as int[]), cast(:phone_numbers as text[]), cast(:from_numbers as text[]))
        as x (id, lead_id, enrolment_id, attempt_number, phone_number, from_number)
    on conflict do nothing
    returning id
    """)
_ACCEPTED = """
    select c.id, c.phone_number,
        exists (
            select 1 from calls o
            where o.account_id = c.account_id and o.phone_number = c.phone_number and o.phase in $live
        ) as number_busy
    from calls c
"""
_DUE_DIRECT = sql(
    """
    $accepted
    where c.account_id = :account_id and c.phase = 'scheduled' and c.due_at <= :now and c.enrolment_id is null
      and not exists (
        select 1 from calls o
        where o.account_id = c.account_id and o.phone_number = c.phone_number and o.phase in $live
      )
    order by c.due_at, c.id limit :at_most
    for update of c skip locked
    """,
    accepted=_ACCEPTED,
)
_BY_ID = sql(
    "$accepted where c.id = any(:call_ids) and c.phase = 'scheduled' for update of c skip locked", accepted=_ACCEPTED
)
_CLAIM = sql("""
    update calls set phase = 'claimed', lease_token = lease_token + 1, lease_owner = null, lease_until = :lease_until,
        claimed_at = :now
    where id = any(:call_ids) and phase = 'scheduled'
    returning id, lease_token
    """)
_LOCK_ACCOUNT = sql("select 1 from accounts where id = :account_id for no key update")
_LOCK_ACCOUNT_IF_FREE = sql("select 1 from accounts where id = :account_id for no key update skip locked")


def lock_account(tx: Tx, account_id: UUID) -> None:
    """Claim for this account alone until the commit, so that its caps are counted once."""
    tx.connection.execute(_LOCK_ACCOUNT, {"account_id": account_id})


def lock_account_if_free(tx: Tx, account_id: UUID) -> bool:
    """Do the same without waiting; False when another transaction claims for the account."""
    return tx.connection.execute(_LOCK_ACCOUNT_IF_FREE, {"account_id": account_id}).scalar_one_or_none() is not None


def insert_claims(tx: Tx, batch: ClaimBatch, new: Sequence[NewClaim]) -> frozenset[UUID]:
    """Insert claimed calls under the first token, return those that got in; a number on a live call keeps one out."""
    if not new:
        return frozenset()
    parameters = {
        "account_id": batch.account_id,
        "campaign_id": batch.campaign_id,
        "policy_version_id": batch.policy_version_id,
        "hold_s": batch.hold_s,
        "token": FIRST_TOKEN,
        "lease_until": tx.now + CLAIM_LEASE,
        "now": tx.now,
        "ids": [one.call_id for one in new],
        "lead_ids": [one.lead_id for one in new],
        "enrolment_ids": [one.enrolment_id for one in new],
        "attempt_numbers": [one.attempt_number for one in new],
        "phone_numbers": [one.phone_number for one in new],
        "from_numbers": [one.from_number for one in new],
    }
    return frozenset(tx.connection.execute(_INSERT, parameters).scalars())


def due_direct(tx: Tx, account_id: UUID, at_most: int) -> tuple[Accepted, ...]:
    """Lock an account's due calls outside campaigns whose numbers are free, the longest waiting first."""
    parameters = {"account_id": account_id, "now": tx.now, "at_most": at_most}
    return tuple(Accepted(*row) for row in tx.connection.execute(_DUE_DIRECT, parameters))


def accepted_calls(tx: Tx, call_ids: Sequence[UUID]) -> tuple[Accepted, ...]:
    """Lock accepted calls by id; those no longer scheduled, or locked elsewhere, are absent."""
    if not call_ids:
        return ()
    return tuple(Accepted(*row) for row in tx.connection.execute(_BY_ID, {"call_ids": list(call_ids)}))


def claim_accepted(tx: Tx, call_ids: Sequence[UUID]) -> tuple[Claim, ...]:
    """Claim accepted calls the caller has locked and found free of conflicts."""
    if not call_ids:
        return ()
    parameters = {"call_ids": list(call_ids), "lease_until": tx.now + CLAIM_LEASE, "now": tx.now}
    return tuple(Claim(row.id, row.lease_token) for row in tx.connection.execute(_CLAIM, parameters))
