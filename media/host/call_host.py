"""What the worker offers to one session: addresses, a place for the recording, progress to the desk."""

import time
from datetime import UTC, datetime
from pathlib import Path

from media.host.heartbeat import Heartbeat
from media.host.listener import Listener
from schema.callspec import CallSpec, Progress
from schema.outcomes import AnsweredBy
from schema.states import CallPhase


class SessionHost:
    """The `CallHost` of one call.

    Args:
        taken_at: monotonic instant just before the lease was taken.
    """

    def __init__(
        self, spec: CallSpec, taken_at: float, listener: Listener, heartbeat: Heartbeat, recordings_dir: Path
    ) -> None:
        self._spec = spec
        self._dial_until = taken_at + spec.dial_deadline_s
        self._listener = listener
        self._heartbeat = heartbeat
        self._recordings_dir = recordings_dir

    def dial_allowed(self) -> bool:
        """Tell whether enough of the lease is left to ask the carrier, on the monotonic clock."""
        return time.monotonic() < self._dial_until

    def stream_url(self) -> str:
        """Where the carrier opens this call's media socket."""
        return self._listener.stream_url(self._spec.stream_token)

    def status_url(self) -> str:
        """Where the carrier reports this call's progress."""
        return self._listener.status_url(self._spec.call_id)

    def recording_path(self) -> Path | None:
        """Where this call's recording goes; None when it is not recorded."""
        if not self._spec.config.record:
            return None
        folder = self._recordings_dir / str(self._spec.account_id)
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / f"{self._spec.call_id}.wav").resolve()

    def progress(
        self, phase: CallPhase, provider_call_id: str | None = None, answered_by: AnsweredBy | None = None
    ) -> None:
        """Report that the call moved on."""
        self._heartbeat.report(
            Progress(
                self._spec.call_id,
                self._spec.lease_token,
                phase,
                datetime.now(UTC),
                provider_call_id=provider_call_id,
                answered_by=answered_by,
            )
        )
