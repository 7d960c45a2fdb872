"""Run the processes of a Procfile: every one restarted when it ends, all of them gone when this program is.

Decides what callers see of the processes: pids, events, logs. Deliberately does not own them: a keeper process does, so
that no way of dying leaves one running, and so that this class works in programs with threads. As a command line:
`python -m deploy.embedded.supervisor --procfile Procfile [--scale media=2] [--only web,beat]`.
"""

from __future__ import annotations

import collections
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from deploy.embedded.errors import ReleaseFailed, SupervisorError, SupervisorLost
from deploy.embedded.events import EventKind, ProcessEvent
from deploy.embedded.guard import Guard
from deploy.embedded.logs import tail
from deploy.embedded.plan import make_plan, worker_environ
from deploy.embedded.process import kill_group

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from deploy.embedded.plan import InstanceEnviron

__all__ = ["EventKind", "ProcessEvent", "Supervisor"]

_KEEPER = "deploy.embedded.keeper"
_EVENTS_KEPT = 1000
_STOP_MARGIN_S = 10.0
_ANSWER_S = 10.0
_UP = (EventKind.STARTED, EventKind.RESTARTED)
_OUTCOMES = (EventKind.READY, EventKind.RELEASE_FAILED, EventKind.DONE, EventKind.LOST)
_OVER = (EventKind.DONE, EventKind.LOST)
_DOWN = (EventKind.EXITED, EventKind.STOPPED, EventKind.RELEASE_FAILED)


def _ignore(_event: ProcessEvent) -> None:
    """Take an event and do nothing."""


class Supervisor:
    """The processes of one Procfile, named `media.1`, `media.2` and so on.

    `env` is their whole environment (default: this program's), to which `instance_environ` adds what is particular to
    one instance. `on_event` is called on a thread of its own. Usable as a context manager.
    """

    def __init__(
        self,
        procfile: Path,
        *,
        log_dir: Path,
        scale: Mapping[str, int] | None = None,
        env: Mapping[str, str] | None = None,
        on_event: Callable[[ProcessEvent], None] = _ignore,
        grace_s: float = 10.0,
        only: Collection[str] | None = None,
        instance_environ: InstanceEnviron = worker_environ,
    ) -> None:
        """Lay out the plan; nothing runs yet.

        Raises:
            ProcfileError: the Procfile cannot be run as written.
        """
        self._plan = make_plan(
            procfile,
            scale=scale or {},
            environ=os.environ if env is None else env,
            instance_environ=instance_environ,
            log_dir=log_dir,
            grace_s=grace_s,
            only=only,
        )
        self._log_dir = log_dir
        self._on_event = on_event
        self._guard: Guard | None = None
        self._listener: threading.Thread | None = None
        self._changed = threading.Condition()
        self._pids: dict[str, int] = {}
        self._signalled: collections.deque[int] = collections.deque()
        self._untaken: collections.deque[ProcessEvent] = collections.deque(maxlen=_EVENTS_KEPT)
        self._outcome: ProcessEvent | None = None
        self._stopped = False
        self._signalling = threading.Lock()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Run `release` to completion, start every process, and return when all have been started.

        Raises:
            ReleaseFailed: the release command did not succeed; nothing was started.
            SupervisorLost: the keeper has ended.
        """
        self.launch()
        try:
            self._wait(lambda: self._outcome, None, "start")
            self._require_alive()
        except BaseException:
            self.stop()
            raise

    def launch(self) -> None:
        """Begin to start everything without waiting; events tell how it goes, READY or RELEASE_FAILED last."""
        self._log_dir.mkdir(parents=True, exist_ok=True)
        self._guard = Guard(_KEEPER)
        self._listener = threading.Thread(target=self._listen, args=(self._guard,), name="supervisor", daemon=True)
        self._listener.start()
        self._guard.send(self._plan.to_message())

    def stop(self) -> None:
        """Stop everything in reversed order and wait until all of it is gone; called again it does nothing."""
        guard = self._guard
        if guard is None or self._stopped:
            return
        self._stopped = True
        stages = len({process.stage for process in self._plan.processes}) + 1
        guard.send({"do": "stop"})
        guard.wait_end(stages * self._plan.grace_ms / 1000 + _STOP_MARGIN_S)
        if self._listener is not None:
            self._listener.join()
        guard.hang_up()

    def hurry(self) -> None:
        """Stop now: kill whatever a stop that has begun still waits for; may be called from a signal handler."""
        # The keeper takes the first of two for the wish to stop, the second for impatience.
        if self._guard is not None:
            self._guard.send({"do": "stop"})

    def pids(self) -> dict[str, int]:
        """Return the pid of every process that runs now."""
        with self._changed:
            return dict(self._pids)

    @property
    def keeper_pid(self) -> int:
        """Return the pid of the process that owns the others, 0 before the start."""
        return self._guard.pid if self._guard else 0

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all instances, `release.1` first if there is one."""
        release = (self._plan.release,) if self._plan.release else ()
        return tuple(process.name for process in (*release, *self._plan.processes))

    def log_path(self, name: str) -> Path:
        """Return where `name` writes its output."""
        return self._log_dir / f"{name}.log"

    def kill(self, name: str, signum: int = signal.SIGKILL) -> int:
        """Send a signal to the program `name` itself and return the pid that received it.

        Raises:
            SupervisorError: the process does not run now.
            SupervisorLost: the keeper has ended.
        """
        with self._signalling:
            if self._guard is None or self._stopped:
                raise SupervisorError("nothing is supervised now")
            self._guard.send({"do": "signal", "name": name, "signum": int(signum)})
            self._wait(lambda: bool(self._signalled) or self._is_over(), _ANSWER_S, "signal")
            self._require_alive()
            pid = self._signalled.popleft()
        if pid == 0:
            raise SupervisorError(f"{name} does not run now")
        return pid

    def wait_any(self, timeout_s: float | None = None) -> ProcessEvent:
        """Return the oldest event not yet returned, waiting for one if need be.

        Raises:
            TimeoutError: none came within `timeout_s`.
        """
        self._wait(lambda: bool(self._untaken), timeout_s, "event")
        return self._untaken.popleft()

    def wait_restart(self, name: str, old_pid: int, timeout_s: float) -> int:
        """Wait until `name` runs under another pid than `old_pid` and return it.

        Raises:
            TimeoutError: it did not within `timeout_s`.
            SupervisorLost: the keeper has ended.
        """
        self._wait(lambda: self._pids.get(name, old_pid) != old_pid or self._is_over(), timeout_s, f"restart of {name}")
        self._require_alive()
        return self.pids()[name]

    def _wait(self, come: Callable[[], object], timeout_s: float | None, what: str) -> None:
        with self._changed:
            if not self._changed.wait_for(come, timeout_s):
                raise TimeoutError(f"no {what} within {timeout_s} s")

    def _is_over(self) -> bool:
        return self._outcome is not None and self._outcome.kind in _OVER

    def _has_failed(self) -> bool:
        return self._outcome is not None and self._outcome.kind is EventKind.RELEASE_FAILED

    def _require_alive(self) -> None:
        outcome = self._outcome
        if outcome is not None and self._has_failed():
            raise ReleaseFailed(outcome.exit_code or 1, tail(self.log_path(outcome.name)))
        if self._is_over():
            raise SupervisorLost("the process that owned the started processes has ended, and they with it")

    def _listen(self, guard: Guard) -> None:
        """Follow the keeper's events to its end, on a thread of its own."""
        ended = False
        try:
            while (message := guard.receive()) is not None:
                event = ProcessEvent.from_message(message)
                ended = ended or event.kind is EventKind.DONE
                self._take(event)
        finally:
            if not ended:
                self._clear_up(guard)

    def _clear_up(self, guard: Guard) -> None:
        """Kill what a lost keeper has left: its own death took the processes along, but not what those had started."""
        guard.hang_up()
        for pid in self.pids().values():
            kill_group(pid)
        self._take(ProcessEvent(EventKind.LOST))

    def _take(self, event: ProcessEvent) -> None:
        with self._changed:
            if event.kind in _UP:
                self._pids[event.name] = event.pid
            elif event.kind in _DOWN:
                self._pids.pop(event.name, None)
            elif event.kind is EventKind.LOST:
                self._pids.clear()
            # A failed release stays the reason although the orderly end follows it.
            if event.kind in _OUTCOMES and not self._has_failed():
                self._outcome = event
            # The answer to `kill`, not news.
            answer = event.kind is EventKind.SIGNALLED
            if answer:
                self._signalled.append(event.pid)
            else:
                self._untaken.append(event)
            self._changed.notify_all()
        if not answer:
            self._on_event(event)


if __name__ == "__main__":
    from deploy.embedded.supervise import main

    sys.exit(main())
