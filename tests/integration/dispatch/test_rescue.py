"""Calls that lost their worker: each is settled once, and nobody is dialled twice by the machine."""

from datetime import timedelta

import pytest

from dispatcher.services.record import record_call
from dispatcher.services.rescue import adopt_orphan, leave_in_doubt, rescue, settle_orphan
from dispatcher.store.db import Database
from schema.callspec import CallSpec, Orphan, OrphanFinding
from schema.outcomes import Outcome
from schema.states import CallPhase
from tests.builders.announcer import RecordingAnnouncer
from tests.builders.clock import Clock
from tests.builders.lives import a_result, beat, claim_one, dialled, lease_of, progress_of, take
from tests.builders.rows import (
    a_campaign,
    an_accepted_call,
    an_account,
    balance_row,
    call_row,
    enrolment_row,
    events_sent,
    ledger_kinds,
    some_leads,
)

OTHER = "media-2"


def orphaned(db: Database, announcer: RecordingAnnouncer, clock: Clock, spec: CallSpec) -> Orphan:
    """Let the worker fall silent until another adopts the call."""
    clock.advance(seconds=24)
    beat(db, worker=OTHER)
    rescue(db, announcer)
    assert announcer.settles[-1] == spec.call_id
    orphan = adopt_orphan(db, spec.call_id, OTHER)
    assert orphan is not None
    return orphan


def finding(orphan: Orphan, *, asked: bool = True, **found: object) -> OrphanFinding:
    return OrphanFinding(orphan.call_id, orphan.lease_token, asked=asked, **found)  # type: ignore[arg-type]


def test_a_claim_nobody_took_goes_back_unspent_and_is_called_again(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    account = an_account(db)
    (enrolment,) = some_leads(db, a_campaign(db, account), 1)
    lost = claim_one(db, announcer)
    clock.advance(seconds=16)
    assert rescue(db, announcer) == 1
    assert (call_row(db, lost.call_id)["phase"], enrolment_row(db, enrolment)["state"]) == ("cancelled", "pending")
    assert call_row(db, lost.call_id)["end_reason"] == "never_taken"
    assert balance_row(db, account)["held_s"] == 0
    again = claim_one(db, announcer)
    assert call_row(db, again.call_id)["attempt_number"] == 1
    assert take(db, lost) is None
    assert take(db, again) is not None


def test_a_direct_call_nobody_took_keeps_its_hold_and_waits_again(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    call_id = an_accepted_call(db, an_account(db))
    lost = claim_one(db, announcer)
    clock.advance(seconds=16)
    rescue(db, announcer)
    assert (call_row(db, call_id)["phase"], ledger_kinds(db, call_id)) == ("scheduled", ["hold"])
    again = claim_one(db, announcer)
    assert take(db, lost) is None
    assert take(db, again) is not None


def test_a_claim_within_its_lease_is_left_alone(db: Database, announcer: RecordingAnnouncer, clock: Clock) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 1)
    claim = claim_one(db, announcer)
    clock.advance(seconds=15)
    assert rescue(db, announcer) == 0
    assert take(db, claim) is not None


def test_heartbeats_keep_a_call_from_being_rescued(db: Database, announcer: RecordingAnnouncer, clock: Clock) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 1)
    spec = dialled(db, announcer)
    for _ in range(12):
        clock.advance(seconds=5)
        assert not beat(db, lease_of(spec)).lost
        rescue(db, announcer)
    assert announcer.settles == []


def test_no_bell_rings_while_there_is_nobody_to_hear_it(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 1)
    dialled(db, announcer)
    clock.advance(seconds=60)
    rescue(db, announcer)
    assert announcer.settles == []


def test_a_call_the_carrier_finished_is_recorded_with_the_carriers_duration(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    account = an_account(db)
    (enrolment,) = some_leads(db, a_campaign(db, account), 1)
    spec = dialled(db, announcer)
    steps = tuple(
        progress_of(spec, phase, clock.now, provider_call_id="CA1") for phase in (CallPhase.DIALING, CallPhase.ANSWERED)
    )
    beat(db, lease_of(spec), progress=steps)
    orphan = orphaned(db, announcer, clock, spec)
    assert orphan.provider_call_id == "CA1"
    assert settle_orphan(db, announcer, finding(orphan, provider_call_id="CA1", talked_s=17.0))
    call = call_row(db, spec.call_id)
    assert (call["outcome"], call["end_reason"]) == ("failed", "error.gateway.worker_lost")
    assert (float(str(call["talked_s"])), call["billed_s"]) == (17.0, 0)
    assert balance_row(db, account) == {"granted_s": 60_000, "available_s": 60_000, "held_s": 0, "spent_s": 0}
    assert enrolment_row(db, enrolment)["attempts_used"] == 1
    assert events_sent(db) == ["call.failed"]


def test_what_the_carrier_says_of_an_unanswered_orphan_is_its_outcome(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 1)
    spec = dialled(db, announcer)
    orphan = orphaned(db, announcer, clock, spec)
    settle_orphan(db, announcer, finding(orphan, provider_call_id="CA2", outcome=Outcome.NO_ANSWER))
    assert call_row(db, spec.call_id)["outcome"] == "no_answer"


def test_a_call_the_carrier_never_had_is_tried_again_unspent(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    account = an_account(db)
    (enrolment,) = some_leads(db, a_campaign(db, account), 1)
    spec = dialled(db, announcer)
    settle_orphan(db, announcer, finding(orphaned(db, announcer, clock, spec)))
    waits = enrolment_row(db, enrolment)
    assert (waits["state"], waits["attempts_used"], waits["refusals_used"]) == ("retry_wait", 0, 1)
    assert balance_row(db, account)["held_s"] == 0
    clock.advance(seconds=31)
    assert dialled(db, announcer).call_id != spec.call_id


def test_a_call_its_own_worker_doubts_is_asked_about_soon_and_nobody_blames_the_worker(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 1)
    spec = dialled(db, announcer)
    assert leave_in_doubt(db, spec.call_id, spec.lease_token, "HTTP 500")
    clock.advance(seconds=9)
    beat(db, worker=OTHER)
    rescue(db, announcer)
    orphan = adopt_orphan(db, spec.call_id, OTHER)
    assert orphan is not None
    settle_orphan(db, announcer, finding(orphan))
    call = call_row(db, spec.call_id)
    assert (call["outcome"], call["end_reason"]) == ("carrier_refused", "error.carrier.unknown_result")
    assert not leave_in_doubt(db, spec.call_id, spec.lease_token, "HTTP 500")


def test_a_call_the_carrier_named_and_no_longer_knows_is_ambiguous(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    (enrolment,) = some_leads(db, a_campaign(db, an_account(db)), 1)
    spec = dialled(db, announcer)
    beat(db, lease_of(spec), progress=(progress_of(spec, CallPhase.DIALING, clock.now, provider_call_id="CA1"),))
    settle_orphan(db, announcer, finding(orphaned(db, announcer, clock, spec)))
    assert call_row(db, spec.call_id)["phase"] == "ambiguous"
    closed = enrolment_row(db, enrolment)
    assert (closed["state"], closed["skip_reason"], closed["last_outcome"]) == ("skipped", "AMBIGUOUS", "ambiguous")


def test_a_carrier_that_cannot_be_asked_is_asked_again_and_given_up_after_ten_minutes(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    account = an_account(db)
    some_leads(db, a_campaign(db, account), 1)
    spec = dialled(db, announcer)
    started_at = clock.now
    while call_row(db, spec.call_id)["phase"] == "dialing":
        orphan = orphaned(db, announcer, clock, spec)
        settle_orphan(db, announcer, finding(orphan, asked=False))
        assert clock.now - started_at < timedelta(minutes=11)
    assert call_row(db, spec.call_id)["phase"] == "ambiguous"
    assert clock.now - started_at > timedelta(minutes=10)
    assert balance_row(db, account)["available_s"] == 60_000
    assert events_sent(db) == ["call.failed", "campaign.completed"]


def test_an_orphan_nobody_could_adopt_is_ambiguous_after_ten_minutes(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 1)
    spec = dialled(db, announcer)
    clock.advance(minutes=9)
    rescue(db, announcer)
    assert call_row(db, spec.call_id)["phase"] == "dialing"
    clock.advance(minutes=2)
    rescue(db, announcer)
    assert call_row(db, spec.call_id)["phase"] == "ambiguous"


def test_a_worker_that_comes_back_after_adoption_is_fenced_and_told_so(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 1)
    spec = dialled(db, announcer)
    orphaned(db, announcer, clock, spec)
    late = progress_of(spec, CallPhase.ANSWERED, clock.now)
    assert beat(db, lease_of(spec), progress=(late,)).lost == {spec.call_id}
    assert call_row(db, spec.call_id)["phase"] == "dialing"
    assert not record_call(db, announcer, a_result(spec, clock.now))


def test_a_worker_that_comes_back_before_adoption_keeps_its_call(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 1)
    spec = dialled(db, announcer)
    clock.advance(seconds=60)
    assert not beat(db, lease_of(spec)).lost
    assert adopt_orphan(db, spec.call_id, OTHER) is None
    assert record_call(db, announcer, a_result(spec, clock.now))


def test_an_orphan_is_adopted_by_one_worker_only(db: Database, announcer: RecordingAnnouncer, clock: Clock) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 1)
    spec = dialled(db, announcer)
    orphaned(db, announcer, clock, spec)
    assert adopt_orphan(db, spec.call_id, "media-3") is None


@pytest.mark.parametrize("asked", [True, False])
def test_settling_twice_changes_nothing(db: Database, announcer: RecordingAnnouncer, clock: Clock, asked: bool) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 1)
    spec = dialled(db, announcer)
    orphan = orphaned(db, announcer, clock, spec)
    assert settle_orphan(db, announcer, finding(orphan, provider_call_id="CA9", outcome=Outcome.BUSY))
    before = call_row(db, spec.call_id)
    assert not settle_orphan(db, announcer, finding(orphan, asked=asked))
    assert call_row(db, spec.call_id) == before


def test_other_calls_of_the_number_are_named_so_that_they_are_not_mistaken_for_it(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    account = an_account(db)
    retry = {"max_attempts": 3, "delays_minutes": [1], "jitter_pct": 0}
    limits = {"min_gap_minutes": 1}
    some_leads(db, a_campaign(db, account, retry=retry, contact_limits=limits), 1)
    first = dialled(db, announcer)
    earlier = a_result(first, clock.now, Outcome.BUSY)
    record_call(db, announcer, earlier)
    clock.advance(seconds=61)
    orphan = orphaned(db, announcer, clock, dialled(db, announcer))
    assert orphan.known_provider_ids == (earlier.provider_call_id,)


def test_another_accounts_call_to_the_number_is_not_mistaken_for_it_either(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    some_leads(db, a_campaign(db, an_account(db)), 1)
    mine = dialled(db, announcer)
    some_leads(db, a_campaign(db, an_account(db)), 1)
    theirs = dialled(db, announcer)
    assert mine.phone_number == theirs.phone_number
    ended = a_result(theirs, clock.now, Outcome.BUSY)
    record_call(db, announcer, ended)
    assert orphaned(db, announcer, clock, mine).known_provider_ids == (ended.provider_call_id,)


def test_an_accepted_call_nobody_could_start_for_a_day_expires_and_is_told(
    db: Database, announcer: RecordingAnnouncer, clock: Clock
) -> None:
    account = an_account(db)
    call_id = an_accepted_call(db, account)
    clock.advance(hours=24, seconds=1)
    rescue(db, announcer)
    call = call_row(db, call_id)
    assert (call["phase"], call["end_reason"], call["completed"]) == ("expired", "never_taken", True)
    assert balance_row(db, account)["held_s"] == 0
    assert events_sent(db) == ["call.failed"]
