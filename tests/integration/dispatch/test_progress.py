"""What a media worker reports of its live calls arrives late, doubled and out of order; calls only move on."""

from itertools import permutations

import pytest
from sqlalchemy import select

from dispatcher.services.pulse import retire
from dispatcher.services.record import record_call
from dispatcher.store.db import Database
from dispatcher.store.stopping import hang_up
from schema.callspec import Progress
from schema.states import CallPhase
from schema.tables import call_events, media_workers
from tests.builders.announcer import RecordingAnnouncer
from tests.builders.clock import Clock
from tests.builders.lives import a_result, beat, dialled, lease_of, progress_of
from tests.builders.rows import a_campaign, an_account, call_row, some_leads

PHASES = (CallPhase.DIALING, CallPhase.RINGING, CallPhase.ANSWERED)


def timeline(db: Database) -> list[str]:
    with db.transaction() as tx:
        return list(tx.connection.execute(select(call_events.c.kind).order_by(call_events.c.id)).scalars())


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=lambda order: "".join(map(str, order)))
def test_reports_in_any_order_and_doubled_lead_to_the_same_call(
    db: Database, announcer: RecordingAnnouncer, clock: Clock, order: tuple[int, ...]
) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 1)
    spec = dialled(db, announcer)
    instants = [clock.advance(seconds=1) for _ in PHASES]
    reports = [progress_of(spec, phase, at, provider_call_id="CA1") for phase, at in zip(PHASES, instants, strict=True)]
    for index in order:
        beat(db, lease_of(spec), progress=(reports[index],))
        beat(db, lease_of(spec), progress=(reports[index], reports[index]))
    call = call_row(db, spec.call_id)
    assert (call["phase"], call["provider_call_id"]) == ("answered", "CA1")
    assert (call["ringing_at"], call["answered_at"]) == (instants[1], instants[2])
    assert sorted(timeline(db)) == ["answered", "dialing", "ringing"]


def test_nothing_moves_a_call_that_is_over(db: Database, announcer: RecordingAnnouncer, clock: Clock) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 1)
    spec = dialled(db, announcer)
    record_call(db, announcer, a_result(spec, clock.now))
    before = call_row(db, spec.call_id)
    beat(db, progress=tuple(progress_of(spec, phase, clock.now, provider_call_id="CA1") for phase in PHASES))
    assert call_row(db, spec.call_id) == before


def test_a_report_under_an_old_fence_is_dropped(db: Database, announcer: RecordingAnnouncer, clock: Clock) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 1)
    spec = dialled(db, announcer)
    beat(db, progress=(Progress(spec.call_id, spec.lease_token - 1, CallPhase.ANSWERED, clock.now, "CA1"),))
    assert call_row(db, spec.call_id)["phase"] == "dialing"


def test_a_lease_of_another_worker_is_not_renewed(db: Database, announcer: RecordingAnnouncer) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 1)
    spec = dialled(db, announcer)
    assert beat(db, lease_of(spec), worker="media-2").lost == {spec.call_id}
    assert not beat(db, lease_of(spec)).lost


def test_a_call_somebody_wants_ended_is_named_in_the_answer(db: Database, announcer: RecordingAnnouncer) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 1)
    spec = dialled(db, announcer)
    assert not beat(db, lease_of(spec)).stop
    with db.transaction() as tx:
        assert hang_up(tx, spec.call_id)
    assert beat(db, lease_of(spec)).stop == {spec.call_id}


def test_a_worker_that_retires_is_struck(db: Database) -> None:
    beat(db)
    retire(db, "media-1")
    with db.transaction() as tx:
        assert tx.connection.execute(select(media_workers)).all() == []
