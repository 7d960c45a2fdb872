"""The one terminal record of a call, handed in by the media worker that held it.

A result under an old fence, or for a call that is over, is dropped: the second of two changes nothing. Whether the
campaign is done is looked at afterwards, in its own transaction, because that waits for the whole campaign.
"""

import structlog

from dispatcher.announce import Announcer
from dispatcher.crash_points import CrashPoint, crash_point
from dispatcher.services.conclude import End, conclude, lock_dialled
from dispatcher.services.finish import finish_campaign
from dispatcher.store import calls
from dispatcher.store.db import Database
from schema.callspec import CallResult

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
            end_reason=result.end_reason,
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
