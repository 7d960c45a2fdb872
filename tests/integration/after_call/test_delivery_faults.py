"""Slow receivers, doubled bells, stale and killed senders: nobody else waits, nothing is lost, nothing is undone."""

import signal
import subprocess
import sys
from threading import Event

from dispatcher.egress import Egress
from dispatcher.services.deliver import RING_LEASE_S, SEND_LEASE_S, send_delivery, sweep_deliveries
from dispatcher.store.db import Database
from dispatcher.store.deliveries import lone_sweeper
from tests.builders.announcer import RecordingAnnouncer
from tests.builders.clock import Clock
from tests.builders.rows import an_account
from tests.integration.after_call.bells import send_all_due
from tests.integration.after_call.receiver import Received, Receiver, Reply
from tests.integration.after_call.rows import delivery_rows
from tests.integration.after_call.test_deliveries import queue_event, statuses

EGRESS = Egress(allow_private=True, timeout_s=5, resolver=lambda _host, _port: ("127.0.0.1",))


def test_a_slow_receiver_holds_two_senders_and_everybody_else_is_served(timed: Database) -> None:
    with Receiver() as receiver:
        account_id = an_account(timed)
        for _ in range(20):
            queue_event(timed, receiver.url(host="slow.example"), account_id=account_id)
        queue_event(timed, receiver.url(host="fast.example"), account_id=account_id)
        queue_event(timed, receiver.url(host="neighbour.example"))
        slow = {row["id"] for row in delivery_rows(timed) if row["host"] == "slow.example"}
        bells = RecordingAnnouncer()
        sweep_deliveries(timed, bells)
        for delivery_id, token in bells.deliveries:
            if delivery_id not in slow:
                send_delivery(timed, delivery_id, token, EGRESS)
        assert len([delivery_id for delivery_id, _ in bells.deliveries if delivery_id in slow]) == 2
        by_host = {str(row["host"]): row["status"] for row in delivery_rows(timed) if row["id"] not in slow}
        assert by_host == {"fast.example": "delivered", "neighbour.example": "delivered"}
        assert sweep_deliveries(timed, RecordingAnnouncer()) == 0


def test_a_lane_with_failures_behind_it_gets_one_sender(timed: Database, clock: Clock) -> None:
    with Receiver(lambda _: Reply(500)) as receiver:
        account_id = an_account(timed)
        for _ in range(4):
            queue_event(timed, receiver.url(), account_id=account_id)
        assert send_all_due(timed, EGRESS) == 2
        assert sweep_deliveries(timed, RecordingAnnouncer()) == 1
        clock.advance(hours=1)
        assert sweep_deliveries(timed, RecordingAnnouncer()) == 1


def test_a_doubled_bell_sends_once(timed: Database) -> None:
    with Receiver() as receiver:
        queue_event(timed, receiver.url())
        bells = RecordingAnnouncer()
        sweep_deliveries(timed, bells)
        delivery_id, token = bells.deliveries[0]
        assert send_delivery(timed, delivery_id, token, EGRESS)
        assert not send_delivery(timed, delivery_id, token, EGRESS)
        assert len(receiver.received) == 1


def test_a_lost_bell_is_rung_again(timed: Database, clock: Clock) -> None:
    with Receiver() as receiver:
        queue_event(timed, receiver.url())
        lost = RecordingAnnouncer()
        sweep_deliveries(timed, lost)
        assert sweep_deliveries(timed, RecordingAnnouncer()) == 0
        clock.advance(seconds=RING_LEASE_S + 1)
        assert send_all_due(timed, EGRESS) == 1
        delivery_id, token = lost.deliveries[0]
        assert not send_delivery(timed, delivery_id, token, EGRESS)
        assert len(receiver.received) == 1


def test_two_sweeps_at_once_lease_once(timed: Database) -> None:
    queue_event(timed, "https://receiver.example/hook")
    with timed.transaction() as tx:
        assert lone_sweeper(tx)
        assert sweep_deliveries(timed, RecordingAnnouncer()) == 0
    assert sweep_deliveries(timed, RecordingAnnouncer()) == 1


def test_a_sender_that_lost_its_lease_cannot_undo_what_its_successor_wrote(timed: Database, clock: Clock) -> None:
    received: list[Received] = []

    def answer(got: Received) -> Reply:
        received.append(got)
        if len(received) > 1:
            return Reply()
        clock.advance(seconds=SEND_LEASE_S + 1)
        send_all_due(timed, EGRESS)
        return Reply(500)

    with Receiver(answer) as receiver:
        queue_event(timed, receiver.url())
        send_all_due(timed, EGRESS)
    assert len({got.headers["webhook-id"] for got in received}) == 1
    row = delivery_rows(timed)[0]
    assert (row["status"], row["tries"], row["last_status_code"]) == ("delivered", 1, 200)


def test_killing_a_sender_in_mid_post_loses_nothing(timed: Database, database_url: str, clock: Clock) -> None:
    held = Event()
    replies = [Reply(hold=held)]
    with Receiver(lambda _: replies.pop() if replies else Reply()) as receiver:
        queue_event(timed, receiver.url())
        bells = RecordingAnnouncer()
        sweep_deliveries(timed, bells)
        delivery_id, token = bells.deliveries[0]
        program = [sys.executable, "-m", "tests.integration.after_call.sender"]
        sender = subprocess.Popen([*program, database_url, clock.now.isoformat(), str(delivery_id), str(token)])
        assert receiver.arrived.wait(60)
        sender.kill()
        assert sender.wait() == -signal.SIGKILL
        held.set()
        assert statuses(timed) == ["pending"]
        assert sweep_deliveries(timed, RecordingAnnouncer()) == 0
        clock.advance(seconds=SEND_LEASE_S + 1)
        assert send_all_due(timed, EGRESS) == 1
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert statuses(timed) == ["delivered"]
