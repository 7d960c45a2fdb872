"""Putting leads into a campaign, with the zones each may be in.

A suppressed lead is enrolled like any other and skipped by the first tick, so that the campaign's page shows why. Once
a campaign has been started, its texts must be fillable for every lead that joins it.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from dispatcher.refusals import Conflict
from dispatcher.rules.numbers import dialable
from dispatcher.rules.zones import zone_evidence
from dispatcher.services.campaigns import found
from dispatcher.services.lead_rows import ParsedRow, save_rows
from dispatcher.services.prompts import check_campaign
from dispatcher.store.campaigns import Keep, StoredCampaign
from dispatcher.store.db import Tx
from dispatcher.store.enrolling import NewEnrolment, enrol
from dispatcher.store.leads import StoredLead, find_leads
from schema.campaigns import EnrolResult
from schema.leads import BulkMode, RowFate, RowFault
from schema.policy import Schedule
from schema.problems import ProblemCode
from schema.reasons import ReasonCode
from schema.states import CAMPAIGN_MOVES, CampaignStatus


def enrol_known(tx: Tx, account_id: UUID, campaign_id: UUID, lead_ids: Sequence[UUID]) -> EnrolResult:
    """Put known leads into a campaign; ids the account does not have are reported.

    Raises:
        Missing: the account has no such campaign.
        Conflict: the campaign is over.
        Faulty: the campaign has been started and a variable has no value for some of the leads.
    """
    campaign = _open_campaign(tx, account_id, campaign_id)
    known = _in_order(tx, account_id, lead_ids)
    faults = tuple(
        RowFault(index=index, path=f"lead_ids.{index}", message=f"No lead {lead_id} in this account", code="not_found")
        for index, lead_id in enumerate(lead_ids)
        if lead_id not in known
    )
    duplicates = len(lead_ids) - len(faults) - len(known)
    return _enrolled(tx, campaign, known, processed=len(lead_ids), duplicates=duplicates, faults=faults)


def enrol_rows(tx: Tx, account_id: UUID, campaign_id: UUID, rows: Sequence[ParsedRow], mode: BulkMode) -> EnrolResult:
    """Save leads given in full and put them into a campaign; a bad row does not fail the others.

    Raises:
        Missing: the account has no such campaign.
        Conflict: the campaign is over.
        Faulty: the campaign has been started and a variable has no value for some of the leads.
    """
    campaign = _open_campaign(tx, account_id, campaign_id)
    results = save_rows(tx, account_id, rows, mode)
    known = _in_order(tx, account_id, [row.lead_id for row in results if row.lead_id is not None])
    faults = tuple(
        RowFault(index=row.index, path=fault.path, message=fault.message, code=fault.code)
        for row in results
        for fault in row.errors
    )
    duplicates = sum(1 for row in results if row.fate is RowFate.DUPLICATE)
    return _enrolled(tx, campaign, known, processed=len(rows), duplicates=duplicates, faults=faults)


def new_enrolment(lead: StoredLead, schedule: Schedule) -> NewEnrolment:
    """Describe a lead's place in a campaign with this schedule."""
    evidence = zone_evidence(lead.phone_number, lead.timezone, schedule)
    return NewEnrolment(
        lead_id=lead.lead_id,
        phone_number=lead.phone_number,
        zones=evidence.zones,
        zone_source=evidence.source,
        skip_reason=None if dialable(lead.phone_number) is None else ReasonCode.NUMBER_INVALID,
    )


def _enrolled(
    tx: Tx,
    campaign: StoredCampaign,
    known: Mapping[UUID, StoredLead],
    *,
    processed: int,
    duplicates: int,
    faults: tuple[RowFault, ...],
) -> EnrolResult:
    new = tuple(new_enrolment(lead, campaign.body.schedule) for lead in known.values())
    added = enrol(tx, campaign.account_id, campaign.campaign_id, new)
    if campaign.status is not CampaignStatus.DRAFT and added:
        check_campaign(tx, campaign.campaign_id, campaign.body.call_config, tuple(added))
    return EnrolResult(
        campaign_id=campaign.campaign_id,
        total_processed=processed,
        enrolled=len(added),
        already_enrolled=len(known) - len(added),
        duplicates=duplicates,
        number_invalid=sum(1 for one in new if one.skip_reason is not None and one.lead_id in added),
        invalid=len({fault.index for fault in faults}),
        errors=faults,
    )


def _in_order(tx: Tx, account_id: UUID, lead_ids: Sequence[UUID]) -> dict[UUID, StoredLead]:
    found_leads = find_leads(tx, account_id, lead_ids)
    return {lead_id: found_leads[lead_id] for lead_id in lead_ids if lead_id in found_leads}


def _open_campaign(tx: Tx, account_id: UUID, campaign_id: UUID) -> StoredCampaign:
    campaign = found(tx, account_id, campaign_id, keep=Keep.STATUS)
    if not CAMPAIGN_MOVES[campaign.status]:
        raise Conflict(
            f"The campaign is {campaign.status.value}; leads can be added to one that is not over",
            campaign.status.value,
            ProblemCode.INVALID_STATE_TRANSITION,
        )
    return campaign
