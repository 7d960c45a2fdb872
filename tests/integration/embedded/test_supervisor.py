"""Supervised processes are started as the Procfile says, restarted when they end, and stopped in order."""

import shlex
import signal
import sys
from functools import partial
from pathlib import Path

import pytest

from deploy.embedded.errors import ProcfileError, ReleaseFailed, SupervisorError
from deploy.embedded.events import EventKind, ProcessEvent
from deploy.embedded.supervisor import Supervisor
from deploy.embedded.ward import FIRST_DELAY_S, GOOD_LIFE_S, LONGEST_DELAY_S, next_delay_s
from tests.integration.embedded.outside import (
    LINUX,
    NEEDS_PROC,
    a_mark,
    marked,
    rows_in,
    running_with,
    wait_until_gone,
)
from tests.integration.embedded.procfiles import a_procfile, actor_line, notes, wait_until_run
from tests.waiting import wait_for

WITHIN_S = 20.0


def supervised(procfile: Path, **options: object) -> Supervisor:
    defaults: dict[str, object] = {"log_dir": procfile.parent / "logs", "env": marked(a_mark()), "grace_s": 10.0}
    return Supervisor(procfile, **{**defaults, **options})  # type: ignore[arg-type]


def test_every_process_runs_under_its_pid_and_logs_to_its_own_file(tmp_path: Path) -> None:
    hello = f'{shlex.quote(sys.executable)} -u -c "import os, signal; print(os.getpid()); signal.pause()"'
    with supervised(a_procfile(tmp_path, web=hello, media=hello), scale={"media": 2}) as supervisor:
        pids = supervisor.pids()
        assert sorted(pids) == ["media.1", "media.2", "web.1"]
        for name, pid in pids.items():
            printed = wait_for(partial(rows_in, supervisor.log_path(name)), what="a line in the log")
            assert printed == [str(pid)]


def test_a_killed_process_is_started_again_and_the_restart_is_reported(tmp_path: Path) -> None:
    reported: list[ProcessEvent] = []
    with supervised(a_procfile(tmp_path, web=actor_line("web")), on_event=reported.append) as supervisor:
        victim = supervisor.kill("web.1", signal.SIGKILL)
        successor = supervisor.wait_restart("web.1", victim, WITHIN_S)
        assert supervisor.pids() == {"web.1": successor}
    told = [(event.kind, event.pid, event.exit_code) for event in reported if event.name == "web.1"]
    assert told[:3] == [
        (EventKind.STARTED, victim, None),
        (EventKind.EXITED, victim, 137),
        (EventKind.RESTARTED, successor, None),
    ]
    assert told[3][:2] == (EventKind.STOPPED, successor)


def test_a_process_that_ends_well_is_started_again_as_well(tmp_path: Path) -> None:
    with supervised(a_procfile(tmp_path, web=actor_line("web", "brief"))) as supervisor:
        kinds = [supervisor.wait_any(WITHIN_S) for _ in range(4)]
    ended = next(event for event in kinds if event.kind is EventKind.EXITED)
    assert ended.exit_code == 0
    assert ended.restart_in_ms == FIRST_DELAY_S * 1000


def test_the_delay_doubles_up_to_a_limit_and_begins_anew_after_a_good_life() -> None:
    delay, delays = None, []
    for _ in range(7):
        delay = next_delay_s(delay, lived_s=1.0)
        delays.append(delay)
    assert delays == [0.2, 0.4, 0.8, 1.6, 3.2, LONGEST_DELAY_S, LONGEST_DELAY_S]
    assert next_delay_s(delay, lived_s=GOOD_LIFE_S) == FIRST_DELAY_S


@pytest.mark.skipif(not LINUX, reason=NEEDS_PROC)
def test_what_a_killed_process_leaves_in_its_group_is_gone_before_the_restart(tmp_path: Path) -> None:
    with supervised(a_procfile(tmp_path, web=actor_line("web", "parent"))) as supervisor:
        children = wait_for(lambda: notes(tmp_path, "web-child", "runs"), what="the child")
        victim = supervisor.kill("web.1")
        supervisor.wait_restart("web.1", victim, WITHIN_S)
        wait_until_gone(int(children[0]))


def test_processes_are_stopped_from_the_last_line_to_the_first(tmp_path: Path) -> None:
    names = ("web", "beat", "media")
    with supervised(a_procfile(tmp_path, **{name: actor_line(name) for name in names})):
        wait_until_run(tmp_path, *names)
    left = [row.split()[0] for row in rows_in(tmp_path / "diary") if row.endswith("leaves")]
    assert left == ["media", "beat", "web"]


def test_a_process_that_ignores_the_request_is_killed_after_the_grace(tmp_path: Path) -> None:
    reported: list[ProcessEvent] = []
    procfile = a_procfile(tmp_path, web=actor_line("web", "obstinate"))
    with supervised(procfile, on_event=reported.append, grace_s=0.1):
        wait_until_run(tmp_path, "web")
    assert [event.kind for event in reported][-3:] == [EventKind.KILLED, EventKind.STOPPED, EventKind.DONE]


def test_a_paused_process_is_woken_to_stop_in_order(tmp_path: Path) -> None:
    with supervised(a_procfile(tmp_path, web=actor_line("web"))) as supervisor:
        wait_until_run(tmp_path, "web")
        supervisor.kill("web.1", signal.SIGSTOP)
    assert "web leaves" in rows_in(tmp_path / "diary")


@pytest.mark.skipif(not LINUX, reason=NEEDS_PROC)
def test_stopping_leaves_nothing_not_even_a_daemon(tmp_path: Path) -> None:
    mark = a_mark()
    procfile = a_procfile(tmp_path, web=actor_line("web", "parent"), media=actor_line("media", "daemon"))
    with supervised(procfile, env=marked(mark)):
        wait_until_run(tmp_path, "web-child", "media-child")
        assert len(running_with(mark)) == 4
    assert not running_with(mark)


def test_release_runs_to_its_end_before_anything_starts(tmp_path: Path) -> None:
    procfile = a_procfile(tmp_path, web=actor_line("web"), release=actor_line("release", "brief"))
    with supervised(procfile) as supervisor:
        wait_until_run(tmp_path, "web")
        assert list(supervisor.pids()) == ["web.1"]
    assert [row.split()[0] for row in rows_in(tmp_path / "diary")] == ["release", "web", "web"]


def test_a_failed_release_stops_the_start_and_shows_the_end_of_its_log(tmp_path: Path) -> None:
    procfile = a_procfile(tmp_path, release="sh -c 'echo no such table >&2; exit 3'", web=actor_line("web"))
    supervisor = supervised(procfile)
    with pytest.raises(ReleaseFailed, match="no such table") as caught:
        supervisor.start()
    assert caught.value.exit_code == 3
    assert not supervisor.pids()
    assert not rows_in(tmp_path / "diary")


def test_each_instance_has_its_number_and_its_ports_but_a_free_port_stays_free(tmp_path: Path) -> None:
    shown = actor_line("media.$WORKER_INDEX", "shows:PORT", "shows:MEDIA_PORT")
    env = marked(a_mark(), PORT="8000", MEDIA_PORT="0")
    with supervised(a_procfile(tmp_path, media=shown), scale={"media": 2}, env=env):
        wait_until_run(tmp_path, "media.1", "media.2")
    rows = rows_in(tmp_path / "diary")
    assert {row for row in rows if "PORT" in row} == {
        "media.1 PORT=8000",
        "media.1 MEDIA_PORT=0",
        "media.2 PORT=8001",
        "media.2 MEDIA_PORT=0",
    }


def test_only_the_named_entries_run_and_release_does_not_unless_named(tmp_path: Path) -> None:
    procfile = a_procfile(tmp_path, release="sh -c 'exit 3'", web=actor_line("web"), beat=actor_line("beat"))
    with supervised(procfile, only=["beat"]) as supervisor:
        assert list(supervisor.pids()) == ["beat.1"]


def test_a_signal_to_a_process_that_does_not_run_is_an_error(tmp_path: Path) -> None:
    with (
        supervised(a_procfile(tmp_path, web=actor_line("web"))) as supervisor,
        pytest.raises(SupervisorError, match=r"media\.1 does not run"),
    ):
        supervisor.kill("media.1")


def test_scaling_or_choosing_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    procfile = a_procfile(tmp_path, web=actor_line("web"))
    for options in ({"scale": {"wbe": 2}}, {"only": ["wbe"]}):
        with pytest.raises(ProcfileError, match="no wbe in the Procfile; it has web"):
            supervised(procfile, **options)
