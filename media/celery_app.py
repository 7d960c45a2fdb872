"""The Celery application of media workers: `celery -A media.celery_app worker -P threads -c $MEDIA_SLOTS -Q media`.

A bootstep gives the worker its host: started before the first message is fetched, drained before the pool stops.
"""

import sys
from functools import cache

from celery import Celery, bootsteps
from celery.apps.worker import Worker

from media.desk import Desk, configure_logging, make_app
from media.host.host import MediaHost
from media.settings import MediaSettings
from media.tasks import register
from schema.settings import ConfigurationError

CONNECTIONS_PER_WORKER = 6
BAD_CONFIGURATION = 2


class HostStep(bootsteps.StartStopStep):  # type: ignore[misc]
    """Starts and drains the media host with its worker."""

    requires = ("celery.worker.components:Pool",)

    def start(self, worker: Worker) -> None:
        """Start the host; no message is consumed before it returns."""
        worker.app.media_host.start()

    def stop(self, worker: Worker) -> None:
        """Drain: the consumer is stopped already, the pool still runs its tasks."""
        worker.app.media_host.drain()
        worker.app.media_host.stop()


@cache
def build() -> Celery:
    """Build this process's application from the environment."""
    settings = MediaSettings.load()
    configure_logging(settings.log_level)
    app = make_app(settings, name="media")
    app.conf.worker_disable_prefetch = True
    app.conf.worker_concurrency = settings.media_slots
    app.media_host = MediaHost(settings, Desk(settings, app, connections=CONNECTIONS_PER_WORKER))
    register(app, app.media_host)
    app.steps["worker"].add(HostStep)
    return app


def __getattr__(name: str) -> Celery:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return build()
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(BAD_CONFIGURATION)
