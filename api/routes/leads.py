"""/v1/leads: people to call."""

from http import HTTPStatus

from api.context import Ask
from api.requests import read_lead_rows
from api.routes.paths import LeadPath
from api.routing import MAX_BATCH_BYTES, Routes
from dispatcher.services import leads
from dispatcher.services.once import Reply
from dispatcher.store.db import Tx
from schema.account import Scope
from schema.leads import BulkLeads, BulkResult, CreateLead, Lead, LeadQuery, PatchLead, SavedLead
from schema.pages import Page

routes = Routes("leads", "Leads")


@routes.route_to(
    "POST", "/leads", needs=Scope.LEADS_WRITE, replies={HTTPStatus.CREATED: SavedLead, HTTPStatus.OK: SavedLead}
)
def save_lead(ask: Ask, tx: Tx, body: CreateLead) -> Reply:
    """Create a lead, or update the one with the same number.

    201 when the number is new; 200 with existed true when the given fields were merged into a known lead.
    """
    lead = leads.save_lead(tx, ask.caller.account_id, body)
    return Reply(HTTPStatus.OK if lead.existed else HTTPStatus.CREATED, lead)


@routes.route_to("GET", "/leads", needs=Scope.LEADS_READ, replies={HTTPStatus.OK: Page[Lead]})
def list_leads(ask: Ask, query: LeadQuery) -> Page[Lead]:
    """List leads, newest first."""
    return leads.find_page(ask.context.db, ask.caller.account_id, query)


@routes.route_to(
    "POST",
    "/leads/bulk",
    needs=Scope.LEADS_WRITE,
    replies={HTTPStatus.OK: BulkResult},
    max_bytes=MAX_BATCH_BYTES,
)
def save_many(ask: Ask, tx: Tx, body: BulkLeads) -> Reply:
    """Save up to 2,000 leads; bad rows are reported and do not fail the others."""
    rows = read_lead_rows(body.leads)
    return Reply(HTTPStatus.OK, leads.save_many(tx, ask.caller.account_id, rows, body.mode))


@routes.route_to(
    "GET",
    "/leads/<uuid:lead_id>",
    needs=Scope.LEADS_READ,
    replies={HTTPStatus.OK: Lead},
    problems=(HTTPStatus.NOT_FOUND,),
)
def get_lead(ask: Ask, path: LeadPath) -> Lead:
    """Read a lead."""
    return leads.get_lead(ask.context.db, ask.caller.account_id, path.lead_id)


@routes.route_to(
    "PATCH",
    "/leads/<uuid:lead_id>",
    needs=Scope.LEADS_WRITE,
    replies={HTTPStatus.OK: Lead},
    problems=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def patch_lead(ask: Ask, tx: Tx, path: LeadPath, body: PatchLead) -> Reply:
    """Change the given fields of a lead; its place in campaigns follows."""
    return Reply(HTTPStatus.OK, leads.patch_lead(tx, ask.caller.account_id, path.lead_id, body))
