"""/v1/campaigns: who is to be called by which rules, started and stopped."""

from http import HTTPStatus

from api.context import Ask
from api.requests import read_lead_rows
from api.routes.paths import CampaignPath
from api.routing import MAX_BATCH_BYTES, Routes
from dispatcher.services import campaign_moves, campaigns, enrol, why
from dispatcher.services.once import Reply
from dispatcher.store.db import Tx
from schema.account import Scope
from schema.campaigns import (
    Campaign,
    CampaignQuery,
    CreateCampaign,
    EnrolLeads,
    EnrolledLead,
    EnrolledLeadQuery,
    EnrolResult,
    StopQuery,
)
from schema.pages import Page
from schema.records import CampaignStats

routes = Routes("campaigns", "Campaigns")

_MOVE_PROBLEMS = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT)


@routes.route_to("POST", "/campaigns", needs=Scope.CAMPAIGNS_WRITE, replies={HTTPStatus.CREATED: Campaign})
def create_campaign(ask: Ask, tx: Tx, body: CreateCampaign) -> Reply:
    """Create a campaign as a draft; add leads, then start it."""
    campaign = campaigns.create_campaign(
        tx,
        ask.caller.account_id,
        body,
        account_from=ask.caller.from_number,
        installation_from=ask.context.settings.from_number,
    )
    return Reply(HTTPStatus.CREATED, campaign)


@routes.route_to("GET", "/campaigns", needs=Scope.CAMPAIGNS_READ, replies={HTTPStatus.OK: Page[Campaign]})
def list_campaigns(ask: Ask, query: CampaignQuery) -> Page[Campaign]:
    """List campaigns, newest first."""
    return campaigns.find_page(ask.context.db, ask.caller.account_id, query)


@routes.route_to(
    "GET",
    "/campaigns/<uuid:campaign_id>",
    needs=Scope.CAMPAIGNS_READ,
    replies={HTTPStatus.OK: Campaign},
    problems=(HTTPStatus.NOT_FOUND,),
)
def get_campaign(ask: Ask, path: CampaignPath) -> Campaign:
    """Read a campaign with its statistics."""
    return campaigns.get_campaign(ask.context.db, ask.caller.account_id, path.campaign_id)


@routes.route_to(
    "GET",
    "/campaigns/<uuid:campaign_id>/stats",
    needs=Scope.CAMPAIGNS_READ,
    replies={HTTPStatus.OK: CampaignStats},
    problems=(HTTPStatus.NOT_FOUND,),
)
def get_stats(ask: Ask, path: CampaignPath) -> CampaignStats:
    """Count a campaign's leads and calls."""
    return campaigns.campaign_stats(ask.context.db, ask.caller.account_id, path.campaign_id)


@routes.route_to(
    "POST",
    "/campaigns/<uuid:campaign_id>/start",
    needs=Scope.CAMPAIGNS_WRITE,
    replies={HTTPStatus.OK: Campaign},
    problems=_MOVE_PROBLEMS,
)
def start_campaign(ask: Ask, tx: Tx, path: CampaignPath) -> Reply:
    """Start a draft, at once or from its start_at on; every variable of its texts must have a value for every lead."""
    return Reply(HTTPStatus.OK, campaign_moves.start_campaign(tx, ask.caller.account_id, path.campaign_id))


@routes.route_to(
    "POST",
    "/campaigns/<uuid:campaign_id>/pause",
    needs=Scope.CAMPAIGNS_WRITE,
    replies={HTTPStatus.OK: Campaign},
    problems=_MOVE_PROBLEMS,
)
def pause_campaign(ask: Ask, tx: Tx, path: CampaignPath) -> Reply:
    """Stop dialling; live calls finish."""
    return Reply(HTTPStatus.OK, campaign_moves.pause_campaign(tx, ask.caller.account_id, path.campaign_id))


@routes.route_to(
    "POST",
    "/campaigns/<uuid:campaign_id>/resume",
    needs=Scope.CAMPAIGNS_WRITE,
    replies={HTTPStatus.OK: Campaign},
    problems=_MOVE_PROBLEMS,
)
def resume_campaign(ask: Ask, tx: Tx, path: CampaignPath) -> Reply:
    """Go on after a pause."""
    return Reply(HTTPStatus.OK, campaign_moves.resume_campaign(tx, ask.caller.account_id, path.campaign_id))


@routes.route_to(
    "POST",
    "/campaigns/<uuid:campaign_id>/stop",
    needs=Scope.CAMPAIGNS_WRITE,
    replies={HTTPStatus.OK: Campaign},
    problems=_MOVE_PROBLEMS,
)
def stop_campaign(ask: Ask, tx: Tx, path: CampaignPath, query: StopQuery) -> Reply:
    """End a campaign for good; nobody who waits is called any more."""
    return Reply(
        HTTPStatus.OK,
        campaign_moves.stop_campaign(tx, ask.caller.account_id, path.campaign_id, hangup=query.hangup),
    )


@routes.route_to(
    "POST",
    "/campaigns/<uuid:campaign_id>/leads",
    needs=Scope.CAMPAIGNS_WRITE,
    replies={HTTPStatus.OK: EnrolResult},
    problems=_MOVE_PROBLEMS,
    max_bytes=MAX_BATCH_BYTES,
)
def enrol_leads(ask: Ask, tx: Tx, path: CampaignPath, body: EnrolLeads) -> Reply:
    """Add leads, known ones by id or new ones in full; bad rows are reported and do not fail the others."""
    account_id = ask.caller.account_id
    if body.lead_ids is not None:
        return Reply(HTTPStatus.OK, enrol.enrol_known(tx, account_id, path.campaign_id, body.lead_ids))
    rows = read_lead_rows(body.leads or ())
    return Reply(HTTPStatus.OK, enrol.enrol_rows(tx, account_id, path.campaign_id, rows, body.mode))


@routes.route_to(
    "GET",
    "/campaigns/<uuid:campaign_id>/leads",
    needs=Scope.CAMPAIGNS_READ,
    replies={HTTPStatus.OK: Page[EnrolledLead]},
    problems=(HTTPStatus.NOT_FOUND,),
)
def list_enrolled(ask: Ask, path: CampaignPath, query: EnrolledLeadQuery) -> Page[EnrolledLead]:
    """List a campaign's leads in the order they were added, with what stands in the way of each."""
    return why.find_page(ask.context.db, ask.caller.account_id, path.campaign_id, query)
