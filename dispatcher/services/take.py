"""A media worker takes a claimed call: the last gate, and the durable intent to dial, in one transaction.

The fence decides whose call it is. The same `decide` as in the tick judges again, with the campaign's status and
rules of this instant and the time the phone will ring; a call it does not allow goes back unspent. Nothing asks the
carrier before this has been committed. Follows ARCHITECTURE.md, "How one call flows".
"""

import hashlib
import secrets
from dataclasses import replace

import structlog

from dispatcher.announce import Announcer
from dispatcher.crash_points import CrashPoint, crash_point
from dispatcher.rules.facts import Allow, Capacity, LeadFacts
from dispatcher.rules.legal import legal_basis
from dispatcher.rules.policy import Policy
from dispatcher.rules.templates import fill, lead_context, missing
from dispatcher.rules.windows import wall_clock
from dispatcher.services.judging import verdict_on
from dispatcher.services.policies import policy_of
from dispatcher.services.withdraw import call_off, put_back
from dispatcher.store import callees, calls, enrolments
from dispatcher.store.calls import HeldCall
from dispatcher.store.claims import CLAIM_LEASE
from dispatcher.store.db import Database, Tx
from dispatcher.store.due import candidate_of
from dispatcher.store.enrolments import Closed, Postponed
from dispatcher.store.policies import CampaignNow, campaign_now
from schema.call_config import CallConfig
from schema.callspec import CallSpec, Claim
from schema.outcomes import EndReason
from schema.reasons import ReasonCode
from schema.states import CallPhase, EnrolmentState

log = structlog.get_logger()

DIAL_WITHIN_S = 5.0
"""The carrier may be asked this long after the take; with the carrier's own time-out it stays inside the lease."""

Gate = dict[str, object]


def take_call(db: Database, announcer: Announcer, claim: Claim, worker_id: str) -> CallSpec | None:
    """Take a claimed call for dialling; None when it is not this claim's any more, or may not be dialled now."""
    with db.transaction() as tx:
        seen = calls.find_call(tx, claim.call_id)
        if seen is None or not _is_claims(seen, claim):
            return None
        campaign = _campaign_of(tx, seen)
        call = calls.lock_call(tx, claim.call_id)
        if call is None or not _is_claims(call, claim):
            return None
        context = _context(tx, call)
        gate = _gate(tx, call, campaign)
        if gate is None:
            tx.on_commit(lambda: announcer.tick("claim"))
            return None
        spec = _spec(call, context)
        calls.mark_dialing(tx, call.call_id, _taking(tx, worker_id, spec, gate))
        calls.add_event(tx, call.call_id, call.account_id, CallPhase.DIALING.value, {"worker_id": worker_id})
        if call.enrolment_id is not None:
            enrolments.mark_in_call(tx, call.enrolment_id)
    crash_point(CrashPoint.TAKE_COMMITTED)
    log.info("call_taken", call_id=str(call.call_id), account_id=str(call.account_id), worker_id=worker_id)
    return spec


def _is_claims(call: HeldCall, claim: Claim) -> bool:
    return call.phase is CallPhase.CLAIMED and call.lease_token == claim.lease_token


def _campaign_of(tx: Tx, call: HeldCall) -> CampaignNow | None:
    """Share the lock of the campaign whose rules the call follows; None for a call outside campaigns."""
    if call.enrolment_id is None or call.campaign_id is None:
        return None
    return campaign_now(tx, call.campaign_id)


def _context(tx: Tx, call: HeldCall) -> dict[str, object]:
    """Say what the agent is told about the lead, as it stands now; what the caller gave wins."""
    if call.lead_id is None:
        return call.lead_context
    lead = callees.share_callee(tx, call.lead_id)
    return lead_context(
        name=lead.name,
        email=lead.email,
        notes=lead.notes,
        status=lead.status.value,
        metadata=lead.metadata,
        given=call.lead_context,
    )


def _gate(tx: Tx, call: HeldCall, campaign: CampaignNow | None) -> Gate | None:
    """Judge for the last time; None when the call may not be dialled and has been taken back."""
    if campaign is None or call.enrolment_id is None:
        return _direct_gate(tx, call)
    if enrolments.lock_enrolment(tx, call.enrolment_id) is not EnrolmentState.CLAIMED:
        _refuse(tx, call, ReasonCode.CAMPAIGN_ENDED)
        call_off(tx, call, EndReason.GATE_REFUSED)
        return None
    policy = policy_of(tx, campaign.policy_version_id, campaign.status)
    candidate = candidate_of(tx, call.enrolment_id, policy.lookback)
    own_call_aside = replace(candidate, history=replace(candidate.history, live_call=False))
    match verdict_on(tx, policy, Capacity.unlimited(), own_call_aside):
        case Allow():
            return _record_of_gate(tx, policy, campaign, candidate.lead)
        case Postponed() as waits:
            _refuse(tx, call, waits.reason)
            put_back(tx, call, EndReason.GATE_REFUSED, waits)
        case Closed() as closed:
            _refuse(tx, call, closed.reason)
            call_off(tx, call, EndReason.GATE_REFUSED, enrolment=closed.state, reason=closed.reason)
    return None


def _direct_gate(tx: Tx, call: HeldCall) -> Gate | None:
    bars = callees.bars_of(tx, call.account_id, call.phone_number)
    if not bars.suppressed and not bars.opted_out:
        return {"at": tx.now.isoformat(), "rules": "direct call"}
    _refuse(tx, call, ReasonCode.SUPPRESSED if bars.suppressed else ReasonCode.OPTED_OUT)
    call_off(tx, call, EndReason.GATE_REFUSED)
    return None


def _refuse(tx: Tx, call: HeldCall, reason: ReasonCode) -> None:
    calls.add_event(tx, call.call_id, call.account_id, "gate_refused", {"reason": reason.value})
    log.info("gate_refused", call_id=str(call.call_id), account_id=str(call.account_id), reason=reason.value)


def _record_of_gate(tx: Tx, policy: Policy, campaign: CampaignNow, lead: LeadFacts) -> Gate:
    """Keep what the dial was judged by: local time at every zone, where zones come from, whose hours applied."""
    return {
        "at": tx.now.isoformat(),
        "local_times": {zone: wall_clock(zone, tx.now).isoformat() for zone in lead.zones},
        "zone_source": lead.zone_source,
        "ring_s": policy.body.call_config.ring_timeout,
        "legal_basis": legal_basis(lead.phone_number) if policy.respects_law else None,
        "policy_version_id": str(campaign.policy_version_id),
    }


def _spec(call: HeldCall, context: dict[str, object]) -> CallSpec:
    config = CallConfig.model_validate(call.config)
    values = {**config.request_data, **context}
    return CallSpec(
        call_id=call.call_id,
        account_id=call.account_id,
        campaign_id=call.campaign_id,
        lease_token=call.lease_token,
        phone_number=call.phone_number,
        from_number=call.from_number,
        config=_filled(config, values),
        lead_context=context,
        stream_token=secrets.token_urlsafe(32),
        dial_deadline_s=DIAL_WITHIN_S,
        hold_s=call.hold_s,
    )


def _filled(config: CallConfig, values: dict[str, object]) -> CallConfig:
    """Fill the texts; a value that a lead lost after the campaign was checked is left empty."""
    texts = {"task": config.task, "instructions": config.instructions, "first_sentence": config.first_sentence}
    known = {**dict.fromkeys(missing(texts.values(), values), ""), **values}
    return config.model_copy(update={name: fill(text, known) for name, text in texts.items() if text is not None})


def _taking(tx: Tx, worker_id: str, spec: CallSpec, gate: Gate) -> calls.Taking:
    token_hash = hashlib.sha256(spec.stream_token.encode()).digest()
    return calls.Taking(worker_id, tx.now + CLAIM_LEASE, token_hash, gate)
