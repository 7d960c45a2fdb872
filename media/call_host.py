"""What the worker offers to one session: addresses, a place for the recording, a road for progress."""

from pathlib import Path
from typing import Protocol

from schema.outcomes import AnsweredBy
from schema.states import CallPhase


class CallHost(Protocol):
    """The worker as one session sees it. Called on the event loop; must not block."""

    def dial_allowed(self) -> bool:
        """Tell whether enough of the lease is left to ask the carrier."""

    def stream_url(self) -> str:
        """Return the address at which the carrier opens this call's media socket."""

    def status_url(self) -> str:
        """Return the address at which the carrier reports this call's progress."""

    def recording_path(self) -> Path | None:
        """Return where the recording goes, None when the call is not recorded."""

    def progress(
        self, phase: CallPhase, provider_call_id: str | None = None, answered_by: AnsweredBy | None = None
    ) -> None:
        """Report that the call moved on."""
