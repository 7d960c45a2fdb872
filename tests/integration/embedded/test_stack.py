"""The embedded servers serve, keep their data, and come from where they should."""

import os
from pathlib import Path

import psycopg
import pytest
import redis
from kombu.connection import Connection
from sqlalchemy.engine import make_url

from deploy.embedded.errors import EnvironmentAddressError, ServerFailed, StackInUse
from deploy.embedded.folders import StackFolders
from deploy.embedded.servers import forget_dead_postmaster
from deploy.embedded.stack import StackAddresses, controlled_stack, running_stack
from tests.integration.embedded.outside import LINUX, NEEDS_PROC, is_running
from tests.integration.embedded.stacks import NO_SERVERS_NAMED, nobody_uses


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose cluster is made once for all tests of this file."""
    return tmp_path_factory.mktemp("stack")


def database(addresses: StackAddresses) -> psycopg.Connection[tuple[object, ...]]:
    plain = make_url(addresses.database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True)


def broker(addresses: StackAddresses) -> redis.Redis:
    return redis.Redis.from_url(addresses.redis_py_url)


def test_a_second_run_finds_the_data_of_the_first_and_nothing_runs_in_between(data_dir: Path) -> None:
    with running_stack(data_dir, NO_SERVERS_NAMED) as first:
        assert first.postgres_pid is not None
        assert first.redis_pid is not None
        assert first.run_dir is not None
        with database(first) as connection:
            connection.execute("create table kept as select 7 as number")
        broker(first).set("kept", 7)
    assert not is_running(first.postgres_pid)
    assert not is_running(first.redis_pid)
    assert not first.run_dir.exists()
    assert nobody_uses(data_dir)

    with running_stack(data_dir, NO_SERVERS_NAMED) as second:
        with database(second) as connection:
            assert connection.execute("select number from kept").fetchall() == [(7,)]
        assert broker(second).get("kept") == b"7"


def test_the_servers_are_roomy_durable_and_deaf_to_the_network(data_dir: Path) -> None:
    with running_stack(data_dir, NO_SERVERS_NAMED) as addresses:
        with database(addresses) as connection:
            names = ("max_connections", "shared_buffers", "fsync", "listen_addresses")
            settings = [connection.execute(f"show {name}").fetchall()[0][0] for name in names]
        assert settings == ["200", "128MB", "on", ""]
        configured = broker(addresses).config_get("*")
        assert configured["port"] == "0"
        assert configured["appendonly"] == "yes"
        assert configured["maxmemory-policy"] == "noeviction"
        assert addresses.run_dir is not None
        assert addresses.run_dir.stat().st_mode & 0o777 == 0o700


def test_kombu_carries_messages_over_the_broker_url(data_dir: Path) -> None:
    with running_stack(data_dir, NO_SERVERS_NAMED) as addresses, Connection(addresses.redis_url) as connection:  # type: ignore[no-untyped-call]
        queue = connection.SimpleQueue("calls")
        queue.put({"call_id": 1})
        message = queue.get(timeout=5)
        message.ack()
        assert message.payload == {"call_id": 1}
        queue.close()


def test_a_crashed_broker_comes_back_with_its_queue_on_the_same_address(data_dir: Path) -> None:
    with controlled_stack(data_dir) as control:
        before = control.addresses
        broker(before).rpush("queue", "waiting")
        control.kill_redis()
        assert control.addresses.redis_pid is None
        with pytest.raises(redis.ConnectionError):
            broker(before).ping()
        control.start_redis()
        assert control.addresses.redis_pid not in {None, before.redis_pid}
        assert broker(before).lpop("queue") == b"waiting"


def test_a_crashed_database_comes_back_with_every_commit_on_the_same_address(data_dir: Path) -> None:
    with controlled_stack(data_dir) as control:
        before = control.addresses
        with database(before) as connection:
            connection.execute("create table committed as select 1 as number")
            control.kill_postgres()
            assert control.addresses.postgres_pid is None
            with pytest.raises(psycopg.OperationalError):
                connection.execute("select 1")
        control.start_postgres()
        with database(before) as connection:
            assert connection.execute("select number from committed").fetchall() == [(1,)]


def test_a_second_start_on_the_same_directory_is_refused_and_leaves_the_first_alone(data_dir: Path) -> None:
    with running_stack(data_dir, NO_SERVERS_NAMED) as first:
        with (
            pytest.raises(StackInUse, match="already runs"),
            running_stack(data_dir, NO_SERVERS_NAMED),
        ):
            pass
        with database(first) as connection:
            assert connection.execute("select 1").fetchall() == [(1,)]
        assert broker(first).ping()


def test_a_half_made_cluster_is_wiped_and_made_again(tmp_path: Path) -> None:
    unfinished = tmp_path / "postgres.unfinished"
    (unfinished / "base").mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    with running_stack(tmp_path, NO_SERVERS_NAMED) as addresses, database(addresses) as connection:
        assert connection.execute("select 1").fetchall() == [(1,)]
    assert not unfinished.exists()


@pytest.mark.skipif(not LINUX, reason=NEEDS_PROC)
def test_a_pid_file_that_names_another_program_is_removed_and_that_of_a_living_postmaster_kept(data_dir: Path) -> None:
    pid_file = data_dir / "postgres" / "postmaster.pid"
    with running_stack(data_dir, NO_SERVERS_NAMED):
        forget_dead_postmaster(StackFolders(data_dir, data_dir, servers_lock_fd=-1))
        assert pid_file.exists()
    pid_file.write_text(f"{os.getpid()}\n")
    forget_dead_postmaster(StackFolders(data_dir, data_dir, servers_lock_fd=-1))
    assert not pid_file.exists()


def test_a_server_that_cannot_start_shows_the_end_of_its_log(data_dir: Path) -> None:
    version = data_dir / "postgres" / "PG_VERSION"
    with running_stack(data_dir, NO_SERVERS_NAMED):
        right = version.read_text()
    version.write_text("9.6\n")
    try:
        with (
            pytest.raises(ServerFailed, match=r"(?s)PostgreSQL.*FATAL.*incompatible"),
            controlled_stack(data_dir),
        ):
            pass
    finally:
        version.write_text(right)
    assert nobody_uses(data_dir)


@pytest.mark.parametrize("broker_variable", ["REDIS_URL", "CELERY_BROKER_URL"])
def test_servers_named_in_the_environment_are_used_and_none_is_started(tmp_path: Path, broker_variable: str) -> None:
    named = {"DATABASE_URL": "postgresql+psycopg://app@db/app", broker_variable: "redis+socket:///run/r.sock"}
    with running_stack(tmp_path / "never-made", named) as addresses:
        assert addresses == StackAddresses(
            database_url="postgresql+psycopg://app@db/app",
            redis_url="redis+socket:///run/r.sock",
            redis_py_url="unix:///run/r.sock",
        )
    assert not (tmp_path / "never-made").exists()


@pytest.mark.parametrize(
    "named",
    [
        {"DATABASE_URL": "postgresql://db/app"},
        {"REDIS_URL": "redis://cache"},
        {"DATABASE_URL": "postgresql://db/app", "CELERY_BROKER_URL": "amqp://rabbit"},
    ],
)
def test_an_environment_that_names_half_a_stack_is_an_error(tmp_path: Path, named: dict[str, str]) -> None:
    with pytest.raises(EnvironmentAddressError, match="set"), running_stack(tmp_path, named):
        pass
