"""Stacks run by programs of their own, so that a test may kill whoever runs them."""

import fcntl
import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.integration.embedded.outside import line_from, program

NO_SERVERS_NAMED = {"PATH": os.environ["PATH"]}

RUNS_A_STACK = """
import json, os, sys, time
from pathlib import Path
from deploy.embedded.stack import controlled_stack
with controlled_stack(Path(sys.argv[1])) as control:
    copy = os.fork() if "forks" in sys.argv else os.getpid()
    if copy == 0:
        time.sleep(1000)
    a = control.addresses
    print(json.dumps({"database_url": a.database_url, "servers": [a.postgres_pid, a.redis_pid], "copy": copy,
                      "guardian": control.guardian_pid, "run_dir": str(a.run_dir)}), flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True)
class OutsideStack:
    """A stack that another program runs."""

    child: subprocess.Popen[str]
    database_url: str
    servers: tuple[int, ...]
    guardian: int
    copy: int
    run_dir: Path


@contextmanager
def stack_of_another_program(data_dir: Path, env: dict[str, str], *traits: str) -> Iterator[OutsideStack]:
    """Start a program that runs a stack until it is killed; the trait `forks` leaves a copy of the program behind."""
    with program("-c", RUNS_A_STACK, str(data_dir), *traits, env=env) as child:
        facts = json.loads(line_from(child))
        yield OutsideStack(
            child=child,
            database_url=facts["database_url"],
            servers=tuple(facts["servers"]),
            guardian=facts["guardian"],
            copy=facts["copy"],
            run_dir=Path(facts["run_dir"]),
        )


def nobody_uses(data_dir: Path) -> bool:
    """Tell whether no server process is left on a data directory: each of them holds its lock."""
    with (data_dir / "servers.lock").open("r+b") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
