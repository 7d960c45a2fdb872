"""A broker that hangs or is gone keeps no caller waiting and loses no call."""

import threading
from dataclasses import dataclass, field

from api.app import create_app
from api.doorbell import BackgroundAnnouncer
from api.settings import ApiSettings
from dispatcher.services.rescue import rescue
from dispatcher.store.db import Database
from schema.callspec import Claim
from tests.builders.announcer import RecordingAnnouncer
from tests.builders.clock import Clock
from tests.builders.rows import a_worker, call_row
from tests.integration.api.customers import CALLEE, TASK, Api, done, open_account


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


def test_a_call_nobody_was_rung_for_is_taken_up_again(database_url: str) -> None:
    clock = Clock()
    db = Database(database_url, clock=clock)
    bell = RecordingAnnouncer()
    settings = ApiSettings(database_url=database_url, redis_url="redis://127.0.0.1:1/0")
    api = Api(create_app(settings, database=db), db, bell)
    customer = open_account(api)
    a_worker(db)
    answer = done(customer.post("/v1/calls", {"phone_number": CALLEE, "task": TASK}), 201)
    assert call_row(db, answer["call_id"])["phase"] == "claimed"
    clock.advance(seconds=20)
    rescue(db, bell)
    assert call_row(db, answer["call_id"])["phase"] == "scheduled"
    db.dispose()
