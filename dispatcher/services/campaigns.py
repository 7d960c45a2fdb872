"""Campaigns written down and read back: a draft with the first version of its rules.

Rules that can never lead to a call are refused here, before a lead waits for them. Starting and stopping is
`dispatcher.services.campaign_moves`.
"""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from dispatcher.refusals import Faulty, Missing
from dispatcher.rules.legal_hours import DEFAULT_HOURS, LEGAL_ROWS
from dispatcher.rules.windows import Layer, Windows, compile_windows, narrowed, next_opening
from dispatcher.services.campaign_record import campaign_record
from dispatcher.services.cursors import cursor_at, slice_of
from dispatcher.services.lead_rows import number_fault
from dispatcher.store.campaigns import Keep, StoredCampaign, add_campaign, find_campaign, list_campaigns
from dispatcher.store.db import Database, Tx
from dispatcher.store.slices import Position
from schema.campaigns import Campaign, CampaignQuery, CreateCampaign
from schema.pages import Page
from schema.policy import Schedule
from schema.problems import FieldFault
from schema.records import CampaignStats

_LEGAL_LAYERS = tuple(Layer(hours, None) for hours in {DEFAULT_HOURS, *(row.hours for row in LEGAL_ROWS)})
"""Every legal day there is: a lead may be anywhere."""


def create_campaign(
    tx: Tx, account_id: UUID, body: CreateCampaign, *, account_from: str | None, installation_from: str | None
) -> Campaign:
    """Create a draft; without caller ids of its own it shows the account's, else the installation's.

    Raises:
        Faulty: a caller id cannot exist or there is none, or nobody could ever be called by the schedule.
    """
    named = bool(body.from_numbers or body.call_config.from_number or account_from)
    if not named and installation_from is not None:
        body = body.model_copy(update={"from_numbers": (installation_from,)})
    faults = (*_caller_id_faults(body, account_from), *_schedule_faults(body.schedule, tx.now))
    if faults:
        raise Faulty(*faults)
    campaign_id = add_campaign(tx, account_id, body.name, body)
    return campaign_view(found(tx, account_id, campaign_id))


def get_campaign(db: Database, account_id: UUID, campaign_id: UUID) -> Campaign:
    """Read one campaign with its statistics.

    Raises:
        Missing: the account has no such campaign.
    """
    with db.transaction() as tx:
        campaign = found(tx, account_id, campaign_id)
        return campaign_view(campaign, _stats(tx, campaign_id))


def campaign_stats(db: Database, account_id: UUID, campaign_id: UUID) -> CampaignStats:
    """Count a campaign's leads and calls.

    Raises:
        Missing: the account has no such campaign.
    """
    with db.transaction() as tx:
        found(tx, account_id, campaign_id)
        return _stats(tx, campaign_id)


def find_page(db: Database, account_id: UUID, query: CampaignQuery) -> Page[Campaign]:
    """List the account's campaigns, newest first, without statistics.

    Raises:
        Faulty: the cursor is not one of ours.
    """
    with db.transaction() as tx:
        listed = list_campaigns(tx, account_id, query.status, slice_of(query))
    last = listed.rows[-1] if listed.more else None
    return Page[Campaign](
        data=tuple(campaign_view(campaign) for campaign in listed.rows),
        has_more=listed.more,
        next_cursor=cursor_at(Position(last.created_at, last.campaign_id)) if last else None,
    )


def found(tx: Tx, account_id: UUID, campaign_id: UUID, *, keep: Keep | None = None) -> StoredCampaign:
    """Read a campaign that has to be there.

    Raises:
        Missing: the account has no such campaign.
    """
    campaign = find_campaign(tx, account_id, campaign_id, keep=keep)
    if campaign is None:
        raise Missing("Campaign")
    return campaign


def campaign_view(campaign: StoredCampaign, stats: CampaignStats | None = None) -> Campaign:
    """Show a campaign."""
    body = campaign.body
    return Campaign(
        id=campaign.campaign_id,
        account_id=campaign.account_id,
        name=campaign.name,
        status=campaign.status,
        status_reason=campaign.status_reason,
        version=campaign.version,
        call_config=body.call_config,
        from_numbers=body.from_numbers,
        from_strategy=body.from_strategy,
        schedule=body.schedule,
        pacing=body.pacing,
        retry=body.retry,
        contact_limits=body.contact_limits,
        quota=body.quota,
        webhook_url=body.webhook_url,
        webhook_events=body.webhook_events,
        metadata=body.metadata,
        created_at=campaign.created_at,
        updated_at=campaign.updated_at,
        started_at=campaign.started_at,
        completed_at=campaign.completed_at,
        stats=stats,
    )


def _stats(tx: Tx, campaign_id: UUID) -> CampaignStats:
    record = campaign_record(tx, campaign_id)
    if record is None:
        raise Missing("Campaign")
    return record.stats


def _caller_id_faults(body: CreateCampaign, account_from: str | None) -> Iterator[FieldFault]:
    named = [(f"from_numbers.{position}", number) for position, number in enumerate(body.from_numbers)]
    if body.call_config.from_number is not None:
        named.append(("call_config.from_number", body.call_config.from_number))
    for path, number in named:
        fault = number_fault(number, path)
        if fault is not None:
            yield fault
    if not named and account_from is None:
        yield FieldFault(
            path="from_numbers",
            message="No caller id: give from_numbers, or set a default number for the account",
            code="no_caller_id",
        )


def _schedule_faults(schedule: Schedule, now: datetime) -> Iterator[FieldFault]:
    if schedule.end_at is not None and schedule.end_at <= now:
        yield FieldFault(path="schedule.end_at", message="Has passed already; give a later instant", code="never_opens")
        return
    begin = max(now, schedule.start_at or now)
    openings = [next_opening(windows, (schedule.timezone,), begin) for windows in _windows(schedule)]
    firsts = [opening for opening in openings if opening is not None]
    if not firsts:
        yield FieldFault(
            path="schedule.windows",
            message="The windows never open within legal calling hours in the 14 days after the start; widen them "
            "towards 08:00 to 21:00 or take dates off blackout_dates",
            code="never_opens",
        )
    elif schedule.end_at is not None and min(firsts) >= schedule.end_at:
        yield FieldFault(
            path="schedule.end_at",
            message=f"The windows first open at {min(firsts).isoformat()}, after the end; move end_at or the windows",
            code="never_opens",
        )


def _windows(schedule: Schedule) -> Iterator[Windows]:
    own = compile_windows(schedule)
    if not schedule.respect_legal_hours:
        yield own
        return
    for layer in _LEGAL_LAYERS:
        yield narrowed(own, layer)
