"""The one terminal record of a call, handed in by the media worker that held it.

A result under an old fence, or for a call that is over, is dropped: the second of two changes nothing. Whether the
campaign is done is looked at afterwards, in its own transaction, because that waits for the whole campaign.
"""

import structlog

from dispatcher.announce import Announcer
from dispatcher.crash_points import CrashPoint, crash_point
from dispatcher.services.conclude import End, conclude, lock_dialled
from dispatcher.services.control import STOP_REQUESTED
from dispatcher.services.finish import finish_campaign
from dispatcher.store import calls
from dispatcher.store.db import Database, Tx
from dispatcher.store.policies import CampaignNow
from schema.callspec import CallResult
from schema.outcomes import EndReason
from schema.states import CampaignStatus

log = structlog.get_logger()


def record_call(db: Database, announcer: Announcer, result: CallResult) -> bool:
    """Write a call's end, settle its quota and plan what follows; False, and nothing written, when it is fenced."""
    with db.transaction() as tx:
        found = lock_dialled(tx, result.call_id, result.lease_token)
        if found is None:
            log.warning("result_fenced", call_id=str(result.call_id), lease_token=result.lease_token)
            return False
        call, campaign = found
        calls.keep_conversation(tx, result)
        end = End(
            outcome=result.outcome,
            end_reason=_end_reason(tx, result, campaign),
            answered_by=result.answered_by or call.answered_by,
            provider_call_id=result.provider_call_id or call.provider_call_id,
            talked_s=result.talked_s,
            answered_at=result.answered_at or call.answered_at,
            ended_at=result.ended_at,
            error_message=result.error_message,
            opted_out=result.opted_out,
        )
        conclude(tx, announcer, call, campaign, end)
    crash_point(CrashPoint.RECORD_COMMITTED)
    if call.enrolment_id is not None and call.campaign_id is not None:
        finish_campaign(db, call.campaign_id)
    return True


def _end_reason(tx: Tx, result: CallResult, campaign: CampaignNow | None) -> EndReason:
    """Tell a call that was stopped with its campaign from one stopped by itself: to its worker they are the same."""
    stopped = campaign is not None and campaign.status is CampaignStatus.CANCELLED
    if result.end_reason is not EndReason.API_STOP or not stopped:
        return result.end_reason
    asked_at = calls.first_event_at(tx, result.call_id, STOP_REQUESTED)
    return EndReason.CAMPAIGN_STOPPED if asked_at is None else EndReason.API_STOP
