"""Which account the servers run as, and how they reach their programs from it.

PostgreSQL refuses to run as root. Root therefore drops to the account behind sudo or to `nobody`; no account is made
and no existing directory is opened to others. Programs that lie under a private directory (a virtual environment below
/root) are copied once to a root-owned place that everybody may read and nobody else may write.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.embedded.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SITE_FOLDERS = ("site-packages", "dist-packages")


@dataclass(frozen=True, slots=True)
class Account:
    """An unprivileged account of this machine."""

    name: str
    uid: int
    gid: int

    def become(self) -> None:
        """Give up every privilege of this process for good."""
        os.setgroups([])
        os.setgid(self.gid)
        os.setuid(self.uid)


def account_to_drop_to(environ: Mapping[str, str]) -> Account | None:
    """Return the account the servers must run as, or None when the present one will do.

    Raises:
        StackError: this user id has no account entry, or root has nobody to drop to.
    """
    uid = os.geteuid()
    if uid != 0:
        _require_account_entry(uid)
        return None
    for name in (environ.get("SUDO_USER", ""), "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise StackError("running as root, and there is no unprivileged account to drop to: create `nobody` or use sudo")


def _require_account_entry(uid: int) -> None:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        text = f"user id {uid} has no account entry and PostgreSQL needs one: add a line for it to /etc/passwd"
        raise StackError(text) from None


def can_reach(path: Path, account: Account | None) -> bool:
    """Tell whether `account` (None: this process) may read `path` and enter or execute it.

    Forks to find out, so callers are single-threaded.
    """
    if account is None:
        return os.access(path, os.R_OK | os.X_OK)
    pid = os.fork()
    if pid == 0:
        verdict = 1
        try:
            account.become()
            verdict = 0 if os.access(path, os.R_OK | os.X_OK) else 1
        finally:
            os._exit(verdict)
    return os.waitpid(pid, 0)[1] == 0


def give_folder(path: Path, account: Account | None) -> None:
    """Make `path` a private directory (0700) of `account`, created when absent.

    Raises:
        StackError: something else stands there, or it belongs to a third account.
    """
    path.mkdir(mode=0o700, exist_ok=True)
    facts = path.lstat()
    allowed = {os.geteuid()} | ({account.uid} if account else set())
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid not in allowed:
        raise StackError(
            f"{path} is not a directory of {_names(allowed)}; move it away or choose another data directory"
        )
    path.chmod(0o700)
    if account is not None and facts.st_uid != account.uid:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _names(uids: Iterable[int]) -> str:
    return " or ".join(f"user id {uid}" for uid in sorted(uids))


def reachable_program(program: Path, account: Account | None, staging_root: Path | None = None) -> Path:
    """Return `program`, or the path of a copy of its whole package when `account` cannot reach it.

    Raises:
        StackError: it cannot be reached and lies outside any site-packages, or the place for the copy is not safe.
    """
    if can_reach(program, account):
        return program
    site = next((folder for folder in program.parents if folder.name in _SITE_FOLDERS), None)
    if site is None:
        raise StackError(f"{program} cannot be executed by account {account.name if account else os.geteuid()}")
    package = program.relative_to(site).parts[0]
    copy = (staging_root or Path(tempfile.gettempdir())) / f"trunkline-{os.geteuid()}-{_fingerprint(site, program)}"
    _stage(site, (package, f"{package}.libs"), copy)
    return copy / program.relative_to(site)


def _fingerprint(site: Path, program: Path) -> str:
    facts = program.stat()
    return hashlib.sha256(f"{site}:{program}:{facts.st_mtime_ns}:{facts.st_size}".encode()).hexdigest()[:12]


def _stage(site: Path, packages: Iterable[str], copy: Path) -> None:
    sources = [site / name for name in packages if (site / name).is_dir()]
    if _is_ours(copy):
        if all(_is_copied(source, copy / source.name) for source in sources):
            return
        # Cleaners of temporary directories remove old files one by one.
        shutil.rmtree(copy)
    fresh = Path(tempfile.mkdtemp(prefix=f"{copy.name}.", dir=copy.parent))
    for source in sources:
        shutil.copytree(
            source, fresh / source.name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__", "*.py")
        )
    _open_for_reading(fresh)
    try:
        fresh.rename(copy)
    except OSError:
        shutil.rmtree(fresh)
        if not _is_ours(copy):
            raise
        # Another start finished the same copy first.


def _is_ours(copy: Path) -> bool:
    try:
        facts = copy.lstat()
    except FileNotFoundError:
        return False
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid() or facts.st_mode & 0o022:
        raise StackError(f"{copy} exists and is not safely ours; remove it")
    return True


def _is_copied(source: Path, copy: Path) -> bool:
    wanted = (path for path in source.rglob("*") if path.suffix not in {".py", ".pyc"} and path.is_file())
    for path in wanted:
        try:
            if (copy / path.relative_to(source)).stat().st_size != path.stat().st_size:
                return False
        except OSError:
            return False
    return True


def _open_for_reading(root: Path) -> None:
    root.chmod(0o755)
    for path in root.rglob("*"):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if executable else 0o644)
