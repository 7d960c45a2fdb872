"""Campaigns moved on by the clock and by their leads: started, ended, completed when everybody is done.

Each move locks the campaign and looks again, so that two ticks move it once and one event goes out.
"""

from uuid import UUID

import structlog

from dispatcher.services.events import emit_campaign_event
from dispatcher.services.withdraw import expire
from dispatcher.store import campaign_status, enrolments
from dispatcher.store.calls import lock_call
from dispatcher.store.campaign_status import LockedCampaign
from dispatcher.store.db import Database, Tx
from dispatcher.store.stopping import undialled_calls
from schema.events import EventType
from schema.states import CallPhase, CampaignStatus, StatusReason

log = structlog.get_logger()


def finish_campaign(db: Database, campaign_id: UUID) -> bool:
    """Complete a running campaign without open enrolments; False when it goes on."""
    with db.transaction() as tx:
        if not enrolments.is_done(tx, campaign_id):
            return False
        return finish_if_done(tx, campaign_id)


def finish_if_done(tx: Tx, campaign_id: UUID) -> bool:
    """Do the same in the caller's transaction, which holds no lock of a call."""
    campaign = campaign_status.lock_campaign(tx, campaign_id)
    if campaign.status is not CampaignStatus.RUNNING or not enrolments.is_done(tx, campaign_id):
        return False
    _complete(tx, campaign, StatusReason.ALL_LEADS_DONE)
    return True


def advance_campaigns(db: Database) -> int:
    """Start, end and complete campaigns whose time has come; return how many were moved."""
    with db.transaction() as tx:
        to_start = campaign_status.start_due(tx)
        to_end = campaign_status.end_due(tx)
        to_finish = campaign_status.maybe_done(tx)
    return (
        sum(_start(db, campaign_id) for campaign_id in to_start)
        + sum(_end(db, campaign_id) for campaign_id in to_end)
        + sum(finish_campaign(db, campaign_id) for campaign_id in to_finish)
    )


def _start(db: Database, campaign_id: UUID) -> bool:
    with db.transaction() as tx:
        campaign = campaign_status.lock_campaign(tx, campaign_id)
        if campaign.status is not CampaignStatus.SCHEDULED or (campaign.start_at and campaign.start_at > tx.now):
            return False
        campaign_status.set_status(tx, campaign_id, CampaignStatus.RUNNING, StatusReason.START_AT)
        emit_campaign_event(tx, campaign_id, EventType.CAMPAIGN_STARTED)
    log.info("campaign_started", campaign_id=str(campaign_id))
    return True


def _end(db: Database, campaign_id: UUID) -> bool:
    """Close everybody who waits; the campaign completes with its last live call."""
    with db.transaction() as tx:
        campaign = campaign_status.lock_campaign(tx, campaign_id)
        over = campaign.end_at is not None and campaign.end_at <= tx.now
        if campaign.status is not CampaignStatus.RUNNING or not over:
            return False
        for call_id in undialled_calls(tx, campaign_id):
            call = lock_call(tx, call_id)
            if call is not None and call.phase is CallPhase.SCHEDULED:
                expire(tx, call)
        enrolments.expire_waiting(tx, campaign_id)
        if enrolments.has_open(tx, campaign_id):
            return False
        _complete(tx, campaign, StatusReason.END_AT_REACHED)
    return True


def _complete(tx: Tx, campaign: LockedCampaign, reason: StatusReason) -> None:
    campaign_status.set_status(tx, campaign.campaign_id, CampaignStatus.COMPLETED, reason)
    emit_campaign_event(tx, campaign.campaign_id, EventType.CAMPAIGN_COMPLETED)
    log.info("campaign_completed", campaign_id=str(campaign.campaign_id), reason=reason.value)
