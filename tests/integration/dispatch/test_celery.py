"""How messages travel: settings that keep a dead worker or broker from losing or delaying anything."""

from uuid import UUID

import pytest
from structlog.testing import capture_logs

from deploy.embedded.stack import StackAddresses
from dispatcher.announce import CeleryAnnouncer
from dispatcher.celery_app import make_app
from dispatcher.services.tick import INTERVALS_S
from dispatcher.settings import DispatcherSettings
from dispatcher.store.db import Database
from dispatcher.task_names import QUEUES
from dispatcher.tasks import Workshop, register
from schema.callspec import Claim
from schema.settings import ConfigurationError
from tests.builders.announcer import RecordingAnnouncer
from tests.builders.rows import a_campaign, an_account

CALL = UUID("564d4fd4-03bc-400a-abe0-05540fbeff88")
NOWHERE = "redis+socket:///nonexistent/redis.sock"


def settings(broker: str = NOWHERE, database: str = "postgresql+psycopg://localhost/nothing") -> DispatcherSettings:
    return DispatcherSettings.load(database_url=database, redis_url=broker, celery_broker_url="")


def test_messages_are_hints_acknowledged_early_and_stored_nowhere() -> None:
    conf = make_app(settings()).conf
    assert conf.task_ignore_result is True
    assert conf.result_backend is None
    assert conf.task_acks_late is False
    assert conf.task_reject_on_worker_lost is False
    assert conf.worker_prefetch_multiplier == 1
    assert conf.task_publish_retry is False
    assert conf.accept_content == ["json"]
    assert conf.broker_connection_max_retries is None
    assert conf.enable_utc is True


def test_the_broker_is_given_up_on_in_seconds_and_swept_often() -> None:
    options = make_app(settings()).conf.broker_transport_options
    assert options["socket_connect_timeout"] <= 2
    assert options["socket_timeout"] <= 5
    assert options["unacked_restore_interval"] * options["unacked_restore_throttle"] <= 10
    assert options["visibility_timeout"] >= 3600


def test_queues_are_declared_durable_and_direct() -> None:
    queues = make_app(settings()).conf.task_queues
    assert {queue.name for queue in queues} == set(QUEUES)
    assert all(queue.durable and queue.exchange.type == "direct" for queue in queues)


def test_rabbitmq_gets_no_options_of_redis() -> None:
    conf = make_app(settings("amqp://guest@localhost//")).conf
    assert "visibility_timeout" not in conf.broker_transport_options


def test_beat_rings_every_job_by_interval_and_lets_stale_ticks_expire() -> None:
    entries = make_app(settings()).conf.beat_schedule
    assert {name: entry["schedule"] for name, entry in entries.items()} == {
        job.value: float(seconds) for job, seconds in INTERVALS_S.items()
    }
    assert all(entry["options"]["expires"] >= entry["schedule"] for entry in entries.values())


def test_all_problems_of_the_configuration_are_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as told:
        DispatcherSettings.load(database_connections=0, log_level="loud", redis_url="", celery_broker_url="")
    text = str(told.value)
    assert "DATABASE_CONNECTIONS" in text
    assert "LOG_LEVEL" in text


def test_a_dead_broker_is_tried_once_and_then_left_alone_for_a_moment() -> None:
    now = [100.0]
    announcer = CeleryAnnouncer(make_app(settings()), monotonic=lambda: now[0])
    with capture_logs() as logs:
        for _ in range(50):
            announcer.media(Claim(CALL, 1))
        assert [log["event"] for log in logs] == ["announcement_failed"]
        now[0] += 1.5
        announcer.tick("claim")
        assert len(logs) == 2


def test_a_bell_arrives_on_its_queue_with_ids_and_token_only(stack: StackAddresses) -> None:
    app = make_app(settings(stack.redis_url))
    with app.connection_for_read() as connection:
        queue = connection.SimpleQueue("media")
        queue.clear()
        CeleryAnnouncer(app).media(Claim(CALL, 3))
        message = queue.get(timeout=5)
        assert message.headers["task"] == "media.run"
        assert message.payload[0] == [str(CALL), 3]
        message.ack()
        queue.close()


def test_a_worker_task_parses_its_message_and_calls_one_service(db: Database) -> None:
    app = make_app(settings())
    announcer = RecordingAnnouncer()
    register(app, Workshop(db, announcer, settings()))
    campaign = a_campaign(db, an_account(db))
    assert campaign
    app.tasks["dispatch.tick"]("claim")
    app.tasks["post.analyse"](str(CALL), 0)
    app.tasks["deliver.send"](str(CALL), 0)
    assert announcer.claims == []
