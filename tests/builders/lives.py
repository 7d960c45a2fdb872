"""A call's life step by step, as beat and a media worker would drive it."""

from datetime import datetime
from uuid import uuid4

from dispatcher.services.claim import claim_due
from dispatcher.services.pulse import PulseAnswer, pulse
from dispatcher.services.take import take_call
from dispatcher.store.db import Database
from schema.callspec import CallResult, CallSpec, Claim, Progress, Turn, WorkerPulse
from schema.outcomes import AnsweredBy, EndReason, Outcome
from schema.states import CallPhase
from tests.builders.announcer import RecordingAnnouncer

WORKER = "media-1"
SAID = (
    Turn(1, "agent", "Hello, this is Sarah.", 200, 1_700),
    Turn(2, "callee", "Yes, I will come tomorrow.", 2_100, 3_900),
)


def claim_one(db: Database, announcer: RecordingAnnouncer) -> Claim:
    """Run the claim tick with a media worker alive; it claims exactly one call."""
    beat(db)
    before = len(announcer.claims)
    assert claim_due(db, announcer) == 1
    assert len(announcer.claims) == before + 1
    return announcer.claims[-1]


def take(db: Database, claim: Claim, *, worker: str = WORKER) -> CallSpec | None:
    """Take a claimed call."""
    return take_call(db, RecordingAnnouncer(), claim, worker)


def dialled(db: Database, announcer: RecordingAnnouncer, *, worker: str = WORKER) -> CallSpec:
    """Claim and take one call."""
    spec = take(db, claim_one(db, announcer), worker=worker)
    assert spec is not None
    return spec


def all_dialled(db: Database, announcer: RecordingAnnouncer, *, worker: str = WORKER) -> tuple[CallSpec, ...]:
    """Claim all that is due and take each call."""
    beat(db, worker=worker)
    before = len(announcer.claims)
    claim_due(db, announcer)
    specs = tuple(take(db, claim, worker=worker) for claim in announcer.claims[before:])
    return tuple(spec for spec in specs if spec is not None)


def beat(db: Database, *leases: Claim, progress: tuple[Progress, ...] = (), worker: str = WORKER) -> PulseAnswer:
    """Send one heartbeat of a worker with 50 slots."""
    return pulse(db, WorkerPulse(worker, "ws://127.0.0.1:9", 50, draining=False, leases=leases), progress)


def lease_of(spec: CallSpec) -> Claim:
    """Return the lease a taken call is held by."""
    return Claim(spec.call_id, spec.lease_token)


def progress_of(spec: CallSpec, phase: CallPhase, at: datetime, *, provider_call_id: str | None = None) -> Progress:
    """Report that a call moved on."""
    return Progress(spec.call_id, spec.lease_token, phase, at, provider_call_id)


def a_result(
    spec: CallSpec,
    at: datetime,
    outcome: Outcome = Outcome.HUMAN,
    end_reason: EndReason = EndReason.USER_HANGUP,
    *,
    talked_s: float = 0.0,
    opted_out: bool = False,
    lease_token: int | None = None,
) -> CallResult:
    """Return a call's terminal record."""
    talked = outcome is Outcome.HUMAN
    return CallResult(
        call_id=spec.call_id,
        lease_token=spec.lease_token if lease_token is None else lease_token,
        outcome=outcome,
        end_reason=end_reason,
        answered_by=AnsweredBy.HUMAN if talked else None,
        provider_call_id=f"CA{uuid4().hex}",
        talked_s=talked_s or (42.4 if talked else 0.0),
        answered_at=at if talked else None,
        ended_at=at,
        turns=SAID if talked else (),
        opted_out=opted_out,
    )
