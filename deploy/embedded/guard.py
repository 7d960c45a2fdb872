"""The program's end of the line to the guard process that owns what the program started.

Rule: the guard, not the program, owns the children, and it stops them when the program ends in any way. The program
forks nothing itself, so it may hold any number of threads. Knows nothing of what is owned.
"""

from __future__ import annotations

import collections
import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.embedded.messages import LineCutter, Message, encoded

if TYPE_CHECKING:
    from collections.abc import Mapping

_IMPORT_ROOT = Path(__file__).resolve().parents[2]
_CHUNK_BYTES = 65536


class Guard:
    """The program's end of the line: a started guard process."""

    def __init__(self, module: str) -> None:
        """Start `python -m module` in its own session, connected to this process."""
        ours, theirs = socket.socketpair()
        self._socket = ours
        self._lines = LineCutter()
        self._received: collections.deque[Message] = collections.deque()
        # `-m` imports from the working directory, and a safe path would forbid just that.
        environ = {key: value for key, value in os.environ.items() if key != "PYTHONSAFEPATH"}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, str(theirs.fileno()), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                cwd=_IMPORT_ROOT,
                env=environ,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Return the guard's process id."""
        return self._process.pid

    def send(self, message: Mapping[str, object]) -> bool:
        """Send one message; False when the guard is gone."""
        try:
            self._socket.sendall(encoded(message))
        except OSError:
            return False
        return True

    def receive(self, timeout_s: float | None = None) -> Message | None:
        """Wait for the next message; None when the guard is gone.

        Raises:
            TimeoutError: nothing came within `timeout_s`.
        """
        self._socket.settimeout(timeout_s)
        while not self._received:
            try:
                chunk = self._socket.recv(_CHUNK_BYTES)
            except TimeoutError:
                raise
            except OSError:
                return None
            if not chunk:
                return None
            self._received.extend(self._lines.feed(chunk))
        return self._received.popleft()

    def hang_up(self) -> None:
        """Close the line, which tells the guard to stop everything and end."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def wait_end(self, timeout_s: float) -> int:
        """Wait until the guard has ended and return its return code; after `timeout_s` kill it."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
