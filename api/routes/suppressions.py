"""/v1/suppressions: numbers never to be called."""

from http import HTTPStatus

from api.context import Ask
from api.routes.paths import SuppressionPath
from api.routing import Routes
from dispatcher.services import suppressions
from dispatcher.services.once import Reply
from dispatcher.store.db import Tx
from schema.account import Scope
from schema.leads import CreateSuppression, Deleted, Suppression, SuppressionQuery
from schema.pages import Page

routes = Routes("suppressions", "Suppressions")


@routes.route_to(
    "POST",
    "/suppressions",
    needs=Scope.LEADS_WRITE,
    replies={HTTPStatus.CREATED: Suppression, HTTPStatus.OK: Suppression},
)
def add_suppression(ask: Ask, tx: Tx, body: CreateSuppression) -> Reply:
    """Put a number on the do-not-call list; it wins over every campaign until the last moment."""
    suppression, is_new = suppressions.add_suppression(tx, ask.caller.account_id, body)
    return Reply(HTTPStatus.CREATED if is_new else HTTPStatus.OK, suppression)


@routes.route_to("GET", "/suppressions", needs=Scope.LEADS_READ, replies={HTTPStatus.OK: Page[Suppression]})
def list_suppressions(ask: Ask, query: SuppressionQuery) -> Page[Suppression]:
    """List suppressed numbers, newest first."""
    return suppressions.find_page(ask.context.db, ask.caller.account_id, query)


@routes.route_to(
    "DELETE",
    "/suppressions/<uuid:suppression_id>",
    needs=Scope.LEADS_WRITE,
    replies={HTTPStatus.OK: Deleted},
    problems=(HTTPStatus.NOT_FOUND,),
)
def remove_suppression(ask: Ask, tx: Tx, path: SuppressionPath) -> Reply:
    """Take a number off the list; its lead may be called again."""
    return Reply(HTTPStatus.OK, suppressions.remove_suppression(tx, ask.caller.account_id, path.suppression_id))
