"""Run one command with a private PostgreSQL and Valkey around it: `python -m deploy.embedded -- command args`.

The command finds the servers in DATABASE_URL and REDIS_URL, receives the signals this process receives, and its exit
status becomes ours. It stays in the terminal's foreground group, so interactive programs such as psql work.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.embedded.errors import StackError
from deploy.embedded.process import exit_status, request_death_signal
from deploy.embedded.stack import DEFAULT_DATA_DIR, running_stack

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType

_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_CANNOT_RUN = 127


class _Interrupted(Exception):
    """A signal asked for the end before the command ran."""

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.embedded", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument(
        "--dir", type=Path, default=DEFAULT_DATA_DIR, help="where the data stays (default: %(default)s)"
    )
    parser.add_argument("command", nargs="+", help="the command to run and its arguments, after --")
    options = parser.parse_args(arguments)
    for signum in _FORWARDED:
        signal.signal(signum, _interrupt)
    try:
        with running_stack(options.dir) as addresses:
            return _run(options.command, {**os.environ, **addresses.as_environment()})
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except _Interrupted as interrupted:
        return 128 + interrupted.signum


def _interrupt(signum: int, _frame: FrameType | None) -> None:
    # One is enough: another must not disturb the orderly stop.
    for each in _FORWARDED:
        signal.signal(each, signal.SIG_IGN)
    raise _Interrupted(signum)


def _run(command: Sequence[str], environ: Mapping[str, str]) -> int:
    parent_pid = os.getpid()

    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
        request_death_signal(signal.SIGTERM, parent_pid)

    # Held back until there is somebody to forward them to.
    signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)
    try:
        child = subprocess.Popen(list(command), env=dict(environ), preexec_fn=prepare)  # noqa: PLW1509 - one thread
        for signum in _FORWARDED:
            signal.signal(signum, lambda signum, _frame: _forward(child, signum))
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return _CANNOT_RUN
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
    return exit_status(child.wait())


def _forward(child: subprocess.Popen[bytes], signum: int) -> None:
    # The terminal itself sends its interrupt to the whole foreground group.
    if signum != signal.SIGINT or not _in_foreground():
        child.send_signal(signum)


def _in_foreground() -> bool:
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False


if __name__ == "__main__":
    sys.exit(main())
