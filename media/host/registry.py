"""The live calls of this process: who a stream token, a callback or a stop request belongs to.

Entered and left by Celery's task threads, read by the loop and the heartbeat thread.
"""

import threading
from dataclasses import dataclass
from uuid import UUID

from media.inbox import CallInbox
from schema.callspec import CallSpec, Claim


@dataclass(slots=True)
class LiveCall:
    """One call in a slot of this process."""

    spec: CallSpec
    inbox: CallInbox
    stream_joined: bool = False


class LiveCalls:
    """All calls this process carries now."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_id: dict[UUID, LiveCall] = {}
        self._by_token: dict[str, LiveCall] = {}

    def enter(self, call: LiveCall) -> None:
        """Let streams and callbacks find the call."""
        with self._lock:
            self._by_id[call.spec.call_id] = call
            self._by_token[call.spec.stream_token] = call

    def leave(self, call: LiveCall) -> None:
        """Forget the call; its stream token opens nothing any more."""
        with self._lock:
            self._by_id.pop(call.spec.call_id, None)
            self._by_token.pop(call.spec.stream_token, None)

    def by_token(self, token: str) -> LiveCall | None:
        """Find the call a stream token was made for."""
        return self._by_token.get(token)

    def by_id(self, call_id: UUID) -> LiveCall | None:
        """Find a call by its id."""
        return self._by_id.get(call_id)

    def all(self) -> tuple[LiveCall, ...]:
        """List the calls of this moment."""
        with self._lock:
            return tuple(self._by_id.values())

    def leases(self) -> tuple[Claim, ...]:
        """List the leases to renew."""
        return tuple(Claim(call.spec.call_id, call.spec.lease_token) for call in self.all())
