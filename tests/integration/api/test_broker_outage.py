"""A broker that hangs or is gone keeps no caller waiting and loses no call."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime

from api.app import create_app
from api.doorbell import BackgroundAnnouncer
from api.settings import ApiSettings
from dispatcher.services.rescue import rescue
from dispatcher.store.claims import CLAIM_LEASE
from dispatcher.store.db import Database
from schema.callspec import Claim
from tests.builders.announcer import RecordingAnnouncer
from tests.builders.rows import a_worker, call_row
from tests.integration.api.customers import Api, Customer, open_account


@dataclass(slots=True)
class HangingAnnouncer(RecordingAnnouncer):
    """A broker that accepts the connection and says nothing until it is let go."""

    ringing: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    def media(self, claim: Claim) -> None:
        self.ringing.set()
        self.let_go.wait()
        RecordingAnnouncer.media(self, claim)


def test_an_answer_does_not_wait_for_a_hanging_broker(db: Database, database_url: str) -> None:
    broker = HangingAnnouncer()
    settings = ApiSettings(database_url=database_url, redis_url="redis://nowhere")
    api = Api(create_app(settings, database=db, announcer=BackgroundAnnouncer(broker)), db, broker)
    customer = open_account(api)
    a_worker(db)
    first = customer.call()["call_id"]
    assert broker.ringing.wait(timeout=60)
    second = customer.call(phone_number="+14155551235")["call_id"]
    assert [call_row(db, call_id)["phase"] for call_id in (first, second)] == ["claimed", "claimed"]
    assert broker.claims == []
    broker.let_go.set()


def test_a_call_nobody_was_rung_for_is_taken_up_again(db: Database, database_url: str) -> None:
    settings = ApiSettings(database_url=database_url, redis_url="redis://127.0.0.1:1/0")
    bell = RecordingAnnouncer()
    customer = open_account(Api(create_app(settings, database=db), db, bell))
    a_worker(db)
    call_id = customer.call()["call_id"]
    assert call_row(db, call_id)["phase"] == "claimed"
    later = Database(database_url, clock=lambda: datetime.now(UTC) + 2 * CLAIM_LEASE)
    rescue(later, bell)
    later.dispose()
    assert call_row(db, call_id)["phase"] == "scheduled"


def test_a_call_that_cannot_be_started_now_is_accepted_all_the_same(db: Database, api: Api, customer: Customer) -> None:
    a_worker(db)
    with db.transaction() as tx:
        tx.connection.exec_driver_sql(
            "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$"
        )
        tx.connection.exec_driver_sql(
            "create trigger refuse before update on calls for each row execute function refuse()"
        )
    call_id = customer.call()["call_id"]
    assert call_row(db, call_id)["phase"] == "scheduled"
    assert api.bell.claims == []
