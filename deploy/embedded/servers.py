"""How PostgreSQL and Valkey are run here: command lines, what "ready" means, and how each is stopped.

Rules: Unix sockets only, nothing listens on a network; PostgreSQL keeps fsync on; Valkey writes its append-only
file and never evicts. Each server is stopped with the mildest signal of its list first. Knows nothing of who asks, and
waits only through the `pause` it is given.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.embedded.account import give_folder
from deploy.embedded.addresses import REDIS_SOCKET_NAME
from deploy.embedded.errors import ServerFailed
from deploy.embedded.folders import entrance
from deploy.embedded.logs import open_log, tail
from deploy.embedded.process import ChildSetup, spawn

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from deploy.embedded.account import Account
    from deploy.embedded.binaries import ServerPrograms
    from deploy.embedded.folders import StackFolders

_START_S = 60.0
_STOP_STEP_S = 15.0
_MAX_CONNECTIONS = 200
_SHARED_BUFFERS = "128MB"
_PING_S = 1.0
# Backends of a killed postmaster need a moment to notice; until then the next one refuses to start.
_STILL_IN_USE = "is still in use"


@dataclass(frozen=True, slots=True)
class ServerSpec:
    """One server: how it is started, known to be ready, and stopped."""

    title: str
    argv: tuple[str, ...]
    kept_fds: tuple[int, ...]
    log: Path
    stop_signals: tuple[signal.Signals, ...]
    is_ready: Callable[[int], bool]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What both servers share."""

    account: Account | None
    servers_lock_fd: int
    environ: dict[str, str]
    pause: Callable[[], None]

    def setup(self, death_signal: signal.Signals, kept_fds: tuple[int, ...]) -> ChildSetup:
        """Return how a server process is set up."""
        return ChildSetup(
            on_parent_death=death_signal,
            account=self.account,
            private_files=True,
            kept_fds=(self.servers_lock_fd, *kept_fds),
        )


def postgres_spec(programs: ServerPrograms, folders: StackFolders, account: Account | None) -> ServerSpec:
    """Describe the PostgreSQL server of these folders."""
    settings = {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "max_connections": str(_MAX_CONNECTIONS),
        "shared_buffers": _SHARED_BUFFERS,
        "timezone": "UTC",
        "log_timezone": "UTC",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    pid_file = folders.postgres / "postmaster.pid"
    data = entrance(folders.postgres, account)
    return ServerSpec(
        title="PostgreSQL",
        argv=(str(programs.postgres), "-D", data.path, "-k", str(folders.run_dir), "-p", "5432", *options),
        kept_fds=data.fds,
        log=folders.data_dir / "postgres.log",
        # Fast shutdown, immediate shutdown (recovery at the next start), then force.
        stop_signals=(signal.SIGINT, signal.SIGQUIT, signal.SIGKILL),
        is_ready=lambda pid: _postmaster_is_ready(pid_file, pid),
    )


def _postmaster_is_ready(pid_file: Path, pid: int) -> bool:
    """Read the file the postmaster keeps; the pid tells it from the file of a killed predecessor."""
    try:
        lines = pid_file.read_text().splitlines()
    except OSError:
        return False
    return len(lines) > 1 and lines[0].strip() == str(pid) and lines[-1].strip() == "ready"


def redis_spec(programs: ServerPrograms, folders: StackFolders, account: Account | None) -> ServerSpec:
    """Describe the Valkey or Redis server of these folders."""
    path = folders.run_dir / REDIS_SOCKET_NAME
    data = entrance(folders.redis, account)
    settings = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": data.path,
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    options = [part for name, value in settings.items() for part in (f"--{name}", value)]
    return ServerSpec(
        title="Valkey",
        argv=(str(programs.redis), *options),
        kept_fds=data.fds,
        log=folders.data_dir / "valkey.log",
        stop_signals=(signal.SIGTERM, signal.SIGKILL),
        is_ready=lambda _pid: _answers_ping(path),
    )


def _answers_ping(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(_PING_S)
        try:
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def make_cluster(programs: ServerPrograms, folders: StackFolders, around: Surroundings) -> None:
    """Create the PostgreSQL cluster unless a complete one is there; wipe what a killed attempt left.

    Raises:
        ServerFailed: initdb did not succeed.
    """
    if folders.postgres.exists():
        return
    fresh = folders.unfinished_postgres
    if fresh.exists():
        shutil.rmtree(fresh)
    give_folder(fresh, around.account)
    log = folders.data_dir / "initdb.log"
    data = entrance(fresh, around.account)
    argv = [str(programs.initdb), "-D", data.path, "-U", "app", "--auth=trust", "--encoding=UTF8", "--locale=C"]
    log_fd = open_log(log)
    offset = log.stat().st_size
    try:
        child = spawn([*argv, "--no-instructions"], around.environ, log_fd, around.setup(signal.SIGKILL, data.fds))
    finally:
        for fd in (log_fd, *data.fds):
            os.close(fd)
    deadline = time.monotonic() + _START_S
    while child.poll() is None:
        if time.monotonic() > deadline:
            raise ServerFailed(f"initdb is not done after {_START_S:.0f} s, see {log}")
        around.pause()
    if child.returncode != 0:
        raise ServerFailed(f"initdb exited with {child.returncode}\n{tail(log, offset=offset)}")
    # Renaming marks the cluster complete in one step.
    fresh.rename(folders.postgres)


def forget_dead_postmaster(folders: StackFolders) -> None:
    """Remove the pid file of a killed postmaster when its pid now is a zombie's or another program's; only on Linux.

    The caller holds the lock that every server inherits, so no postmaster of ours lives. PostgreSQL cannot know that
    and would refuse to start: containers reuse low pids, and not every init process reaps orphans at once.
    """
    pid_file = folders.postgres / "postmaster.pid"
    try:
        pid = pid_file.read_text().split("\n", 1)[0].strip()
        command = Path("/proc", pid, "cmdline").read_bytes()
    except OSError:
        return
    if b"postgres" not in command:
        pid_file.unlink()


class Server:
    """One server process: down, or up with a pid."""

    def __init__(self, spec: ServerSpec, around: Surroundings) -> None:
        """Describe the server; nothing runs yet."""
        self._spec = spec
        self._around = around
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Return the pid of the running server, None while it is down."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    def launch(self) -> None:
        """Start the process without waiting for it; one that runs already is left alone.

        Raises:
            ServerFailed: the program cannot be executed.
        """
        if self.pid is not None:
            return
        log_fd = open_log(self._spec.log)
        try:
            setup = self._around.setup(self._spec.stop_signals[0], self._spec.kept_fds)
            self._child = spawn(self._spec.argv, self._around.environ, log_fd, setup)
        except OSError as error:
            raise ServerFailed(f"{self._spec.title} cannot be executed: {error}") from error
        finally:
            os.close(log_fd)

    def wait_ready(self) -> None:
        """Wait until the launched process serves.

        Raises:
            ServerFailed: it ended, or did not become ready in time; the text ends with its log.
        """
        deadline = time.monotonic() + _START_S
        while True:
            pid = self.pid
            if pid is not None and self._spec.is_ready(pid):
                return
            if pid is None and not self._predecessor_lingers():
                raise self._failure("ended while it started")
            if time.monotonic() > deadline:
                raise self._failure(f"is not ready after {_START_S:.0f} s")
            self._around.pause()
            self.launch()

    def _predecessor_lingers(self) -> bool:
        return _STILL_IN_USE in tail(self._spec.log, lines=3)

    def _failure(self, what: str) -> ServerFailed:
        return ServerFailed(f"{self._spec.title} {what}; the end of {self._spec.log}:\n{tail(self._spec.log)}")

    def kill(self) -> None:
        """End the process the way a crash would."""
        if self._child is not None and self._child.poll() is None:
            self._child.kill()
            self._child.wait()

    def ask_to_stop(self) -> None:
        """Send the mildest stop signal without waiting."""
        if self._child is not None and self._child.poll() is None:
            self._child.send_signal(self._spec.stop_signals[0])

    def wait_stopped(self) -> None:
        """Wait for the end of the process, with a harsher signal after each step of waiting."""
        if self._child is None:
            return
        for harsher in (*self._spec.stop_signals[1:], signal.SIGKILL):
            deadline = time.monotonic() + _STOP_STEP_S
            while self._child.poll() is None and time.monotonic() < deadline:
                self._around.pause()
            if self._child.poll() is not None:
                return
            self._child.send_signal(harsher)
        self._child.wait()
