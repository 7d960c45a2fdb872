"""Who gets claimed, and who does not."""

from dispatcher.services.claim import claim_due
from dispatcher.store.db import Database
from tests.builders.announcer import RecordingAnnouncer
from tests.builders.rows import a_campaign, a_worker, an_account, balance_row, call_row, enrolment_row, some_leads


def test_a_due_lead_becomes_a_fenced_and_paid_call_whose_worker_is_rung(
    db: Database, announcer: RecordingAnnouncer
) -> None:
    a_worker(db)
    account = an_account(db)
    (enrolment,) = some_leads(db, a_campaign(db, account), 1)
    assert claim_due(db, announcer) == 1
    (claim,) = announcer.claims
    call = call_row(db, claim.call_id)
    assert (call["phase"], call["lease_token"], call["hold_s"]) == ("claimed", claim.lease_token, 60)
    assert enrolment_row(db, enrolment)["state"] == "claimed"
    assert balance_row(db, account)["held_s"] == 60
