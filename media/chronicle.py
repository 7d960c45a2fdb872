"""What happens to one call, turned into facts, deadlines and progress for the desk.

The carrier's events may come twice, late or out of order: each fact is taken once, a phase never goes back, the first
reason to end is the one that counts.
"""

from typing import assert_never

import structlog

from media.call_host import CallHost
from media.clock import Clock
from media.deadlines import Deadlines
from media.errors import CarrierError, CarrierRefusal, DialUnknown
from media.ports import CarrierAnswered, CarrierEnded, CarrierEvent, CarrierMachineResult, CarrierRinging
from media.verdict import RING_RESULTS, CallFacts
from schema.callspec import CallSpec
from schema.outcomes import AnsweredBy, EndReason, Outcome
from schema.states import CallPhase

log = structlog.get_logger()

_ORDER = (CallPhase.DIALING, CallPhase.RINGING, CallPhase.ANSWERED)


class Chronicle:
    """The facts of one call as they come in.

    Attributes:
        phase: dialing, ringing or answered.
    """

    def __init__(self, spec: CallSpec, host: CallHost, clock: Clock) -> None:
        self.facts = CallFacts()
        self.deadlines = Deadlines(spec, clock.now())
        self.phase = CallPhase.DIALING
        self._spec = spec
        self._host = host
        self._clock = clock
        self._leg_up = False
        self._leg_broke = False
        self._over_at: float | None = None

    @property
    def over(self) -> bool:
        """Whether there is a reason to end."""
        return self.facts.end_reason is not None

    def finish(self, reason: EndReason, detail: str | None = None, *, at: float | None = None) -> None:
        """Set why and when the call ended; only the first time counts."""
        if self.facts.end_reason is None:
            self.facts.end_reason = reason
            self.facts.ended_at = at if at is not None else self._clock.now()
            self.facts.ended_at_utc = self._clock.utc()
            doubt = None if self.facts.carrier_spoke else self.facts.error_message
            self.facts.error_message = detail or doubt

    def dialled(self, provider_call_id: str) -> None:
        """The carrier took the request."""
        self.facts.provider_call_id = provider_call_id
        log.info("call_dialled", provider_call_id=provider_call_id)
        self._host.progress(self.phase, provider_call_id=provider_call_id)

    def dial_failed(self, error: CarrierError) -> None:
        """The carrier refused, could not be asked, or nobody knows; a call that lives all the same goes on."""
        if isinstance(error, DialUnknown):
            log.warning("dial_unknown", reason=error.detail)
            self.facts.error_message = error.detail
        elif not self.facts.carrier_spoke:
            self.facts.carrier_outcome = error.outcome if isinstance(error, CarrierRefusal) else Outcome.CARRIER_REFUSED
            self.finish(error.end_reason, error.detail)

    def answered(self) -> float:
        """Somebody or something picked up; return when."""
        self.facts.carrier_spoke = True
        if self.facts.answered_at is None:
            self.facts.answered_at = self._clock.now()
            self.facts.answered_at_utc = self._clock.utc()
            self.deadlines.answered(self.facts.answered_at)
            self._move(CallPhase.ANSWERED)
        return self.facts.answered_at

    def leg_joined(self) -> None:
        """The carrier's media socket is up."""
        self._leg_up = True
        self.deadlines.joined()

    def leg_lost(self, at: float, *, broke: bool) -> None:
        """The carrier's media socket is gone; it `broke` when the carrier did not end it."""
        self._leg_up, self._leg_broke = False, broke
        if self.facts.carrier_ended:
            self._part(broke=broke)
        else:
            self._over_at = at
            self.deadlines.leg_lost(at)

    def left_for_good(self, *, over: bool) -> None:
        """The socket did not come back; `over` when the carrier says that the call has ended too."""
        self.facts.carrier_ended = self.facts.carrier_ended or over
        self._part(broke=self._leg_broke or not over)

    def carrier_event(self, event: CarrierEvent) -> None:
        """Take one of the carrier's callbacks."""
        self.facts.carrier_spoke = True
        match event:
            case CarrierRinging():
                self._move(CallPhase.RINGING)
            case CarrierAnswered():
                self.answered()
            case CarrierMachineResult(answered_by):
                self._machine_result(answered_by)
            case CarrierEnded(outcome, _, detail):
                self._ended(outcome, detail)
            case _:
                assert_never(event)

    def _machine_result(self, answered_by: AnsweredBy) -> None:
        self.answered()
        self.facts.answered_by = answered_by
        self._host.progress(self.phase, answered_by=answered_by)
        if answered_by is AnsweredBy.VOICEMAIL and self._spec.config.voicemail.action == "hangup":
            self.finish(EndReason.VOICEMAIL_HANGUP)

    def _ended(self, outcome: Outcome | None, detail: str) -> None:
        self.facts.carrier_ended = True
        if self.facts.answered_at is not None:
            now = self._clock.now()
            self._over_at = now if self._over_at is None else self._over_at
            if now - self.facts.answered_at >= self._spec.hold_s:
                self.finish(EndReason.MAX_DURATION, at=self._over_at)
            elif self._leg_up:
                self.deadlines.carrier_done(now)
            else:
                self._part(broke=self._leg_broke)
        elif outcome is None:
            self.finish(EndReason.CARRIER_NO_STREAM, detail)
        else:
            self.facts.carrier_outcome = self.facts.carrier_outcome or outcome
            self.finish(RING_RESULTS.get(outcome, EndReason.DIAL_FAILED), detail)

    def _part(self, *, broke: bool) -> None:
        """The callee has left, unless the socket broke: a carrier ends a call whose socket broke."""
        if broke:
            self.finish(EndReason.CARRIER_STREAM_LOST, "the carrier's media socket broke", at=self._over_at)
        else:
            self.finish(EndReason.USER_HANGUP, at=self._over_at)

    def _move(self, phase: CallPhase) -> None:
        if _ORDER.index(phase) > _ORDER.index(self.phase):
            self.phase = phase
            log.info("call_moved", phase=phase.value)
            self._host.progress(phase, provider_call_id=self.facts.provider_call_id)
