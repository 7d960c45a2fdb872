"""Where each lead of a campaign stands, and what stands in its way: the verdict of `decide` at this instant.

A lead that is on the phone has nothing in its way. A closed one keeps the reason it was closed for. Whether a lead that
may be called is next is the tick's business, not shown here.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never
from uuid import UUID

from dispatcher.rules.decide import decide
from dispatcher.rules.facts import Allow, Capacity, History, LeadFacts, Never, Wait
from dispatcher.rules.policy import Policy
from dispatcher.rules.standing import PERMANENT_OUTCOMES
from dispatcher.services.campaigns import found
from dispatcher.services.cursors import cursor_after, sequence_of
from dispatcher.services.dealing import campaign_room, dials_today
from dispatcher.services.policies import policy_of
from dispatcher.store import live
from dispatcher.store.db import Database, Tx
from dispatcher.store.due import candidate_of
from dispatcher.store.enrolment_lists import EnrolledRow, list_enrolled
from schema.campaigns import EnrolledLead, EnrolledLeadQuery, WhyNot
from schema.pages import Page
from schema.reasons import REASONS, Hold, ReasonCode
from schema.states import WAITING_ENROLMENTS, CampaignStatus, EnrolmentState

_NEEDS_A_PERSON = frozenset({Hold.NEVER, Hold.PERSON})
_ON_THE_PHONE = frozenset({EnrolmentState.CLAIMED, EnrolmentState.IN_CALL})


@dataclass(frozen=True, slots=True)
class _Judge:
    """What the leads of one page are judged by."""

    policy: Policy
    capacity: Capacity


def find_page(db: Database, account_id: UUID, campaign_id: UUID, query: EnrolledLeadQuery) -> Page[EnrolledLead]:
    """List a campaign's leads in the order they were enrolled.

    Raises:
        Missing: the account has no such campaign.
        Faulty: the cursor is not one of ours.
    """
    with db.transaction() as tx:
        campaign = found(tx, account_id, campaign_id)
        after = sequence_of(query)
        listed = list_enrolled(tx, campaign_id, query.state, after_seq=after, limit=query.limit)
        policy = policy_of(tx, campaign.policy_version_id, campaign.status)
        judge = _Judge(policy, _capacity(tx, account_id, policy))
        leads = tuple(_shown(tx, row, judge) for row in listed.rows)
    return Page[EnrolledLead](
        data=leads,
        has_more=listed.more,
        next_cursor=cursor_after(listed.rows[-1].seq) if listed.more else None,
    )


def _shown(tx: Tx, row: EnrolledRow, judge: _Judge) -> EnrolledLead:
    why = _why(tx, row, judge)
    waits = row.state in WAITING_ENROLMENTS
    budget = judge.policy.max_attempts
    return EnrolledLead(
        lead_id=row.lead_id,
        phone_number=row.phone_number,
        name=row.name,
        state=row.state,
        attempts_used=row.attempts_used,
        attempts_left=max(0, budget - row.attempts_used),
        next_attempt_at=_next_at(row, why, tx.now) if waits else None,
        zones=row.zones,
        zone_source=row.zone_source,
        last_call_id=row.last_call_id,
        last_outcome=row.last_outcome,
        disposition=row.disposition,
        why=why,
        enrolled_at=row.enrolled_at,
    )


def _next_at(row: EnrolledRow, why: WhyNot | None, now: datetime) -> datetime | None:
    """Say when the lead is looked at next; None when a person has to act first."""
    if why is not None and REASONS[why.code].hold in _NEEDS_A_PERSON:
        return None
    return max(row.next_due_at, now) if why is None or why.until is None else why.until


def _why(tx: Tx, row: EnrolledRow, judge: _Judge) -> WhyNot | None:
    if row.state in _ON_THE_PHONE:
        return None
    if row.state not in WAITING_ENROLMENTS:
        return _explained(_closed_by(row, judge.policy), None)
    lead, history = _facts(tx, row, judge.policy)
    ring_s = judge.policy.body.call_config.ring_timeout
    verdict = decide(lead, judge.policy, history, judge.capacity, tx.now, ring_s=ring_s)
    match verdict:
        case Allow():
            return None
        case Wait(reasons=reasons) | Never(reasons=reasons):
            return _explained(reasons[0].code, reasons[0].until)
        case _:
            assert_never(verdict)


def _closed_by(row: EnrolledRow, policy: Policy) -> ReasonCode:
    """Name what closed an enrolment, from what was written when it closed."""
    match row.state:
        case EnrolmentState.SKIPPED if row.skip_reason is not None:
            return row.skip_reason
        case EnrolmentState.EXPIRED if row.blocked_by is not None:
            return row.blocked_by
        case EnrolmentState.COMPLETED:
            return ReasonCode.REACHED
        case EnrolmentState.EXHAUSTED:
            return _exhausted_by(row, policy)
        case _:
            return ReasonCode.CAMPAIGN_ENDED


def _exhausted_by(row: EnrolledRow, policy: Policy) -> ReasonCode:
    if row.last_outcome in PERMANENT_OUTCOMES:
        return ReasonCode.PERMANENT_FAILURE
    return ReasonCode.NOT_RETRIED if row.attempts_used < policy.max_attempts else ReasonCode.BUDGET_SPENT


def _facts(tx: Tx, row: EnrolledRow, policy: Policy) -> tuple[LeadFacts, History]:
    """Gather what the rules must know; a campaign that does not run blocks before they ask about past dials."""
    if policy.status is CampaignStatus.RUNNING:
        candidate = candidate_of(tx, row.enrolment_id, policy.lookback)
        return candidate.lead, candidate.history
    lead = LeadFacts(
        lead_id=row.lead_id,
        phone_number=row.phone_number,
        zones=row.zones,
        zone_source=row.zone_source,
        opted_out=row.opted_out,
        suppressed=row.suppressed,
    )
    history = History(
        state=row.state,
        attempts_used=row.attempts_used,
        refusals_used=row.refusals_used,
        last_outcome=row.last_outcome,
        next_due_at=row.next_due_at,
        callback_at=row.callback_at,
        live_call=False,
        dials_at=(),
    )
    return lead, history


def _explained(code: ReasonCode, until: datetime | None) -> WhyNot:
    facts = REASONS[code]
    return WhyNot(code=code, hold=facts.hold, text=facts.manager, fix=facts.fix, until=until)


def _capacity(tx: Tx, account_id: UUID, policy: Policy) -> Capacity:
    """Count what is free for this campaign now, as the tick does."""
    account = live.account_rooms(tx, (account_id,))[account_id]
    load = live.campaign_loads(tx, (policy.campaign_id,))[policy.campaign_id]
    room = campaign_room(policy, load, dials_today(tx, policy))
    minutes = policy.body.quota.max_minutes
    return Capacity(
        media_free=live.media_slots_free(tx),
        account_live_free=account.live_free,
        account_starts_free=account.starts_free,
        campaign_live_free=room,
        campaign_starts_free=room,
        campaign_day_free=None,
        caller_ids_free=1,
        quota_available_s=account.available_s,
        campaign_quota_free_s=None if minutes is None else minutes * 60 - load.spoken_for_s,
    )
