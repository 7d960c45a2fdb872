"""The web application, put together: routes, problems, request ids, numbers, documents.

`create_app` reads nothing from the environment and starts nothing; the database is reached with the first request.
"""

from flask import Flask, Response, redirect, url_for
from flask_openapi3.models.info import Info
from flask_openapi3.openapi import OpenAPI

from api import context, problems, request_ids
from api.doorbell import BackgroundAnnouncer
from api.metrics import Metrics
from api.routes import account, calls, campaigns, leads, suppressions
from api.routes.health import health_routes
from api.settings import ApiSettings
from dispatcher.announce import Announcer, CeleryAnnouncer
from dispatcher.celery_app import make_app
from dispatcher.services.keys import KeyRing
from dispatcher.store.db import Database
from schema.problems import Problem
from schema.records import API_VERSION

MAX_BODY_BYTES = 1024 * 1024
RESOURCES = (calls.routes, campaigns.routes, leads.routes, suppressions.routes, account.routes)

_SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key: tl_live_…"},
    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "The same key, without Bearer"},
}


def create_app(settings: ApiSettings, *, database: Database | None = None, announcer: Announcer | None = None) -> Flask:
    """Build the application.

    Without `database` it uses the one the settings name, without `announcer` it rings through the broker, in the
    background.
    """
    app = OpenAPI(
        __name__,
        info=Info(title="Trunkline", version=API_VERSION, description="AI phone calls and outbound campaigns."),
        security_schemes=dict(_SECURITY),
        doc_prefix="/docs",
        validation_error_status=400,
        validation_error_model=Problem,
    )
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]
    db = database or Database(settings.database_url, pool_size=settings.database_connections)
    bell = announcer or BackgroundAnnouncer(CeleryAnnouncer(make_app(settings, name="api")))
    context.install(app, context.Context(db, bell, KeyRing(db), settings))
    metrics = Metrics()
    request_ids.install(app)
    metrics.install(app)
    problems.install(app)
    for resource in RESOURCES:
        app.register_api(resource)
    app.register_blueprint(health_routes(metrics))
    app.add_url_rule("/docs", "docs", _to_documents)
    return app


def _to_documents() -> Response:
    return redirect(url_for("swagger.swagger"))  # type: ignore[return-value]
