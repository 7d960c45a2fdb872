"""Calls that lost their worker: taken back while nobody dialled, else settled by what the carrier says.

Only a claimed call is taken back by itself. From dialling on the carrier may have been asked, so a media worker asks
it by our numbers before anything is decided; a call the carrier cannot be asked about is left, and after ten minutes
it is ambiguous, never dialled again by the machine. Follows ARCHITECTURE.md, "Call states".
"""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog

from dispatcher.announce import Announcer
from dispatcher.services.conclude import DIALLED, End, conclude, lock_dialled
from dispatcher.services.finish import finish_campaign
from dispatcher.services.withdraw import expire, put_back
from dispatcher.store import calls, overdue
from dispatcher.store.calls import HeldCall
from dispatcher.store.db import Database, Tx
from schema.callspec import Orphan, OrphanFinding
from schema.outcomes import EndReason, Outcome
from schema.states import CallPhase

log = structlog.get_logger()

MARGIN = timedelta(seconds=8)
"""Longer than a dial request can still be under way, and than the carrier needs to list a call it took."""
ORPHAN_LEASE = timedelta(seconds=30)
GIVE_UP_AFTER = timedelta(minutes=10)
PATIENCE = timedelta(hours=24)
"""How long an accepted call waits for room before it expires."""
AT_MOST = 500
BELLS_AT_ONCE = 32
ORPHANED = "orphaned"
DOUBTED = "doubted"
"""The event of a call whose own worker lives, but cannot tell whether the carrier placed it."""
_KNOWN_SINCE = timedelta(minutes=10)
_DOUBT = "the carrier did not say whether it placed the call, and was asked afterwards"


def rescue(db: Database, announcer: Announcer) -> int:
    """Take back what nobody dialled, ring for orphans, give up what cannot be settled; return how many it touched."""
    with db.transaction() as tx:
        untaken = overdue.untaken(tx, AT_MOST)
        unstarted = overdue.unstarted(tx, PATIENCE, AT_MOST)
        hopeless = overdue.orphaned(tx, GIVE_UP_AFTER, AT_MOST)
        orphans = overdue.orphaned(tx, MARGIN, BELLS_AT_ONCE) if overdue.any_worker_alive(tx) else ()
        for call_id in orphans:
            tx.on_commit(partial(announcer.settle, call_id))
    taken_back = sum(_in_own_transaction(db, call_id, _take_back) for call_id in untaken)
    expired = sum(_in_own_transaction(db, call_id, _expire) for call_id in unstarted)
    given_up = sum(_give_up(db, announcer, call_id) for call_id in hopeless)
    return taken_back + expired + given_up + len(orphans)


def leave_in_doubt(db: Database, call_id: UUID, lease_token: int, detail: str) -> bool:
    """Give up a call of which its worker does not know whether it was placed; False when it is not the worker's."""
    with db.transaction() as tx:
        found = lock_dialled(tx, call_id, lease_token)
        if found is None:
            return False
        calls.add_event(tx, call_id, found[0].account_id, DOUBTED, {"detail": detail})
        calls.give_lease_back(tx, call_id)
    return True


def adopt_orphan(db: Database, call_id: UUID, worker_id: str) -> Orphan | None:
    """Take over a call whose worker is gone, under a fresh fence; None when it is none, or another has it."""
    with db.transaction() as tx:
        call = calls.lock_call(tx, call_id)
        if call is None or call.dialing_at is None or not _is_orphan(tx, call, MARGIN):
            return None
        token = calls.adopt(tx, call_id, worker_id, ORPHAN_LEASE)
        known = calls.known_provider_ids(tx, call, call.dialing_at - _KNOWN_SINCE)
        calls.add_event(tx, call_id, call.account_id, ORPHANED, {"lost_by": call.lease_owner})
    log.warning("orphan_adopted", call_id=str(call_id), lost_by=call.lease_owner, worker_id=worker_id)
    return Orphan(
        call_id=call_id,
        lease_token=token,
        phone_number=call.phone_number,
        from_number=call.from_number,
        provider_call_id=call.provider_call_id,
        dialing_at=call.dialing_at,
        answered_at=call.answered_at,
        known_provider_ids=known,
    )


def settle_orphan(db: Database, announcer: Announcer, finding: OrphanFinding) -> bool:
    """Write what the carrier said about an orphan; False when nothing could be decided yet, or it is fenced."""
    with db.transaction() as tx:
        found = lock_dialled(tx, finding.call_id, finding.lease_token)
        if found is None:
            return False
        call, campaign = found
        if not finding.asked and not _asked_long_enough(tx, call):
            calls.give_lease_back(tx, call.call_id)
            return False
        conclude(tx, announcer, call, campaign, _end_of(tx, call, finding))
    _finish(db, call)
    return True


def _end_of(tx: Tx, call: HeldCall, finding: OrphanFinding) -> End:
    """Decide how an orphan ended. A call the carrier once named and no longer knows is ambiguous, not undialled."""
    doubted = calls.first_event_at(tx, call.call_id, DOUBTED) is not None
    reason = EndReason.CARRIER_UNKNOWN if doubted else EndReason.WORKER_LOST
    if not finding.asked:
        outcome, reason = Outcome.AMBIGUOUS, EndReason.CARRIER_UNKNOWN
    elif finding.provider_call_id is not None:
        outcome = _found_outcome(call, finding)
    elif call.provider_call_id is not None or call.answered_at is not None:
        outcome, reason = Outcome.AMBIGUOUS, EndReason.CARRIER_UNKNOWN
    else:
        outcome = Outcome.CARRIER_REFUSED
    return End(
        outcome=outcome,
        end_reason=reason,
        answered_by=call.answered_by,
        provider_call_id=finding.provider_call_id or call.provider_call_id,
        talked_s=finding.talked_s,
        answered_at=call.answered_at,
        ended_at=tx.now,
        error_message=_DOUBT if doubted else "the media worker of this call was lost",
    )


def _found_outcome(call: HeldCall, finding: OrphanFinding) -> Outcome:
    """Say how a call the carrier knows ended. One that was hung up because nobody carried it was not called off."""
    hung_up_by_us = finding.outcome is Outcome.CANCELLED and not call.stop_requested
    return Outcome.FAILED if finding.outcome is None or hung_up_by_us else finding.outcome


def _asked_long_enough(tx: Tx, call: HeldCall) -> bool:
    first_at = calls.first_event_at(tx, call.call_id, ORPHANED)
    return first_at is not None and first_at <= tx.now - GIVE_UP_AFTER


def _is_orphan(tx: Tx, call: HeldCall, silent_for: timedelta) -> bool:
    return call.phase in DIALLED and call.lease_until is not None and call.lease_until < tx.now - silent_for


def _in_own_transaction(db: Database, call_id: UUID, act: Callable[[Tx, HeldCall], bool]) -> bool:
    with db.transaction() as tx:
        call = calls.lock_call(tx, call_id)
        return call is not None and act(tx, call)


def _take_back(tx: Tx, call: HeldCall) -> bool:
    if call.phase is not CallPhase.CLAIMED or call.lease_until is None or call.lease_until >= tx.now:
        return False
    put_back(tx, call, EndReason.NEVER_TAKEN)
    log.warning("claim_taken_back", call_id=str(call.call_id), account_id=str(call.account_id))
    return True


def _expire(tx: Tx, call: HeldCall) -> bool:
    if call.phase is not CallPhase.SCHEDULED:
        return False
    expire(tx, call)
    log.error("call_expired", call_id=str(call.call_id), account_id=str(call.account_id))
    return True


def _give_up(db: Database, announcer: Announcer, call_id: UUID) -> bool:
    with db.transaction() as tx:
        seen = calls.find_call(tx, call_id)
        found = None if seen is None else lock_dialled(tx, call_id, seen.lease_token)
        if found is None or not _is_orphan(tx, found[0], GIVE_UP_AFTER):
            return False
        call, campaign = found
        never_asked = OrphanFinding(call_id, call.lease_token, asked=False)
        conclude(tx, announcer, call, campaign, _end_of(tx, call, never_asked))
    log.error("call_ambiguous", call_id=str(call_id), account_id=str(call.account_id))
    _finish(db, call)
    return True


def _finish(db: Database, call: HeldCall) -> None:
    if call.enrolment_id is not None and call.campaign_id is not None:
        finish_campaign(db, call.campaign_id)
