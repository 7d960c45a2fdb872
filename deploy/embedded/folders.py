"""The directories of a stack: the data that stays, the sockets that go, and the locks that keep two stacks apart.

Two locks guard a data directory. `guardian.lock` is held by the guard process alone and tells a second start at once
that the directory is taken. `servers.lock` is inherited by every server process, so it stays held until the last of
them is gone: two servers on one append-only file or one cluster would destroy it. Sockets lie in a short private
directory because a Unix socket path holds at most 107 bytes (103 on macOS).
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.embedded.account import can_reach, give_folder
from deploy.embedded.errors import StackError, StackInUse

if TYPE_CHECKING:
    from collections.abc import Callable

    from deploy.embedded.account import Account

_RUN_PREFIX = "trunkline-run-"
_LONGEST_ROOT_BYTES = 60
_YOUNG_S = 60.0
_PRIVATE_FILE = 0o600


@dataclass(frozen=True, slots=True)
class StackFolders:
    """Everything a stack has on disk; `servers_lock_fd` is for the server processes to inherit."""

    data_dir: Path
    run_dir: Path
    servers_lock_fd: int

    @property
    def postgres(self) -> Path:
        """Return the finished PostgreSQL cluster."""
        return self.data_dir / "postgres"

    @property
    def unfinished_postgres(self) -> Path:
        """Return where a cluster is made before it is complete."""
        return self.data_dir / "postgres.unfinished"

    @property
    def redis(self) -> Path:
        """Return the folder of the append-only file."""
        return self.data_dir / "valkey"


def open_folders(data_dir: Path, account: Account | None, pause: Callable[[], None], patience_s: float) -> StackFolders:
    """Take `data_dir` for this process and make a fresh socket directory.

    Waits up to `patience_s`, in steps of `pause`, for servers of a killed stack to finish.

    Raises:
        StackInUse: another stack runs on `data_dir`.
        StackError: a directory belongs to somebody else.
    """
    if not data_dir.is_dir():
        data_dir.mkdir(parents=True)
        # The account of the servers passes through; what they keep inside is private to them.
        data_dir.chmod(0o700 if account is None else 0o755)
    _require_owner(data_dir, account)
    _lock_or_refuse(data_dir)
    servers_lock_fd = _open_private(data_dir / "servers.lock")
    deadline = time.monotonic() + patience_s
    while not _try_lock(servers_lock_fd):
        if time.monotonic() > deadline:
            raise StackInUse(f"servers of an earlier stack still run on {data_dir}")
        pause()
    root = _socket_root(account)
    _sweep(root, account)
    folders = StackFolders(data_dir, _make_run_dir(root, account), servers_lock_fd)
    give_folder(folders.redis, account)
    return folders


def _require_owner(data_dir: Path, account: Account | None) -> None:
    if account is not None and data_dir.stat().st_uid not in {0, account.uid}:
        raise StackError(f"{data_dir} belongs to another account: run as that account or choose another directory")


@dataclass(frozen=True, slots=True)
class Entrance:
    """The name by which a server knows its folder, and the descriptors it must inherit for that."""

    path: str
    fds: tuple[int, ...] = ()


def entrance(folder: Path, account: Account | None) -> Entrance:
    """Let `account` into its own folder, also where the way to it leads through a private directory of root.

    On Linux an inherited descriptor of the folder serves as its name, so no directory on the way has to be opened.

    Raises:
        StackError: there is no such descriptor on this system.
    """
    if can_reach(folder, account):
        return Entrance(str(folder))
    if sys.platform != "linux":
        name = account.name if account else f"user id {os.geteuid()}"
        raise StackError(f"{folder} cannot be entered by {name}: choose a directory that lies below no private one")
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    return Entrance(f"/proc/self/fd/{fd}", (fd,))


def _open_private(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, _PRIVATE_FILE)


def _try_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _lock_or_refuse(data_dir: Path) -> None:
    """Hold `guardian.lock` for as long as this process lives: the descriptor is never closed."""
    fd = _open_private(data_dir / "guardian.lock")
    if not _try_lock(fd):
        os.close(fd)
        raise StackInUse(f"another stack already runs on {data_dir}: stop it or choose another directory")


def _socket_root(account: Account | None) -> Path:
    # Every Unix has the second one; the directory made in it is private and not predictable.
    for root in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108
        if len(os.fsencode(root)) <= _LONGEST_ROOT_BYTES and can_reach(root, account):
            return root
    raise StackError("no temporary directory has a path short enough for a Unix socket: set TMPDIR=/tmp")


def _make_run_dir(root: Path, account: Account | None) -> Path:
    run_dir = Path(tempfile.mkdtemp(prefix=_RUN_PREFIX, dir=root))
    # Held, unlocked only by this process's end, and looked at by `_sweep`.
    _try_lock(_open_private(run_dir / "owner.lock"))
    give_folder(run_dir, account)
    return run_dir


def _sweep(root: Path, account: Account | None) -> None:
    """Remove the socket directories of stacks whose guard process is gone."""
    ours = {os.geteuid()} | ({account.uid} if account else set())
    for run_dir in root.glob(f"{_RUN_PREFIX}*"):
        try:
            stale = run_dir.lstat().st_uid in ours and not run_dir.is_symlink() and _is_abandoned(run_dir)
        except OSError:
            continue
        if stale:
            shutil.rmtree(run_dir, ignore_errors=True)


def _is_abandoned(run_dir: Path) -> bool:
    lock = run_dir / "owner.lock"
    if not lock.exists():
        # A stack that starts right now makes its directory a moment before its lock.
        return time.time() - run_dir.lstat().st_mtime > _YOUNG_S
    fd = _open_private(lock)
    try:
        return _try_lock(fd)
    finally:
        os.close(fd)
