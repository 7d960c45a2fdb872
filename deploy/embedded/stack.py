"""A private PostgreSQL and Valkey for as long as a `with` block lasts; the data stays and is found again.

Decides where servers come from: the environment first, then wheels, then installed programs. Deliberately does not own
the servers itself: a guardian process does, so that no way of dying leaves them running. Safe in programs with threads.
"""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.embedded import errors
from deploy.embedded.addresses import StackAddresses, addresses_in, embedded_addresses
from deploy.embedded.binaries import find_servers
from deploy.embedded.errors import ServerFailed, StackError
from deploy.embedded.guard import Guard
from deploy.embedded.messages import Message, number_in, text_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from deploy.embedded.binaries import ServerPrograms

__all__ = ["DEFAULT_DATA_DIR", "StackAddresses", "StackControl", "controlled_stack", "running_stack"]

DEFAULT_DATA_DIR = Path(__file__).resolve().parents[2] / ".trunkline"

_GUARDIAN = "deploy.embedded.guardian"
_ANSWER_S = 150.0
_STOP_S = 90.0


class StackControl:
    """Both servers of an embedded stack, each of which can be crashed and started again."""

    def __init__(self, data_dir: Path, programs: ServerPrograms) -> None:
        """Start the servers and wait until both serve.

        Raises:
            StackError: they did not start; the text ends with the log of the one that failed.
        """
        self._lock = threading.Lock()
        self._guard = Guard(_GUARDIAN)
        try:
            self._addresses = self._ask(
                {
                    "data_dir": str(data_dir.resolve()),
                    "postgres_program": str(programs.postgres),
                    "redis_program": str(programs.redis),
                }
            )
        except BaseException:
            self.close()
            raise

    @property
    def addresses(self) -> StackAddresses:
        """Return the current addresses; the pid of a killed server is None."""
        return self._addresses

    @property
    def guardian_pid(self) -> int:
        """Return the pid of the process that owns the servers."""
        return self._guard.pid

    def kill_redis(self) -> None:
        """Crash the broker with SIGKILL; it stays down until `start_redis`."""
        self._order("kill", "redis")

    def start_redis(self) -> None:
        """Start the broker on the same socket and data, and wait until it serves."""
        self._order("start", "redis")

    def kill_postgres(self) -> None:
        """Crash the database with SIGKILL; it stays down until `start_postgres`."""
        self._order("kill", "postgres")

    def start_postgres(self) -> None:
        """Start the database on the same socket and data, and wait until recovery is done."""
        self._order("start", "postgres")

    def close(self) -> None:
        """Stop both servers and wait until they are gone."""
        self._guard.hang_up()
        self._guard.wait_end(_STOP_S)

    def _order(self, action: str, server: str) -> None:
        with self._lock:
            self._addresses = self._ask({"do": action, "server": server})

    def _ask(self, message: Message) -> StackAddresses:
        self._guard.send(message)
        try:
            answer = self._guard.receive(_ANSWER_S)
        except TimeoutError:
            raise ServerFailed(f"no answer from the process that owns the servers within {_ANSWER_S:.0f} s") from None
        if answer is None:
            raise ServerFailed("the process that owns the servers is gone")
        if "failed" in answer:
            raise _failure(answer)
        run_dir = Path(text_in(answer, "run_dir"))
        return embedded_addresses(run_dir, number_in(answer, "postgres") or None, number_in(answer, "redis") or None)


def _failure(answer: Message) -> StackError:
    kind = getattr(errors, text_in(answer, "failed"), ServerFailed)
    known = kind if isinstance(kind, type) and issubclass(kind, StackError) else ServerFailed
    return known(text_in(answer, "text"))


@contextlib.contextmanager
def controlled_stack(
    data_dir: Path = DEFAULT_DATA_DIR, environ: Mapping[str, str] = os.environ
) -> Iterator[StackControl]:
    """Run embedded servers, whatever the environment names, with control over each; `environ` supplies PATH.

    Raises:
        StackError: the servers cannot be had; subclasses tell why.
    """
    control = StackControl(data_dir, find_servers(environ.get("PATH", os.defpath)))
    try:
        yield control
    finally:
        control.close()


@contextlib.contextmanager
def running_stack(
    data_dir: Path = DEFAULT_DATA_DIR, environ: Mapping[str, str] = os.environ
) -> Iterator[StackAddresses]:
    """Yield the servers the environment names, or start embedded ones on `data_dir` and stop them at the end.

    Raises:
        StackError: the servers cannot be had; subclasses tell why.
    """
    named = addresses_in(environ)
    if named is not None:
        yield named
        return
    with controlled_stack(data_dir, environ) as control:
        yield control.addresses
