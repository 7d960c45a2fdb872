"""For whoever runs the process: is it alive, can it serve, what does it count. No key needed."""

from flask import Blueprint, Response, jsonify

from api.context import context_of_app
from api.metrics import Metrics


def health_routes(metrics: Metrics) -> Blueprint:
    """Make the routes; `metrics` are the app's own."""
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    def healthz() -> Response:
        return jsonify(status="ok")

    @routes.get("/readyz")
    def readyz() -> Response:
        with context_of_app().db.transaction():
            return jsonify(status="ok", database="ok")

    routes.add_url_rule("/metrics", "metrics", metrics.text)
    return routes
