"""Programs run beside the tests, and what the process table says about what they left.

Every program carries a mark in its environment that all its descendants inherit, so that a test finds even those that
no pid leads to any more.
"""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parents[3]
ACTOR = Path(__file__).with_name("actor.py")
MARK = "TRUNKLINE_TEST_MARK"
LINUX = sys.platform == "linux"
NEEDS_PROC = "needs Linux: /proc tells what still runs, and only there processes die with their parent"


def a_mark() -> str:
    return uuid.uuid4().hex


def marked(mark: str, **variables: str) -> dict[str, str]:
    """Return this environment without servers in it, plus the mark."""
    plain = {key: value for key, value in os.environ.items() if not key.endswith("_URL")}
    path = os.pathsep.join(part for part in (str(ROOT), plain.get("PYTHONPATH", "")) if part)
    return {**plain, MARK: mark, "PYTHONPATH": path, **variables}


def running_with(mark: str) -> dict[int, str]:
    """Return pid and command line of every living process that carries the mark."""
    wanted = f"{MARK}={mark}".encode()
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0") and is_running(int(folder.name)):
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    return found


def is_running(pid: int) -> bool:
    """Tell whether a process lives; one that only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
    except OSError:
        return False
    return state not in {b"Z", b"X"}


def wait_until_gone(*pids: int) -> None:
    wait_for(lambda: not any(is_running(pid) for pid in pids), what=f"the end of {pids}")


def wait_until_nothing_runs(mark: str) -> None:
    wait_for(lambda: not running_with(mark), what="the end of every marked process")


@contextmanager
def program(*arguments: str, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run this Python with `arguments`; its standard output is a pipe, and it is killed at the end."""
    child = subprocess.Popen(
        [sys.executable, *arguments], env=env, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with child:
        try:
            yield child
        finally:
            child.kill()


def line_from(child: subprocess.Popen[str]) -> str:
    """Return the next line a program prints."""
    assert child.stdout is not None
    line = child.stdout.readline()
    assert line, "the program ended without a word"
    return line.strip()


def rows_in(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
