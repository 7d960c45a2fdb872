"""A media worker process whose desk is a shelf: everything of a live call is real but the database and Celery.

The host, its threads, its one loop, listener, heartbeat, sessions, pipelines, adapters, recordings and metrics are the
worker's own. Orders come as JSON lines on standard input, {"calls": 20, "config": {…}} or {"stop": true}; a line of
output follows each, one before the first says that it is ready, and the process ends when standard input does. The
command line gives the caller id of its calls.
"""

import json
import sys
import threading
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from uuid import UUID, uuid4

from media.desk import Desk, PulseAnswer, configure_logging
from media.host.host import MediaHost
from media.settings import MediaSettings
from schema.call_config import CallConfig
from schema.callspec import CallResult, CallSpec, Claim, Orphan, OrphanFinding, Progress, WorkerPulse

HOLD_S = 3600
DIAL_DEADLINE_S = 10.0


class Shelf(Desk):
    """Calls to be carried, held in memory. Keeps what a `Desk` promises to a host.

    Attributes:
        results: how calls ended, by outcome.
        failures: why calls ended that were not stopped by order.
    """

    def __init__(self, from_number: str) -> None:
        self._from_number = from_number
        self.results: dict[str, int] = {}
        self.failures: list[str] = []
        self._specs: dict[UUID, CallSpec] = {}
        self._stopping: frozenset[UUID] = frozenset()
        self._dialled = 0

    def put(self, config: CallConfig) -> Claim:
        """Make up a call to the next number."""
        self._dialled += 1
        spec = CallSpec(
            call_id=uuid4(),
            account_id=UUID(int=1),
            campaign_id=None,
            lease_token=1,
            phone_number=f"+1212555{self._dialled:04d}",
            from_number=self._from_number,
            config=config,
            lead_context={},
            stream_token=uuid4().hex,
            dial_deadline_s=DIAL_DEADLINE_S,
            hold_s=HOLD_S,
        )
        self._specs[spec.call_id] = spec
        return Claim(spec.call_id, spec.lease_token)

    def stop_all(self) -> None:
        """Let the next heartbeat bring the order to stop every call."""
        self._stopping = frozenset(self._specs)

    def take(self, claim: Claim, worker_id: str) -> CallSpec | None:
        """Hand the call out."""
        del worker_id
        return self._specs[claim.call_id]

    def pulse(self, pulse_: WorkerPulse, progress: tuple[Progress, ...]) -> PulseAnswer:
        """Answer a heartbeat."""
        del pulse_, progress
        return PulseAnswer(lost=frozenset(), stop=self._stopping)

    def record(self, result: CallResult) -> bool:  # type: ignore[override]  # this shelf never needs a second try
        """Count how the call ended."""
        del self._specs[result.call_id]
        self.results[result.end_reason.value] = self.results.get(result.end_reason.value, 0) + 1
        if result.call_id not in self._stopping:
            self.failures.append(f"{result.end_reason.value}: {result.error_message}")
        return True

    def note_fault(self, carried: "Future[None]") -> None:
        """Write down what broke a call's thread, if anything did."""
        fault = carried.exception()
        if fault is not None:
            self.failures.append(repr(fault))

    def adopt(self, call_id: UUID, worker_id: str) -> Orphan | None:
        """Know no orphans."""
        del call_id, worker_id
        return None

    def settle(self, finding: OrphanFinding) -> None:  # type: ignore[override]  # nor here
        """Know no orphans."""

    def retire(self, worker_id: str) -> None:
        """Forget the worker."""

    def close(self) -> None:
        """Hold nothing open."""


def serve(settings: MediaSettings, from_number: str, orders: Iterable[str]) -> int:
    """Carry calls as ordered until the orders end."""
    shelf = Shelf(from_number)
    host = MediaHost(settings, shelf)
    host.start()
    with ThreadPoolExecutor(max_workers=settings.media_slots) as slots:
        _tell(ready=True)
        for line in orders:
            order = json.loads(line)
            if order.get("stop"):
                shelf.stop_all()
            else:
                config = CallConfig.model_validate(order["config"])
                for _ in range(order["calls"]):
                    slots.submit(host.carry, shelf.put(config)).add_done_callback(shelf.note_fault)
            _tell(results=shelf.results, failures=shelf.failures[:3], threads=threading.active_count())
        shelf.stop_all()
    host.drain()
    host.stop()
    return 0


def _tell(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    configured = MediaSettings.load()
    configure_logging(configured.log_level)
    sys.exit(serve(configured, sys.argv[1], sys.stdin))
