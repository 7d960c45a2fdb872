"""One batched heartbeat per process: renews every lease, carries progress, brings back stops and lost leases.

Runs in its own thread so that neither audio nor Celery can starve it. A failing database is logged and tried again at
the next beat; audio goes on meanwhile, and the lease decides who owns the call when the database is back.
"""

import threading
from collections.abc import Callable

import structlog

from media.desk import Desk, PulseAnswer
from schema.callspec import Progress, WorkerPulse

log = structlog.get_logger()

BEAT_EVERY_S = 2.0
BATCH_PROGRESS_S = 0.05


class Heartbeat:
    """The heartbeat thread of one worker process.

    Args:
        compose: makes the pulse of this moment.
        answer: is told what the dispatcher replied.
    """

    def __init__(self, desk: Desk, compose: Callable[[], WorkerPulse], answer: Callable[[PulseAnswer], None]) -> None:
        self._desk = desk
        self._compose = compose
        self._answer = answer
        self._progress: list[Progress] = []
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="media-heartbeat", daemon=True)

    def start(self) -> None:
        """Beat once, so that slots are known at once, then go on in the background."""
        self._beat()
        self._thread.start()

    def report(self, progress: Progress) -> None:
        """Send progress with the next beat, which comes right away. Safe from any thread."""
        with self._lock:
            self._progress.append(progress)
        self._wake.set()

    def flush(self) -> None:
        """Send what is pending from the calling thread, so that a call's story is told before its end."""
        if self._progress:
            self._beat()

    def stop(self) -> None:
        """Stop beating."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._wake.wait(BEAT_EVERY_S):
                self._stopping.wait(BATCH_PROGRESS_S)
            self._wake.clear()
            self._beat()

    def _beat(self) -> None:
        with self._lock:
            progress, self._progress = tuple(self._progress), []
        try:
            answer = self._desk.pulse(self._compose(), progress)
        except Exception:
            log.warning("heartbeat_failed", pending=len(progress), exc_info=True)
            with self._lock:
                self._progress = [*progress, *self._progress]
            return
        self._answer(answer)
