"""Whoever dies, no supervised process stays behind, nor anything such a process had started."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.embedded.errors import SupervisorLost
from deploy.embedded.events import EventKind
from deploy.embedded.supervisor import Supervisor
from tests.integration.embedded.outside import (
    LINUX,
    NEEDS_PROC,
    ROOT,
    a_mark,
    marked,
    program,
    running_with,
    wait_until_gone,
    wait_until_nothing_runs,
)
from tests.integration.embedded.procfiles import a_procfile, actor_line, notes, wait_until_run
from tests.waiting import wait_for

pytestmark = pytest.mark.skipif(not LINUX, reason=NEEDS_PROC)


def command_line(procfile: Path, *options: str) -> list[str]:
    logs = str(procfile.parent / "logs")
    return ["-m", "deploy.embedded.supervisor", "--procfile", str(procfile), "--log-dir", logs, *options]


def a_family(folder: Path) -> Path:
    """Write a Procfile whose processes have children in their group and outside of it."""
    return a_procfile(folder, web=actor_line("web", "parent"), media=actor_line("media", "daemon"))


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_the_command_stops_every_process_in_order(tmp_path: Path, signum: signal.Signals) -> None:
    with program(*command_line(a_family(tmp_path)), env=marked(mark := a_mark())) as child:
        wait_until_run(tmp_path, "web", "media", "web-child", "media-child")
        child.send_signal(signum)
        assert child.wait(30) == 0
    assert not running_with(mark)
    assert notes(tmp_path, "web", "runs")
    assert (tmp_path / "diary").read_text().endswith("media leaves\nweb leaves\n")


def test_a_killed_supervisor_leaves_no_descendant(tmp_path: Path) -> None:
    with program(*command_line(a_family(tmp_path)), env=marked(mark := a_mark())) as child:
        wait_until_run(tmp_path, "web", "media", "web-child", "media-child")
        child.kill()
        wait_until_nothing_runs(mark)


def test_a_supervisor_killed_while_release_runs_leaves_no_descendant(tmp_path: Path) -> None:
    procfile = a_procfile(tmp_path, release=actor_line("release", "parent", "obstinate"), web=actor_line("web"))
    with program(*command_line(procfile, "--grace", "0.1"), env=marked(mark := a_mark())) as child:
        wait_until_run(tmp_path, "release", "release-child")
        child.kill()
        wait_until_nothing_runs(mark)
    assert not notes(tmp_path, "web", "runs")


def test_a_signal_while_release_runs_stops_it_and_starts_nothing(tmp_path: Path) -> None:
    procfile = a_procfile(tmp_path, release=actor_line("release"), web=actor_line("web"))
    with program(*command_line(procfile), env=marked(mark := a_mark())) as child:
        wait_until_run(tmp_path, "release")
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 0
    assert not running_with(mark)
    assert not notes(tmp_path, "web", "runs")


def test_a_second_signal_does_not_wait_for_the_grace(tmp_path: Path) -> None:
    procfile = a_procfile(tmp_path, web=actor_line("web", "obstinate"), media=actor_line("media"))
    with program(*command_line(procfile, "--grace", "1000"), env=marked(mark := a_mark())) as child:
        wait_until_run(tmp_path, "web", "media")
        child.send_signal(signal.SIGTERM)
        wait_for(lambda: "media leaves" in (tmp_path / "diary").read_text(), what="the stop to begin")
        child.send_signal(signal.SIGTERM)
        child.wait(30)
    assert not running_with(mark)


def test_a_killed_keeper_takes_the_processes_along_and_is_reported(tmp_path: Path) -> None:
    mark = a_mark()
    procfile = a_procfile(tmp_path, web=actor_line("web", "parent"))
    with Supervisor(procfile, log_dir=tmp_path / "logs", env=marked(mark)) as supervisor:
        wait_until_run(tmp_path, "web", "web-child")
        (pid,) = supervisor.pids().values()
        os.kill(supervisor.keeper_pid, signal.SIGKILL)
        while supervisor.wait_any(20).kind is not EventKind.LOST:
            continue
        wait_until_gone(pid)
        wait_until_nothing_runs(mark)
        with pytest.raises(SupervisorLost):
            supervisor.kill("web.1")


def test_a_keeper_that_is_asked_to_end_stops_every_process_in_order_and_is_reported(tmp_path: Path) -> None:
    procfile = a_procfile(tmp_path, web=actor_line("web"), media=actor_line("media"))
    with Supervisor(procfile, log_dir=tmp_path / "logs", env=marked(mark := a_mark())) as supervisor:
        wait_until_run(tmp_path, "web", "media")
        os.kill(supervisor.keeper_pid, signal.SIGTERM)
        while supervisor.wait_any(20).kind is not EventKind.DONE:
            continue
        assert not running_with(mark)
        with pytest.raises(SupervisorLost):
            supervisor.kill("web.1")
    assert (tmp_path / "diary").read_text().endswith("media leaves\nweb leaves\n")


def test_a_failed_release_is_the_commands_failure_too(tmp_path: Path) -> None:
    procfile = a_procfile(tmp_path, release="sh -c 'echo no such table; exit 3'", web=actor_line("web"))
    line = [sys.executable, *command_line(procfile)]
    run = subprocess.run(line, env=marked(a_mark()), cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "release.1: release failed" in run.stderr
    assert "no such table" in run.stderr
    assert not notes(tmp_path, "web", "runs")


def test_output_is_shown_under_the_name_of_its_process(tmp_path: Path) -> None:
    procfile = a_procfile(tmp_path, web="sh -c 'echo one line; exec sleep 1000'")
    with program(*command_line(procfile), env=marked(a_mark())) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "web.1 | one line\n"
        child.terminate()
        child.wait(30)
