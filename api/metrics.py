"""What the web process counts: answers by route and status, and how long they took.

Numbers are this process' own; with PROMETHEUS_MULTIPROC_DIR set, prometheus-client adds up all workers' in that folder.
"""

import os
import time

from flask import Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

UNROUTED = "unrouted"
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)


class Metrics:
    """Counters of one app."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._answers = Counter(
            "trunkline_api_answers", "Answers sent", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "trunkline_api_answer_seconds",
            "Seconds from request to answer",
            ("method", "route"),
            buckets=BUCKETS_S,
            registry=self._registry,
        )

    def install(self, app: Flask) -> None:
        """Count every answer of the app."""
        app.before_request(self._begin)
        app.after_request(self._count)

    def text(self) -> Response:
        """Write all numbers in Prometheus' text format."""
        registry = self._registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    def _begin(self) -> None:
        g.began_s = time.perf_counter()

    def _count(self, response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule else UNROUTED
        self._answers.labels(request.method, route, str(response.status_code)).inc()
        self._seconds.labels(request.method, route).observe(time.perf_counter() - g.began_s)
        return response
