"""Starting, pausing, resuming and stopping campaigns.

Asking for the status a campaign already has changes nothing and is no error; a move `schema.states` does not list is a
conflict. Pausing takes back calls that no media worker has dialled; stopping also takes out who waits and, when asked,
ends live calls. Locks are taken in the order campaign, calls, enrolments, balance.
"""

from uuid import UUID

import structlog

from dispatcher.refusals import Conflict, Faulty
from dispatcher.services.campaigns import campaign_view, found
from dispatcher.services.events import emit_campaign_event
from dispatcher.services.prompts import check_campaign
from dispatcher.services.withdraw import UNDIALLED, call_off, put_back
from dispatcher.store.calls import lock_call
from dispatcher.store.campaign_status import set_status
from dispatcher.store.campaigns import Keep, StoredCampaign
from dispatcher.store.db import Tx
from dispatcher.store.stopping import cancel_waiting, claimed_calls, hang_up_campaign, undialled_calls
from dispatcher.store.variables import count_leads
from schema.campaigns import Campaign
from schema.events import EventType
from schema.outcomes import EndReason
from schema.problems import FieldFault, ProblemCode
from schema.states import CallPhase, CampaignStatus, StatusReason

log = structlog.get_logger()

_BEFORE_START = frozenset({CampaignStatus.DRAFT, CampaignStatus.SCHEDULED})


def start_campaign(tx: Tx, account_id: UUID, campaign_id: UUID) -> Campaign:
    """Let a draft dial, at once or from its start_at on.

    Raises:
        Missing: the account has no such campaign.
        Conflict: it was started before and does not run now.
        Faulty: it has no leads to call, its end has passed, or a variable of its texts has no value for some of them.
    """
    campaign = found(tx, account_id, campaign_id, keep=Keep.ALL)
    later = campaign.start_at is not None and campaign.start_at > tx.now
    target = CampaignStatus.SCHEDULED if later else CampaignStatus.RUNNING
    if campaign.status in {target, CampaignStatus.RUNNING}:
        return campaign_view(campaign)
    _require(campaign, campaign.status in _BEFORE_START, "started")
    _check_callable(tx, campaign)
    return _moved(tx, campaign, target, EventType.CAMPAIGN_STARTED if target is CampaignStatus.RUNNING else None)


def pause_campaign(tx: Tx, account_id: UUID, campaign_id: UUID) -> Campaign:
    """Stop dialling; live calls finish, calls that wait for a media worker go back unspent.

    Raises:
        Missing: the account has no such campaign.
        Conflict: it does not run.
    """
    campaign = found(tx, account_id, campaign_id, keep=Keep.ALL)
    if campaign.status is CampaignStatus.PAUSED:
        return _kept_paused(tx, campaign)
    _require(campaign, campaign.status is CampaignStatus.RUNNING, "paused")
    for call_id in claimed_calls(tx, campaign_id):
        call = lock_call(tx, call_id)
        if call is not None and call.phase is CallPhase.CLAIMED:
            put_back(tx, call, EndReason.GATE_REFUSED)
    return _moved(tx, campaign, CampaignStatus.PAUSED, EventType.CAMPAIGN_PAUSED)


def resume_campaign(tx: Tx, account_id: UUID, campaign_id: UUID) -> Campaign:
    """Let a paused campaign dial again.

    Raises:
        Missing: the account has no such campaign.
        Conflict: it is not paused.
    """
    campaign = found(tx, account_id, campaign_id, keep=Keep.ALL)
    if campaign.status is CampaignStatus.RUNNING:
        return campaign_view(campaign)
    _require(campaign, campaign.status is CampaignStatus.PAUSED, "resumed")
    return _moved(tx, campaign, CampaignStatus.RUNNING, EventType.CAMPAIGN_RESUMED)


def stop_campaign(tx: Tx, account_id: UUID, campaign_id: UUID, *, hangup: bool) -> Campaign:
    """End a campaign for good: nobody who waits is called any more; `hangup` also ends live calls.

    Raises:
        Missing: the account has no such campaign.
        Conflict: it is completed.
    """
    campaign = found(tx, account_id, campaign_id, keep=Keep.ALL)
    if hangup:
        hang_up_campaign(tx, campaign_id)
    if campaign.status is CampaignStatus.CANCELLED:
        return campaign_view(campaign)
    _require(campaign, campaign.status is not CampaignStatus.COMPLETED, "stopped")
    cancel_waiting(tx, campaign_id)
    for call_id in undialled_calls(tx, campaign_id):
        call = lock_call(tx, call_id)
        if call is not None and call.phase in UNDIALLED:
            call_off(tx, call, EndReason.CAMPAIGN_STOPPED)
    return _moved(tx, campaign, CampaignStatus.CANCELLED, EventType.CAMPAIGN_STOPPED)


def _kept_paused(tx: Tx, campaign: StoredCampaign) -> Campaign:
    """Make a pause that happened by itself the person's own, so that it does not end by itself."""
    if campaign.status_reason is not StatusReason.USER:
        set_status(tx, campaign.campaign_id, CampaignStatus.PAUSED, StatusReason.USER)
    return campaign_view(found(tx, campaign.account_id, campaign.campaign_id))


def _moved(tx: Tx, campaign: StoredCampaign, status: CampaignStatus, event: EventType | None) -> Campaign:
    set_status(tx, campaign.campaign_id, status, StatusReason.USER)
    if event is not None:
        emit_campaign_event(tx, campaign.campaign_id, event)
    log.info("campaign_moved", campaign_id=str(campaign.campaign_id), status=status.value)
    return campaign_view(found(tx, campaign.account_id, campaign.campaign_id))


def _check_callable(tx: Tx, campaign: StoredCampaign) -> None:
    if campaign.end_at is not None and campaign.end_at <= tx.now:
        raise Faulty(FieldFault(path="schedule.end_at", message="Has passed; create a campaign with a later end"))
    if not count_leads(tx, campaign.campaign_id):
        where = f"/v1/campaigns/{campaign.campaign_id}/leads"
        raise Faulty(FieldFault(path="leads", message=f"The campaign has no leads to call; add some with POST {where}"))
    check_campaign(tx, campaign.campaign_id, campaign.body.call_config)


def _require(campaign: StoredCampaign, allowed: bool, done: str) -> None:
    if not allowed:
        raise Conflict(
            f"A campaign that is {campaign.status.value} cannot be {done}",
            campaign.status.value,
            ProblemCode.INVALID_STATE_TRANSITION,
        )
