"""Starting a child that cannot outlive its parent, and finding what a dead child left behind.

Rule: every child leads its own session and, on Linux, receives a signal when its parent dies (PR_SET_PDEATHSIG), so a
SIGKILL of the parent leaves nothing. Owners of children also adopt orphaned grandchildren (PR_SET_CHILD_SUBREAPER).
Children are forked from single-threaded owners only: the death signal follows the forking thread, not the process.
Knows nothing of servers or Procfiles.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from deploy.embedded.account import Account

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PRIVATE_UMASK = 0o077
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class ChildSetup:
    """What holds for a child beyond its command line."""

    on_parent_death: signal.Signals
    account: Account | None = None
    private_files: bool = False
    cwd: Path = Path("/")
    kept_fds: tuple[int, ...] = ()


def spawn(argv: Sequence[str], env: Mapping[str, str], log_fd: int, setup: ChildSetup) -> subprocess.Popen[bytes]:
    """Start `argv` in its own session with both output streams appended to `log_fd`.

    Raises:
        OSError: the program does not exist or cannot be executed.
    """
    return subprocess.Popen(
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=log_fd,
        stderr=log_fd,
        cwd=setup.cwd,
        env=dict(env),
        start_new_session=True,
        pass_fds=setup.kept_fds,
        preexec_fn=_prepare(setup),  # noqa: PLW1509 - owners of children have one thread
    )


def _prepare(setup: ChildSetup) -> Callable[[], None]:
    parent_pid = os.getpid()

    def prepare() -> None:
        if setup.account is not None:
            setup.account.become()
        request_death_signal(setup.on_parent_death, parent_pid)
        if setup.private_files:
            os.umask(_PRIVATE_UMASK)

    return prepare


def request_death_signal(signum: signal.Signals, parent_pid: int) -> None:
    """Ask Linux to send `signum` to this process when `parent_pid` dies; elsewhere do nothing.

    Must follow any change of user: the kernel clears the request then.
    """
    if sys.platform != "linux":
        return
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(signum), 0, 0, 0)
    if os.getppid() != parent_pid:
        os.kill(os.getpid(), signal.SIGKILL)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies; Linux only, elsewhere do nothing."""
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def kill_group(pgid: int) -> None:
    """Send SIGKILL to every member of a process group; a group that is gone is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pgid, signal.SIGKILL)


def kill_children_but(kept_pids: set[int]) -> None:
    """Kill and reap every child of this process but `kept_pids`, adopted ones included; only on Linux."""
    while pids := _children_of(os.getpid()) - kept_pids:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _children_of(parent_pid: int) -> set[int]:
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        # The program's name stands in brackets and may hold brackets itself; the parent is the second field after it.
        with contextlib.suppress(OSError, IndexError, ValueError):
            if int(stat.read_bytes().rpartition(b")")[2].split()[1]) == parent_pid:
                found.add(int(stat.parent.name))
    return found


def exit_status(returncode: int) -> int:
    """Turn a `Popen.returncode` into a shell's exit status: death by signal n becomes 128 + n."""
    return returncode if returncode >= 0 else 128 - returncode
