"""Word is lost between two parties: bell, request, answer, receipt, reply. What was meant happens once all the same.

All of it was begun with the first test of the folder, see `early`.
"""

from tests.fault import promises
from tests.fault.early import EarlyFaults
from tests.waiting import wait_for


def test_a_claim_whose_bell_was_never_rung_is_taken_back_and_dialled_once(early: EarlyFaults) -> None:
    """The dispatch worker is killed between commit and message: the claims return unspent, each lead is called once."""
    scene, campaign = early.bell
    promises.kept(scene)
    for number in campaign.numbers:
        assert len(scene.dials(number)) == 1
        never_taken, dialled = scene.books.to(number)
        assert (never_taken["end_reason"], never_taken["attempt_spent"]) == ("never_taken", False)
        assert (dialled["outcome"], dialled["attempt_number"]) == ("human", 1)


def test_a_call_the_carrier_took_but_never_confirmed_goes_on_and_is_not_dialled_again(early: EarlyFaults) -> None:
    """The carrier accepts and drops the connection: the conversation takes place, and there is one request only."""
    scene, placed = early.answer
    row = scene.ended(placed.call_id)
    promises.kept(scene)
    assert (row["outcome"], len(scene.dials(placed.number))) == ("human", 1)
    assert scene.leg(placed.number)["ended_by"] == "callee"


def test_a_request_the_carrier_lost_is_looked_up_and_made_again_unspent(early: EarlyFaults) -> None:
    """The request is lost: the carrier is asked, knows nothing, and the same attempt is made again."""
    scene, campaign = early.request
    (number,) = campaign.numbers
    wait_for(lambda: scene.legs(number), what="the second request", within_s=110)
    promises.kept(scene)
    lost, *_, made = scene.books.to(number)
    assert (lost["outcome"], lost["attempt_spent"]) == ("carrier_refused", False)
    assert (made["provider_call_id"], made["attempt_number"]) == (scene.leg(number)["sid"], lost["attempt_number"])


def test_a_webhook_whose_receipt_was_lost_comes_again_under_the_same_id(early: EarlyFaults) -> None:
    """The sender is killed after the receiver's answer: the event is sent again, as the same event."""
    scene, placed = early.receipt
    promises.kept(scene)
    (event,) = promises.terminal_events(scene)[placed.call_id]
    deliveries = scene.up.world.sink(scene.customer.sink)
    assert len(deliveries) >= 2
    assert {delivery["headers"]["webhook-id"] for delivery in deliveries} == {event}


def test_a_request_whose_reply_was_lost_names_the_same_call_when_sent_again(early: EarlyFaults) -> None:
    """The web worker is killed between commit and reply: the request sent again gives the same call, dialled once."""
    scene, order = early.reply
    call_id = scene.customer.call(**order)
    assert scene.ended(call_id)["outcome"] == "human"
    promises.kept(scene)
    assert [str(call["id"]) for call in scene.books.calls()] == [call_id]
    assert len(scene.dials(order["phone_number"])) == 1
