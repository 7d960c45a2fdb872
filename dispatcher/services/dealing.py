"""Which account and which campaign may start how many calls in this tick.

Room is counted from live rows, then dealt round the ring of accounts. An account's accepted calls outside campaigns
take part like one more campaign of high weight, because somebody waits for them. What may actually be claimed is judged
again under the account's lock.
"""

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from dispatcher.rules.policy import Policy
from dispatcher.rules.shares import Want, deal
from dispatcher.services.policies import policy_of
from dispatcher.store import fairness, live
from dispatcher.store.db import Database, Tx
from dispatcher.store.live import AccountRoom, CampaignLoad
from schema.states import CampaignStatus

DIRECT_WEIGHT = 100


@dataclass(frozen=True, slots=True)
class Share:
    """What one account was dealt: calls outside campaigns, and calls per campaign id."""

    account_id: UUID
    direct: int
    campaigns: tuple[tuple[UUID, int], ...]


def deal_shares(db: Database, limit: int) -> tuple[Share, ...]:
    """Deal at most `limit` of the free media slots; nothing while another claimer is at work."""
    with db.transaction() as tx:
        if not fairness.lone_claimer(tx):
            return ()
        slots = min(limit, live.media_slots_free(tx))
        wants = _wants(tx, slots) if slots > 0 else ()
        if not wants:
            return ()
        given, cursor = deal(wants, slots, fairness.ring_cursor(tx))
        fairness.keep_ring_cursor(tx, cursor)
    return _shares(wants, given)


def campaign_room(policy: Policy, load: CampaignLoad, dials_today: int) -> int:
    """Return how many calls the campaign's own caps leave room for."""
    pacing = policy.body.pacing
    free = min(pacing.max_concurrent_calls - load.live, pacing.calls_per_minute - load.starts_last_minute)
    if pacing.max_calls_per_day is not None:
        free = min(free, pacing.max_calls_per_day - dials_today - load.undialled)
    return max(0, free)


def dials_today(tx: Tx, policy: Policy) -> int:
    """Count the campaign's dials of the last 24 hours, where its rules ask for it."""
    if policy.body.pacing.max_calls_per_day is None:
        return 0
    return live.campaign_dials_since(tx, policy.campaign_id, tx.now - live.DAY)


def _wants(tx: Tx, slots: int) -> tuple[Want, ...]:
    direct = fairness.due_direct_calls(tx, slots)
    campaigns = fairness.due_campaigns(tx, slots)
    accounts = direct.keys() | {campaign.account_id for campaign in campaigns}
    if not accounts:
        return ()
    rooms = live.account_rooms(tx, tuple(accounts))
    loads = live.campaign_loads(tx, [campaign.campaign_id for campaign in campaigns])
    wants = [_direct_want(rooms[account_id], due) for account_id, due in direct.items()]
    for campaign in campaigns:
        policy = policy_of(tx, campaign.policy_version_id, CampaignStatus.RUNNING)
        room = campaign_room(policy, loads[campaign.campaign_id], dials_today(tx, policy))
        account = rooms[campaign.account_id]
        due = 0 if account.live and account.available_s < policy.hold_s else min(campaign.due, room)
        wants.append(Want(campaign.account_id, campaign.campaign_id, due, campaign.weight, account_free=account.free))
    return tuple(want for want in wants if want.due > 0 and want.account_free)


def _direct_want(room: AccountRoom, due: int) -> Want:
    return Want(room.account_id, room.account_id, due, DIRECT_WEIGHT, account_free=room.free)


def _shares(wants: tuple[Want, ...], given: dict[UUID, int]) -> tuple[Share, ...]:
    dealt: dict[UUID, list[tuple[UUID, int]]] = defaultdict(list)
    direct: dict[UUID, int] = {}
    for want in wants:
        calls = given.get(want.campaign_id, 0)
        if not calls:
            continue
        campaigns = dealt[want.account_id]
        if want.campaign_id == want.account_id:
            direct[want.account_id] = calls
        else:
            campaigns.append((want.campaign_id, calls))
    return tuple(Share(account_id, direct.get(account_id, 0), tuple(own)) for account_id, own in dealt.items())
