"""A campaign's due enrolments put before the rules: who is called, who waits until when, who is never called here.

Looks at as many as it may claim, and at many more when those may not be called, so that a crowd outside its hours does
not hide the others. What waits for a time leaves the due index until then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import assert_never
from uuid import UUID

from dispatcher.rules.decide import closing_state, decide
from dispatcher.rules.facts import Allow, Capacity, Never, Wait
from dispatcher.rules.policy import Policy
from dispatcher.services.withdraw import UNDIALLED, call_off
from dispatcher.store.calls import lock_call
from dispatcher.store.db import Tx
from dispatcher.store.due import Candidate, Kind, pick_due
from dispatcher.store.enrolments import Closed, Postponed, close, postpone
from schema.outcomes import EndReason

LOOK_AGAIN = timedelta(seconds=20)
"""When a lead is judged anew whose blocker cannot say when it clears, such as a number on a live call."""

MOST_AT_ONCE = 500
_GROWTH = 5
_FRESH_SHARE = 4
"""One in so many calls goes to a lead never called, the others to retries, while there are both."""


@dataclass(slots=True)
class Hearing:
    """What one campaign's enrolments are judged by, who may be called, and how many others left the due index."""

    policy: Policy
    capacity: Capacity
    allowed: list[Candidate] = field(default_factory=list)
    put_off: int = 0


def judge_due(tx: Tx, policy: Policy, capacity: Capacity, wanted: int) -> Hearing:
    """Find up to `wanted` enrolments that may be called now; write down who waits and who is never called."""
    hearing = Hearing(policy, capacity)
    fresh = (wanted + int(tx.now.timestamp()) % _FRESH_SHARE) // _FRESH_SHARE
    _look(tx, hearing, Kind.RETURNING, wanted - fresh)
    _look(tx, hearing, Kind.FRESH, wanted)
    if fresh:
        _look(tx, hearing, Kind.RETURNING, wanted)
    return hearing


def verdict_on(tx: Tx, policy: Policy, capacity: Capacity, candidate: Candidate) -> Allow | Postponed | Closed:
    """Judge one enrolment at the transaction's instant, with the time its phone may ring."""
    ring_s = policy.body.call_config.ring_timeout
    verdict = decide(candidate.lead, policy, candidate.history, capacity, tx.now, ring_s=ring_s)
    match verdict:
        case Allow():
            return verdict
        case Wait(until=until, reasons=reasons):
            again_at = until if until is not None else tx.now + LOOK_AGAIN
            return Postponed(candidate.enrolment_id, again_at, reasons[0].code, until)
        case Never(reasons=reasons):
            return Closed(candidate.enrolment_id, closing_state(reasons[0].code), reasons[0].code)
        case _:
            assert_never(verdict)


def _look(tx: Tx, hearing: Hearing, kind: Kind, enough: int) -> None:
    """Judge due enrolments of a kind until `enough` are allowed in all, none are left, or many were looked at."""
    policy = hearing.policy
    size = enough - len(hearing.allowed)
    while size > 0:
        in_hand = [candidate.enrolment_id for candidate in hearing.allowed]
        found = pick_due(tx, policy.campaign_id, kind, at_most=size, lookback=policy.lookback, but=in_hand)
        _sort(tx, hearing, found, enough)
        grown = min(size * _GROWTH, MOST_AT_ONCE)
        more = len(found) == size and len(hearing.allowed) < enough and grown > size
        size = grown if more else 0


def _sort(tx: Tx, hearing: Hearing, found: Sequence[Candidate], enough: int) -> None:
    postponed: list[Postponed] = []
    closed: list[Closed] = []
    for candidate in found:
        match verdict_on(tx, hearing.policy, hearing.capacity, candidate):
            case Allow():
                if len(hearing.allowed) < enough:
                    hearing.allowed.append(candidate)
            case Postponed() as waits:
                postponed.append(waits)
            case Closed() as never:
                hearing.put_off += 1
                if candidate.scheduled_call_id is None:
                    closed.append(never)
                else:
                    _call_off_accepted(tx, candidate.scheduled_call_id, never)
    postpone(tx, postponed)
    close(tx, closed)
    hearing.put_off += len(postponed)


def _call_off_accepted(tx: Tx, call_id: UUID, never: Closed) -> None:
    """End the call somebody asked for together with its enrolment, and give its seconds back."""
    call = lock_call(tx, call_id)
    if call is not None and call.phase in UNDIALLED:
        call_off(tx, call, EndReason.GATE_REFUSED, enrolment=never.state, reason=never.reason)
