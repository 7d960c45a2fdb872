"""What happens to supervised processes, as values.

Decides the closed set of kinds; knows nothing of who causes or reports them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from deploy.embedded.messages import Message, number_in, text_in

if TYPE_CHECKING:
    from collections.abc import Mapping


class EventKind(StrEnum):
    """What happened."""

    STARTED = "started"
    """A process runs for the first time."""
    EXITED = "exited"
    """A process ended by itself or was killed from outside; it is started again after `restart_in_ms`."""
    RESTARTED = "restarted"
    """A process runs again."""
    READY = "ready"
    """Every process has been started."""
    STOPPED = "stopped"
    """A process ended because it was asked to."""
    KILLED = "killed"
    """A process did not end within the grace and is killed; STOPPED follows."""
    RELEASE_FAILED = "release_failed"
    """The release command ended with another status than 0; nothing was started."""
    SIGNALLED = "signalled"
    """A signal asked for was delivered; pid 0 when the process was down."""
    DONE = "done"
    """Every process is gone and the keeper ends."""
    LOST = "lost"
    """The keeper died; everything it had started was killed."""


@dataclass(frozen=True, slots=True)
class ProcessEvent:
    """One event; `name` is empty when it concerns all, `exit_code` counts death by signal n as 128 + n."""

    kind: EventKind
    name: str = ""
    pid: int = 0
    exit_code: int | None = None
    restart_in_ms: int | None = None

    def to_message(self) -> Message:
        """Return the event as JSON values."""
        facts: Message = {"kind": self.kind.value, "name": self.name, "pid": self.pid}
        if self.exit_code is not None:
            facts["exit_code"] = self.exit_code
        if self.restart_in_ms is not None:
            facts["restart_in_ms"] = self.restart_in_ms
        return facts

    @classmethod
    def from_message(cls, message: Mapping[str, object]) -> ProcessEvent:
        """Read an event back.

        Raises:
            EmbeddedError: the message is no event.
        """
        return cls(
            kind=EventKind(text_in(message, "kind")),
            name=text_in(message, "name"),
            pid=number_in(message, "pid"),
            exit_code=number_in(message, "exit_code") if "exit_code" in message else None,
            restart_in_ms=number_in(message, "restart_in_ms") if "restart_in_ms" in message else None,
        )
