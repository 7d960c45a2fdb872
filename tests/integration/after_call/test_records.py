"""What an account is shown of its calls and campaigns."""

from datetime import timedelta
from uuid import uuid4

import pytest

from dispatcher.services.call_record import at_base, call_record, call_records
from dispatcher.services.campaign_record import campaign_record
from dispatcher.store.db import Database
from schema.outcomes import Outcome
from schema.states import CallPhase
from tests.builders.rows import an_account, some_leads
from tests.integration.after_call.rows import a_call, a_campaign, change_call


def test_a_finished_call_shows_durations_in_minutes_and_the_transcript_by_speaker(db: Database) -> None:
    account_id = an_account(db)
    call_id = a_call(db, account_id, talked_s=150, billed_s=180, recording_path="/data/x.wav")
    with db.transaction() as tx:
        record = call_record(tx, call_id, account_id)
    assert record is not None
    assert (record.duration, record.billed_minutes) == (2.5, 3.0)
    assert record.transcript is not None
    assert [(line.id, line.user) for line in record.transcript] == [(1, "assistant"), (2, "user")]
    assert record.transcript[0].created_at - record.transcript[1].created_at == timedelta(milliseconds=-1_900)
    assert record.recording_url == f"/v1/calls/{call_id}/recording"
    absolute = at_base(record, "https://calls.example/")
    assert absolute.recording_url == f"https://calls.example/v1/calls/{call_id}/recording"
    assert absolute.transcript_url == f"https://calls.example/v1/calls/{call_id}/transcript"


@pytest.mark.parametrize(
    ("phase", "outcome", "status", "call_status"),
    [
        (CallPhase.SCHEDULED, None, "queued", None),
        (CallPhase.CLAIMED, None, "queued", None),
        (CallPhase.DIALING, None, "in_progress", "in-progress"),
        (CallPhase.RINGING, None, "in_progress", "in-progress"),
        (CallPhase.ANSWERED, None, "in_progress", "in-progress"),
        (CallPhase.ENDED, Outcome.HUMAN, "completed", "completed"),
        (CallPhase.ENDED, Outcome.BUSY, "failed", "busy"),
        (CallPhase.ENDED, Outcome.NO_ANSWER, "failed", "no-answer"),
        (CallPhase.CANCELLED, Outcome.CANCELLED, "cancelled", "cancelled"),
        (CallPhase.CANCELLED, None, "cancelled", "cancelled"),
        (CallPhase.EXPIRED, Outcome.EXPIRED, "failed", "failed"),
        (CallPhase.AMBIGUOUS, Outcome.AMBIGUOUS, "failed", "failed"),
    ],
)
def test_each_phase_has_its_public_status(
    db: Database, phase: CallPhase, outcome: Outcome | None, status: str, call_status: str | None
) -> None:
    call_id = a_call(db, an_account(db), phase=phase, outcome=outcome, answered_by=None)
    with db.transaction() as tx:
        record = call_record(tx, call_id)
    assert record is not None
    assert (record.status.value, record.call_status and record.call_status.value) == (status, call_status)


def test_a_call_due_later_is_pending(db: Database) -> None:
    call_id = a_call(db, an_account(db), phase=CallPhase.SCHEDULED, outcome=None)
    with db.transaction() as tx:
        due_at = tx.now + timedelta(hours=1)
    change_call(db, call_id, due_at=due_at)
    with db.transaction() as tx:
        record = call_record(tx, call_id)
    assert record is not None
    assert record.status.value == "pending"


def test_another_accounts_call_does_not_exist(db: Database) -> None:
    call_id = a_call(db, an_account(db))
    with db.transaction() as tx:
        assert call_record(tx, call_id, an_account(db)) is None
        assert call_record(tx, uuid4()) is None


def test_metadata_shows_no_system_field_and_no_credential(db: Database) -> None:
    account_id = an_account(db)
    campaign_id, version_id = a_campaign(db, account_id, metadata={"source": "campaign", "wave": 2})
    metadata = {
        "source": "call",
        "patient_id": "pat_123",
        "voice": "alloy",
        "crm_api_key": "k",
        "Auth_TOKEN": "t",
        "nested": {"client_secret": "s", "kept": [{"db_password": "p", "row": 1}]},
    }
    call_id = a_call(
        db, account_id, config={"metadata": metadata}, campaign_id=campaign_id, policy_version_id=version_id
    )
    with db.transaction() as tx:
        record = call_record(tx, call_id)
    assert record is not None
    assert record.metadata == {"source": "call", "wave": 2, "patient_id": "pat_123", "nested": {"kept": [{"row": 1}]}}


def test_a_list_keeps_its_order_and_leaves_transcripts_out(db: Database) -> None:
    account_id = an_account(db)
    first = a_call(db, account_id)
    second = a_call(db, account_id)
    with db.transaction() as tx:
        records = call_records(tx, (second, uuid4(), first), account_id, with_transcript=False)
    assert [record.call_id for record in records] == [second, first]
    assert [record.transcript for record in records] == [None, None]


def test_a_campaign_is_counted_from_its_rows(db: Database) -> None:
    account_id = an_account(db)
    campaign_id, _ = a_campaign(db, account_id)
    some_leads(db, campaign_id, 2)
    some_leads(db, campaign_id, 1, first=2, state="completed")
    some_leads(db, campaign_id, 1, first=3, state="exhausted")
    a_call(db, account_id, campaign_id=campaign_id, disposition="no_outcome")
    a_call(db, account_id, campaign_id=campaign_id, outcome=Outcome.BUSY, talked_s=0, billed_s=0, answered_by=None)
    a_call(db, account_id, campaign_id=campaign_id, phase=CallPhase.RINGING, outcome=None, talked_s=0, billed_s=0)
    with db.transaction() as tx:
        record = campaign_record(tx, campaign_id)
    assert record is not None
    stats = record.stats
    assert (stats.leads_total, stats.leads["pending"], stats.leads["exhausted"]) == (4, 2, 1)
    assert (stats.calls_total, stats.calls_live, stats.calls_connected) == (3, 1, 1)
    assert stats.outcomes == {"busy": 1, "human": 1}
    assert stats.dispositions == {"no_outcome": 1}
    assert (stats.minutes_talked, stats.minutes_billed) == (2.5, 2.5)
