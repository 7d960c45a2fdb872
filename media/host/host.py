"""A media worker process: takes calls from the desk, gives each a session on the one loop, records how it ended.

Celery's task threads call `carry` and `settle`; everything between taking and recording runs on the loop.
"""

import os
import secrets
import socket
import threading
import time
from uuid import UUID

import structlog

from media.desk import Desk, PulseAnswer
from media.host import metrics
from media.host.call_host import SessionHost
from media.host.heartbeat import BEAT_EVERY_S, Heartbeat
from media.host.listener import Listener
from media.host.loop import LoopThread
from media.host.registry import LiveCall, LiveCalls
from media.host.settle import ask_carrier
from media.inbox import CallInbox
from media.pipelines.build import build_carrier, build_pipeline
from media.session import run_call
from media.settings import MediaSettings
from media.studio import open_studio
from schema.callspec import CallResult, CallSpec, Claim, WorkerPulse
from schema.outcomes import EndReason, Outcome

log = structlog.get_logger()

OVERDUE_BEATS = 5
LAST_RECORDS_S = 10.0
DRAIN_LOOK_EVERY_S = 0.2


class MediaHost:
    """One worker process and its slots."""

    def __init__(self, settings: MediaSettings, desk: Desk) -> None:
        self.worker_id = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._settings = settings
        self._desk = desk
        self._loop = LoopThread()
        self._calls = LiveCalls()
        self._draining = threading.Event()
        self._answered_at = time.monotonic()
        self._listener = Listener(self._calls, auth_token=settings.twilio_auth_token, healthy=self._healthy)
        self._heartbeat = Heartbeat(desk, self._pulse, self._on_pulse_answer)

    def start(self) -> None:
        """Start the loop, the listener and the heartbeat; free slots are known to the dispatcher afterwards."""
        self._settings.recordings_dir.mkdir(parents=True, exist_ok=True)
        self._loop.start()
        bind = self._settings.media_bind_host
        self._loop.run(self._listener.start(bind, self._settings.media_port, self._settings.media_public_url))
        self._carrier = self._loop.run(build_carrier(self._settings.carrier()))
        self._studio = self._loop.run(open_studio())
        metrics.registry.register(metrics.FrameLateness(self._studio.pace.lateness))
        self._heartbeat.start()
        metrics.slots.set(self._settings.media_slots)
        log.info("media_worker_started", worker_id=self.worker_id, address=self._listener.public_url)

    def carry(self, claim: Claim) -> None:
        """Carry one call from taking it to its terminal record; returns when it is over.

        A call of which nobody knows whether it was placed gets no record here: it is left to the rescue, which knows
        the account's other calls to the number and has the carrier asked before anything is decided.
        """
        if self._draining.is_set():
            return
        taken_at = time.monotonic()
        spec = self._desk.take(claim, self.worker_id)
        if spec is None:
            return
        with structlog.contextvars.bound_contextvars(
            call_id=str(spec.call_id), campaign_id=str(spec.campaign_id), account_id=str(spec.account_id)
        ):
            result = self._converse(spec, taken_at)
            self._heartbeat.flush()
            if result.outcome is Outcome.AMBIGUOUS:
                log.warning("call_left_to_rescue", end_reason=result.end_reason.value)
                self._desk.leave_in_doubt(result)
            else:
                self._record(result)

    def settle(self, call_id: UUID) -> None:
        """Resolve one call whose worker is gone by asking the carrier."""
        orphan = self._desk.adopt(call_id, self.worker_id)
        if orphan is not None:
            finding = self._loop.run(ask_carrier(orphan, self._carrier))
            self._desk.settle(finding)

    def drain(self) -> None:
        """Take no more calls, let live ones finish within the grace, then end the rest as worker_shutdown."""
        self._draining.set()
        log.info("media_worker_draining", live=len(self._calls.all()))
        if not self._wait_until_empty(self._settings.media_drain_grace_s):
            for call in self._calls.all():
                self._loop.call(lambda inbox=call.inbox: inbox.stop(EndReason.WORKER_SHUTDOWN))  # type: ignore[misc]
            self._wait_until_empty(LAST_RECORDS_S)

    def stop(self) -> None:
        """Leave: retire at the desk, stop heartbeat, listener and loop."""
        self._heartbeat.stop()
        self._desk.retire(self.worker_id)
        self._loop.run(self._listener.stop())
        self._studio.disk.stop()
        self._loop.stop()
        self._desk.close()

    def _converse(self, spec: CallSpec, taken_at: float) -> CallResult:
        call = LiveCall(spec, CallInbox())
        self._calls.enter(call)
        metrics.live_calls.inc()
        try:
            host = SessionHost(spec, taken_at, self._listener, self._heartbeat, self._settings.recordings_dir)
            pipeline = build_pipeline(spec, self._settings.providers())
            session = run_call(
                spec,
                carrier=self._carrier,
                pipeline=pipeline,
                host=host,
                inbox=call.inbox,
                studio=self._studio,
            )
            return self._loop.run(session)
        finally:
            metrics.live_calls.dec()
            self._calls.leave(call)

    def _record(self, result: CallResult) -> None:
        metrics.calls_ended.labels(result.outcome.value, result.end_reason.value).inc()
        metrics.talk_seconds.inc(result.talked_s)
        for stage, quantiles in result.latency_ms.items():
            metrics.turn_latency.labels(stage).observe(quantiles["p50"] / 1000)
        if not self._desk.record(result):
            metrics.calls_fenced.inc()
            log.warning("call_fenced", call_id=str(result.call_id))

    def _pulse(self) -> WorkerPulse:
        return WorkerPulse(
            worker_id=self.worker_id,
            address=self._listener.public_url,
            slots=self._settings.media_slots,
            draining=self._draining.is_set(),
            leases=self._calls.leases(),
        )

    def _on_pulse_answer(self, answer: PulseAnswer) -> None:
        self._answered_at = time.monotonic()
        for call_id in answer.lost:
            self._tell(call_id, EndReason.WORKER_LOST)
        for call_id in answer.stop:
            self._tell(call_id, EndReason.API_STOP)

    def _tell(self, call_id: UUID, reason: EndReason) -> None:
        call = self._calls.by_id(call_id)
        if call is not None:
            self._loop.call(lambda: call.inbox.stop(reason))

    def _healthy(self) -> bool:
        return time.monotonic() - self._answered_at < OVERDUE_BEATS * BEAT_EVERY_S

    def _wait_until_empty(self, within_s: float) -> bool:
        deadline = time.monotonic() + within_s
        while self._calls.all() and time.monotonic() < deadline:
            time.sleep(DRAIN_LOOK_EVERY_S)
        return not self._calls.all()
