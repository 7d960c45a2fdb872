"""A campaign that ran out of call seconds pauses by itself, and resumes by itself once it can pay for a call again.

Only when no live call can still release what is missing; until then the campaign just waits. A campaign a person paused
is left alone.
"""

from uuid import UUID

import structlog

from dispatcher.rules.policy import Policy
from dispatcher.services.events import emit_campaign_event
from dispatcher.services.policies import policy_of
from dispatcher.store import campaign_status, quota
from dispatcher.store.campaign_status import LockedCampaign
from dispatcher.store.db import Database, Tx
from schema.events import EventType
from schema.states import CampaignStatus, StatusReason

log = structlog.get_logger()


def pause_exhausted(db: Database, campaign_id: UUID) -> bool:
    """Pause a running campaign that cannot pay for one more call; False when it can, or no longer runs."""
    with db.transaction() as tx:
        campaign = campaign_status.lock_campaign(tx, campaign_id)
        if campaign.status is not CampaignStatus.RUNNING or _can_pay(tx, campaign):
            return False
        campaign_status.set_status(tx, campaign_id, CampaignStatus.PAUSED, StatusReason.QUOTA_EXHAUSTED)
        emit_campaign_event(tx, campaign_id, EventType.CAMPAIGN_PAUSED)
    log.info("campaign_paused", campaign_id=str(campaign_id), reason=StatusReason.QUOTA_EXHAUSTED.value)
    return True


def resume_paid(db: Database) -> int:
    """Resume campaigns paused for want of quota that can pay for a call now; return how many."""
    with db.transaction() as tx:
        waiting = campaign_status.paused_for(tx, StatusReason.QUOTA_EXHAUSTED)
    return sum(_resume(db, campaign_id) for campaign_id in waiting)


def _resume(db: Database, campaign_id: UUID) -> bool:
    with db.transaction() as tx:
        campaign = campaign_status.lock_campaign(tx, campaign_id)
        paused = campaign.status is CampaignStatus.PAUSED and campaign.reason is StatusReason.QUOTA_EXHAUSTED
        if not paused or not _can_pay(tx, campaign):
            return False
        campaign_status.set_status(tx, campaign_id, CampaignStatus.RUNNING, StatusReason.QUOTA_EXHAUSTED)
        emit_campaign_event(tx, campaign_id, EventType.CAMPAIGN_RESUMED)
    log.info("campaign_resumed", campaign_id=str(campaign_id))
    return True


def _can_pay(tx: Tx, campaign: LockedCampaign) -> bool:
    policy = policy_of(tx, campaign.policy_version_id, campaign.status)
    if quota.balance(tx, campaign.account_id).available_s < policy.hold_s:
        return False
    budget_s = _budget_s(policy)
    return budget_s is None or budget_s - quota.spoken_for_s(tx, campaign.campaign_id) >= policy.hold_s


def _budget_s(policy: Policy) -> int | None:
    minutes = policy.body.quota.max_minutes
    return None if minutes is None else minutes * 60
