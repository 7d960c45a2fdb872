"""Whoever dies, no server stays behind, and the next start finds everything that was committed."""

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.engine import make_url

from deploy.embedded.stack import running_stack
from tests.integration.embedded.outside import (
    LINUX,
    NEEDS_PROC,
    ROOT,
    a_mark,
    line_from,
    marked,
    program,
    running_with,
    wait_until_gone,
    wait_until_nothing_runs,
)
from tests.integration.embedded.stacks import NO_SERVERS_NAMED, nobody_uses, stack_of_another_program
from tests.waiting import wait_for

pytestmark = pytest.mark.skipif(not LINUX, reason=NEEDS_PROC)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose cluster is made once for all tests of this file."""
    return tmp_path_factory.mktemp("stack")


def rows(database_url: str, statement: str) -> list[tuple[object, ...]]:
    plain = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_a_killed_program_leaves_no_server(data_dir: Path) -> None:
    mark = a_mark()
    with stack_of_another_program(data_dir, marked(mark)) as stack:
        stack.child.kill()
        wait_until_gone(*stack.servers, stack.guardian)
        wait_until_nothing_runs(mark)
        assert nobody_uses(data_dir)
        assert not stack.run_dir.exists()


def test_a_killed_program_leaves_no_server_even_when_a_fork_of_it_lives_on(data_dir: Path) -> None:
    with stack_of_another_program(data_dir, marked(a_mark()), "forks") as stack:
        try:
            stack.child.kill()
            wait_until_gone(*stack.servers, stack.guardian)
        finally:
            os.kill(stack.copy, signal.SIGKILL)


def test_a_killed_guardian_leaves_no_server_and_the_next_start_finds_every_commit(data_dir: Path) -> None:
    with stack_of_another_program(data_dir, marked(a_mark())) as stack:
        rows(stack.database_url, "create table kept as select 7 as number")
        os.kill(stack.guardian, signal.SIGKILL)
        with running_stack(data_dir, NO_SERVERS_NAMED) as successor:
            wait_until_gone(*stack.servers)
            assert rows(successor.database_url, "select number from kept") == [(7,)]


def test_killed_servers_and_guardian_together_leave_nothing_that_hinders_the_next_start(data_dir: Path) -> None:
    with stack_of_another_program(data_dir, marked(a_mark())) as stack:
        for pid in (stack.guardian, *stack.servers, stack.child.pid):
            os.kill(pid, signal.SIGKILL)
        with running_stack(data_dir, NO_SERVERS_NAMED) as successor:
            assert rows(successor.database_url, "select 1") == [(1,)]


def test_the_command_line_hands_over_addresses_signals_and_exit_status(data_dir: Path) -> None:
    command = (
        "import os, signal, sys;"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(5));"
        "print(os.environ['DATABASE_URL'], os.environ['REDIS_URL'], flush=True);"
        "signal.pause()"
    )
    arguments = ("-m", "deploy.embedded", "--dir", str(data_dir), "--", sys.executable, "-c", command)
    with program(*arguments, env=marked(mark := a_mark())) as child:
        database_url, redis_url = line_from(child).split()
        assert rows(database_url, "select 1") == [(1,)]
        assert redis_url.startswith("redis+socket:///")
        child.terminate()
        assert child.wait(30) == 5
    assert not running_with(mark)
    assert nobody_uses(data_dir)


def test_a_killed_command_line_takes_command_and_servers_along(data_dir: Path) -> None:
    arguments = ("-m", "deploy.embedded", "--dir", str(data_dir), "--", "sh", "-c", "echo up; exec sleep 1000")
    with program(*arguments, env=marked(mark := a_mark())) as child:
        assert line_from(child) == "up"
        child.kill()
        wait_until_nothing_runs(mark)
        assert wait_for(lambda: nobody_uses(data_dir), what="the end of the servers")


@pytest.mark.parametrize(("command", "status"), [(["sh", "-c", "exit 7"], 7), (["no-such-program"], 127)])
def test_the_command_line_ends_with_the_status_of_its_command(data_dir: Path, command: list[str], status: int) -> None:
    line = [sys.executable, "-m", "deploy.embedded", "--dir", str(data_dir), "--", *command]
    run = subprocess.run(line, env=marked(a_mark()), cwd=ROOT, capture_output=True, check=False)
    assert run.returncode == status


def test_socket_directories_of_dead_stacks_are_swept_and_those_of_living_ones_kept(data_dir: Path) -> None:
    dead, alive = (Path(tempfile.mkdtemp(prefix="trunkline-run-")) for _ in range(2))
    (dead / "owner.lock").touch()
    with (alive / "owner.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with running_stack(data_dir, NO_SERVERS_NAMED):
            assert not dead.exists()
            assert alive.exists()
    with running_stack(data_dir, NO_SERVERS_NAMED):
        assert not alive.exists()
