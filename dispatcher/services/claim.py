"""The claim tick: turn due enrolments and accepted calls into claimed calls, as many as there is room for.

One transaction per account: the account's lock makes its caps exact, the claimer's lock the media slots. The order of
locks is account, campaign, enrolments, calls, balance. Every call is judged by `decide`, paid for by a hold, and fenced
before its worker is rung. Follows ARCHITECTURE.md, "Invariants".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID, uuid4

import structlog

from dispatcher.announce import Announcer
from dispatcher.crash_points import CrashPoint, crash_point
from dispatcher.errors import BalanceMoved
from dispatcher.rules.callers import choose_caller_id
from dispatcher.rules.facts import Capacity
from dispatcher.rules.policy import Policy
from dispatcher.services.dealing import Share, campaign_room, deal_shares, dials_today
from dispatcher.services.judging import LOOK_AGAIN, judge_due
from dispatcher.services.pausing import pause_exhausted
from dispatcher.services.policies import policy_of
from dispatcher.store import claims, fairness, live, quota
from dispatcher.store.db import Database, Tx
from dispatcher.store.due import Candidate
from dispatcher.store.enrolments import Postponed, mark_claimed, postpone
from dispatcher.store.live import AccountRoom, CampaignLoad
from dispatcher.store.policies import campaign_now
from schema.callspec import Claim
from schema.reasons import ReasonCode
from schema.states import CampaignStatus

log = structlog.get_logger()

LIMIT = 2_000
"""Calls one tick claims at most."""
MAX_ROUNDS = 8
_SECOND_LOOK = 10


@dataclass(slots=True)
class _Desk:
    """What one account may still start in this transaction, and what it started."""

    account: AccountRoom
    media_free: int
    claimed: list[Claim] = field(default_factory=list)
    held_s: int = 0
    put_off: int = 0
    exhausted: list[UUID] = field(default_factory=list)

    @property
    def free(self) -> int:
        return min(self.media_free, self.account.free) - len(self.claimed)

    @property
    def available_s(self) -> int:
        return self.account.available_s - self.held_s

    @property
    def live(self) -> int:
        return self.account.live + len(self.claimed)


def claim_due(db: Database, announcer: Announcer, *, limit: int = LIMIT) -> int:
    """Claim up to `limit` calls that are due, allowed, affordable and have a media slot; return how many."""
    claimed = 0
    for _ in range(MAX_ROUNDS):
        moved = False
        for share in deal_shares(db, limit - claimed):
            desk = _claim_for_account(db, announcer, share)
            claimed += len(desk.claimed) if desk else 0
            moved = moved or (desk is not None and bool(desk.claimed or desk.put_off))
        if not moved or claimed >= limit:
            break
    return claimed


def claim_direct(tx: Tx, account_id: UUID, call_id: UUID) -> Claim | None:
    """Claim a call in the transaction that accepts it, when nothing has to be waited for; None leaves it to the tick.

    The call is `scheduled`, due, and its seconds are held.
    """
    if not fairness.lone_claimer(tx) or not claims.lock_account_if_free(tx, account_id):
        return None
    if live.media_slots_free(tx) <= 0 or live.account_rooms(tx, (account_id,))[account_id].free <= 0:
        return None
    free = [call.call_id for call in claims.accepted_calls(tx, (call_id,)) if not call.number_busy]
    return next(iter(claims.claim_accepted(tx, free)), None)


def _claim_for_account(db: Database, announcer: Announcer, share: Share) -> _Desk | None:
    try:
        with db.transaction() as tx:
            if not fairness.lone_claimer(tx):
                return None
            claims.lock_account(tx, share.account_id)
            account = live.account_rooms(tx, (share.account_id,))[share.account_id]
            desk = _Desk(account, live.media_slots_free(tx))
            _claim_direct_calls(tx, desk, share.direct)
            for campaign_id, calls in share.campaigns:
                _claim_of_campaign(tx, desk, campaign_id, calls)
            tx.on_commit(partial(_announce, announcer, tuple(desk.claimed)))
    except BalanceMoved as moved:
        log.info("claims_rolled_back", account_id=str(moved.account_id), wanted_s=moved.wanted_s)
        return None
    for campaign_id in desk.exhausted:
        pause_exhausted(db, campaign_id)
    return desk


def _claim_direct_calls(tx: Tx, desk: _Desk, wanted: int) -> None:
    wanted = min(wanted, desk.free)
    if wanted <= 0:
        return
    chosen: dict[str, UUID] = {}
    for call in claims.due_direct(tx, desk.account.account_id, wanted + _SECOND_LOOK):
        if len(chosen) < wanted:
            chosen.setdefault(call.phone_number, call.call_id)
    desk.claimed.extend(claims.claim_accepted(tx, tuple(chosen.values())))


def _claim_of_campaign(tx: Tx, desk: _Desk, campaign_id: UUID, wanted: int) -> None:
    campaign = campaign_now(tx, campaign_id)
    if campaign.status is not CampaignStatus.RUNNING:
        return
    policy = policy_of(tx, campaign.policy_version_id, campaign.status)
    load = live.campaign_loads(tx, (campaign_id,))[campaign_id]
    room = campaign_room(policy, load, dials_today(tx, policy))
    affordable = _affordable(policy, desk, load)
    if affordable == 0 and _nothing_comes_back(policy, desk, load):
        desk.exhausted.append(campaign_id)
    wanted = min(wanted, desk.free, room, affordable)
    if wanted <= 0:
        return
    hearing = judge_due(tx, policy, _capacity(policy, desk, load, room), wanted)
    desk.put_off += hearing.put_off
    batch = claims.ClaimBatch(desk.account.account_id, campaign_id, campaign.policy_version_id, policy.hold_s)
    fresh = [one for one in hearing.allowed if one.scheduled_call_id is None]
    _claim_accepted(tx, desk, [one for one in hearing.allowed if one.scheduled_call_id is not None])
    _claim_new(tx, desk, batch, _with_caller_ids(tx, desk, policy, fresh))


def _claim_accepted(tx: Tx, desk: _Desk, allowed: Sequence[Candidate]) -> None:
    """Claim the accepted calls of enrolments that were asked for explicitly."""
    enrolments = {one.scheduled_call_id: one.enrolment_id for one in allowed if one.scheduled_call_id is not None}
    free = [call.call_id for call in claims.accepted_calls(tx, tuple(enrolments)) if not call.number_busy]
    claimed = claims.claim_accepted(tx, free)
    mark_claimed(tx, [(enrolments[claim.call_id], claim.call_id) for claim in claimed])
    desk.claimed.extend(claimed)


def _claim_new(tx: Tx, desk: _Desk, batch: claims.ClaimBatch, new: Sequence[claims.NewClaim]) -> None:
    inserted = claims.insert_claims(tx, batch, new)
    made = [one for one in new if one.call_id in inserted]
    missed = [one for one in new if one.call_id not in inserted]
    again_at = tx.now + LOOK_AGAIN
    postpone(tx, [Postponed(one.enrolment_id, again_at, ReasonCode.LIVE_CALL, None) for one in missed])
    if not made:
        return
    total_s = batch.hold_s * len(made)
    holds = [quota.Hold(one.call_id, batch.campaign_id, batch.hold_s) for one in made]
    if not quota.hold(tx, batch.account_id, holds):
        raise BalanceMoved(batch.account_id, total_s)
    mark_claimed(tx, [(one.enrolment_id, one.call_id) for one in made])
    desk.held_s += total_s
    desk.claimed.extend(Claim(one.call_id, claims.FIRST_TOKEN) for one in made)


def _with_caller_ids(tx: Tx, desk: _Desk, policy: Policy, allowed: Sequence[Candidate]) -> tuple[claims.NewClaim, ...]:
    pool = _caller_ids(policy, desk.account)
    counts = live.live_by_caller_id(tx, desk.account.account_id) if len(pool) > 1 else {}
    chosen = []
    for one in allowed:
        seed = f"{policy.campaign_id}|{one.lead.lead_id}|{one.attempt_number}"
        number = choose_caller_id(pool, policy.body.from_strategy, one.lead.phone_number, counts, seed)
        if number is None:
            continue
        counts[number] = counts.get(number, 0) + 1
        chosen.append(
            claims.NewClaim(
                uuid4(), one.enrolment_id, one.lead.lead_id, one.attempt_number, one.lead.phone_number, number
            )
        )
    return tuple(chosen)


def _caller_ids(policy: Policy, account: AccountRoom) -> tuple[str, ...]:
    """Return the numbers the campaign may show: its pool, else its call's own, else the account's."""
    if policy.body.from_numbers:
        return policy.body.from_numbers
    number = policy.body.call_config.from_number or account.from_number
    return () if number is None else (number,)


def _budget_free_s(policy: Policy, load: CampaignLoad) -> int | None:
    minutes = policy.body.quota.max_minutes
    return None if minutes is None else minutes * 60 - load.spoken_for_s


def _affordable(policy: Policy, desk: _Desk, load: CampaignLoad) -> int:
    budget_s = _budget_free_s(policy, load)
    free_s = desk.available_s if budget_s is None else min(desk.available_s, budget_s)
    return max(0, free_s) // policy.hold_s


def _nothing_comes_back(policy: Policy, desk: _Desk, load: CampaignLoad) -> bool:
    """Say whether no live call could still release the seconds that are missing."""
    return desk.live == 0 if desk.available_s < policy.hold_s else load.live == 0


def _capacity(policy: Policy, desk: _Desk, load: CampaignLoad, room: int) -> Capacity:
    return Capacity(
        media_free=desk.media_free - len(desk.claimed),
        account_live_free=desk.account.live_free - len(desk.claimed),
        account_starts_free=desk.account.starts_free - len(desk.claimed),
        campaign_live_free=room,
        campaign_starts_free=room,
        campaign_day_free=None,
        caller_ids_free=len(_caller_ids(policy, desk.account)),
        quota_available_s=desk.available_s,
        campaign_quota_free_s=_budget_free_s(policy, load),
    )


def _announce(announcer: Announcer, claimed: tuple[Claim, ...]) -> None:
    crash_point(CrashPoint.CLAIM_COMMITTED)
    announcer.media_many(claimed)
