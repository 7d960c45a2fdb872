"""The guard process's end of the line to the program it works for, and the one place where a guard waits.

Learns of the program's end twice over: the socket between them reaches its end, and on Linux a pidfd of the program
fires even when a forked copy of the program still holds the socket. Signals wake the wait as well: SIGTERM asks the
guard to end, the rest only interrupt. Knows nothing of what the guard owns.
"""

from __future__ import annotations

import collections
import os
import selectors
import signal
import socket
import sys
from typing import TYPE_CHECKING

from deploy.embedded.messages import LineCutter, Message, encoded

if TYPE_CHECKING:
    from collections.abc import Mapping

_CHUNK_BYTES = 65536
_FAREWELL_S = 1.0


class OwnerLink:
    """The guard's end of the line; also the one place where the guard waits."""

    def __init__(self, fd: int, owner_pid: int) -> None:
        """Take over the inherited socket and begin to watch the owner and this process's signals."""
        self.owner_lost = False
        self.told_to_end = False
        self._lines = LineCutter()
        self._inbox: collections.deque[Message] = collections.deque()
        self._outbox = bytearray()
        self._socket = socket.socket(fileno=fd)
        self._socket.set_inheritable(False)
        self._socket.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)
        self._wake_fd = self._listen_to_signals()
        self._owner_fd = self._watch(owner_pid)
        if os.getppid() != owner_pid:
            self._lose_owner()

    @classmethod
    def from_arguments(cls) -> OwnerLink:
        """Connect to the program that started this process through `Guard`."""
        fd, owner_pid = (int(argument) for argument in sys.argv[1:3])
        return cls(fd, owner_pid)

    @property
    def over(self) -> bool:
        """Tell whether this guard has to end."""
        return self.owner_lost or self.told_to_end

    def _listen_to_signals(self) -> int:
        read_fd, write_fd = os.pipe()
        os.set_blocking(read_fd, False)
        os.set_blocking(write_fd, False)
        signal.set_wakeup_fd(write_fd, warn_on_full_buffer=False)
        # Handlers, not SIG_IGN: children inherit what is ignored, but not what is handled.
        for signum in (signal.SIGCHLD, signal.SIGINT, signal.SIGHUP):
            signal.signal(signum, lambda _signum, _frame: None)
        signal.signal(signal.SIGTERM, lambda _signum, _frame: self._end())
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        self._selector.register(read_fd, selectors.EVENT_READ)
        return read_fd

    def _watch(self, owner_pid: int) -> int:
        if sys.platform != "linux":
            return -1
        try:
            owner_fd = os.pidfd_open(owner_pid)
        except OSError:
            return -1
        self._selector.register(owner_fd, selectors.EVENT_READ)
        return owner_fd

    def _end(self) -> None:
        self.told_to_end = True

    def send(self, message: Mapping[str, object]) -> None:
        """Queue one message; never blocks, and says nothing when the owner is gone."""
        self._outbox += encoded(message)
        self._flush()

    def wait(self, timeout_s: float | None) -> None:
        """Wait until a message, a signal or the owner's end arrives, at most `timeout_s`."""
        if self._inbox:
            return
        if not self.owner_lost:
            interest = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._outbox else 0)
            self._selector.modify(self._socket, interest)
        for key, events in self._selector.select(timeout_s):
            if key.fd == self._wake_fd:
                os.read(self._wake_fd, _CHUNK_BYTES)
            elif key.fd == self._owner_fd:
                self._lose_owner()
            elif not self.owner_lost:
                self._serve_socket(events)

    def next_message(self) -> Message | None:
        """Return the oldest message that has arrived and was not yet taken."""
        return self._inbox.popleft() if self._inbox else None

    def farewell(self) -> None:
        """Deliver what is still queued, briefly, and close the line."""
        if not self.owner_lost:
            self._socket.settimeout(_FAREWELL_S)
            try:
                self._socket.sendall(self._outbox)
            except OSError:
                self.owner_lost = True
        self._socket.close()

    def _serve_socket(self, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._flush()
        if not events & selectors.EVENT_READ or self.owner_lost:
            return
        try:
            chunk = self._socket.recv(_CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if chunk:
            self._inbox.extend(self._lines.feed(chunk))
        else:
            self._lose_owner()

    def _flush(self) -> None:
        if self.owner_lost:
            self._outbox.clear()
            return
        try:
            sent = self._socket.send(self._outbox) if self._outbox else 0
        except BlockingIOError:
            return
        except OSError:
            self._lose_owner()
            return
        del self._outbox[:sent]

    def _lose_owner(self) -> None:
        """Stop watching: both descriptors stay readable for ever and would spin the loop."""
        if not self.owner_lost:
            self.owner_lost = True
            self._selector.unregister(self._socket)
            if self._owner_fd >= 0:
                self._selector.unregister(self._owner_fd)
