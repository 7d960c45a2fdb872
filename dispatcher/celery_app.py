"""The Celery application: how messages travel, never what they mean.

Messages are hints, acknowledged before the work and stored nowhere: the database recovers what a dead worker leaves.
`celery -A dispatcher.celery_app` builds `app` from the environment when it is first asked for.
"""

import sys
from functools import cache

from celery import Celery
from celery.signals import setup_logging
from kombu.entity import Exchange, Queue

from dispatcher.announce import CeleryAnnouncer
from dispatcher.log import configure_logging
from dispatcher.schedule import beat_schedule
from dispatcher.settings import DispatcherSettings
from dispatcher.store.db import Database
from dispatcher.task_names import DISPATCH_QUEUE, QUEUES
from dispatcher.tasks import Workshop, register
from schema.settings import ConfigurationError, ProcessSettings

BAD_CONFIGURATION = 2

REDIS_OPTIONS: dict[str, object] = {
    "visibility_timeout": 3600,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "health_check_interval": 10,
    "retry_on_timeout": True,
}
"""Source: measured on Valkey; the sweep for unacknowledged messages otherwise runs every 100 s whatever the timeout."""

CONFIGURATION: dict[str, object] = {
    "accept_content": ["json"],
    "task_serializer": "json",
    "result_serializer": "json",
    "result_backend": None,
    "task_ignore_result": True,
    "task_store_errors_even_if_ignored": False,
    "task_acks_late": False,
    "task_reject_on_worker_lost": False,
    "task_publish_retry": False,
    "task_create_missing_queues": False,
    "task_default_queue": DISPATCH_QUEUE,
    "task_default_delivery_mode": "transient",
    "worker_prefetch_multiplier": 1,
    "worker_pool": "threads",
    "worker_hijack_root_logger": False,
    "worker_redirect_stdouts": False,
    "worker_send_task_events": False,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "broker_connection_timeout": 2,
    "broker_connection_retry_on_startup": True,
    "broker_connection_max_retries": None,
    "timezone": "UTC",
    "enable_utc": True,
}


def make_app(settings: ProcessSettings, *, name: str = "dispatcher") -> Celery:
    """Build a configured Celery application without tasks."""
    app = Celery(name, broker=settings.broker_url, set_as_current=False)
    app.conf.update(CONFIGURATION)
    app.conf.task_queues = [_queue(queue) for queue in QUEUES]
    app.conf.broker_transport_options = _transport_options(settings.broker_url)
    app.conf.beat_schedule = beat_schedule()
    setup_logging.connect(_keep_our_logging, weak=False, dispatch_uid="trunkline")
    return app


def _queue(name: str) -> Queue:
    exchange = Exchange(name, type="direct")  # type: ignore[no-untyped-call]
    return Queue(name, exchange, routing_key=name)  # type: ignore[no-untyped-call]


def _transport_options(broker_url: str) -> dict[str, object]:
    if broker_url.startswith("amqp"):
        return {"confirm_publish": True}
    return dict(REDIS_OPTIONS)


def _keep_our_logging(**_: object) -> None:
    """Stop Celery from configuring logging: a receiver of this signal takes that over."""


@cache
def _app_of_this_process() -> Celery:
    settings = DispatcherSettings.load()
    configure_logging(settings.log_level)
    app = make_app(settings)
    database = Database(settings.database_url, pool_size=settings.database_connections)
    register(app, Workshop(database, CeleryAnnouncer(app), settings))
    return app


def __getattr__(name: str) -> Celery:
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return _app_of_this_process()
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(BAD_CONFIGURATION)
