"""The supervisor's command line: run a Procfile in a terminal until Ctrl-C.

Prints every process's output under its name, and every end and restart. The first SIGINT, SIGTERM or SIGHUP stops
everything in order, a second one at once. Exit status: 0 after an asked-for stop, 1 when nothing could run or the
keeper died.
"""

from __future__ import annotations

import argparse
import queue
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.embedded.echo import LogEcho
from deploy.embedded.errors import SupervisorError
from deploy.embedded.events import EventKind, ProcessEvent
from deploy.embedded.logs import tail
from deploy.embedded.stack import DEFAULT_DATA_DIR
from deploy.embedded.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Sequence

_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# DONE too: nobody has asked for the end while news is still followed.
_FATAL = (EventKind.RELEASE_FAILED, EventKind.DONE, EventKind.LOST)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    options = _options(arguments)
    # Unlike other queues this one may be filled from a signal handler while the same thread waits on it.
    news: queue.SimpleQueue[ProcessEvent | None] = queue.SimpleQueue()
    try:
        supervisor = Supervisor(
            options.procfile,
            log_dir=options.log_dir,
            scale=dict(options.scale),
            on_event=news.put,
            grace_s=options.grace,
            only=options.only.split(",") if options.only else None,
        )
    except SupervisorError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    asked: list[int] = []

    def end(signum: int, _frame: object) -> None:
        asked.append(signum)
        if len(asked) > 1:
            supervisor.hurry()
        news.put(None)

    for signum in _ENDING_SIGNALS:
        signal.signal(signum, end)
    supervisor.launch()
    try:
        with LogEcho(options.log_dir, supervisor.names, enabled=not options.quiet):
            status = _follow(news, supervisor)
            supervisor.stop()
            while not news.empty():
                _print(news.get())
    finally:
        supervisor.stop()
    return status


def _follow(news: queue.SimpleQueue[ProcessEvent | None], supervisor: Supervisor) -> int:
    """Print what happens until the end is asked for (0) or forced (1)."""
    while (event := news.get()) is not None:
        _print(event)
        if event.kind is EventKind.RELEASE_FAILED:
            sys.stderr.write(f"{tail(supervisor.log_path(event.name))}\n")
        if event.kind in _FATAL:
            return 1
    return 0


def _print(event: ProcessEvent | None) -> None:
    if event is not None:
        sys.stderr.write(f"{_sentence(event)}\n")


def _sentence(event: ProcessEvent) -> str:
    what = event.kind.value.replace("_", " ")
    parts = [f"{event.name or 'supervisor'}: {what}"]
    if event.pid:
        parts.append(f"pid {event.pid}")
    if event.exit_code is not None:
        parts.append(f"status {event.exit_code}")
    if event.restart_in_ms is not None:
        parts.append(f"again in {event.restart_in_ms} ms")
    return ", ".join(parts)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.embedded.supervisor", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--procfile", type=Path, default=Path("Procfile"), help="default: %(default)s")
    parser.add_argument(
        "--scale", type=_scale, action="append", default=[], metavar="NAME=COUNT", help="instances of one process"
    )
    parser.add_argument("--only", metavar="NAME,NAME", help="run these entries alone; release too must be named to run")
    parser.add_argument("--log-dir", type=Path, default=DEFAULT_DATA_DIR / "logs", help="default: %(default)s")
    parser.add_argument("--grace", type=float, default=10.0, metavar="SECONDS", help="between SIGTERM and SIGKILL")
    parser.add_argument("--quiet", action="store_true", help="leave the processes' output in their log files")
    return parser.parse_args(arguments)


def _scale(text: str) -> tuple[str, int]:
    name, _, count = text.partition("=")
    if not name or not count.isdigit():
        raise argparse.ArgumentTypeError(f"expected NAME=COUNT, not {text!r}")
    return name, int(count)
