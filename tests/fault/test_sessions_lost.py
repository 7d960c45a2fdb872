"""Both media workers are lost in the middle of calls: one dies of SIGKILL, the other freezes past its leases.

One accident leaves a call at each boundary, see `accident`; each test states what becomes of one. A lost call is
settled within its lease (15 s), the margin in which a dial may still be under way (8 s) and the next rescue (5 s).
"""

import signal
from pathlib import Path

from dispatcher.crash_points import CrashPoint
from tests.fault import promises
from tests.fault.accident import Accident
from tests.fault.scene import Placed, Scene, Trap, media_ready
from tests.installation import Json
from tests.waiting import wait_for

SETTLED_WITHIN_S = 60


def _lost(scene: Scene, placed: Placed) -> Json:
    """Wait until a lost call is settled; it failed, cost nothing, and its one leg is over."""
    row = scene.ended(placed.call_id, SETTLED_WITHIN_S)
    assert (row["outcome"], row["end_reason"]) == ("failed", "error.gateway.worker_lost")
    assert row["billed_s"] == 0
    promises.kept(scene)
    leg = scene.leg(placed.number)
    assert row["provider_call_id"] == leg["sid"]
    return leg


def test_a_conversation_whose_worker_is_killed_ends_as_worker_lost(accident: Accident) -> None:
    """Killed mid-call: the call ends worker_lost, unbilled; its leg is over; the callee is not called again."""
    leg = _lost(*accident.cut_off)
    assert leg["answered_at"] is not None


def test_a_call_that_no_worker_watches_is_hung_up_at_the_carrier(accident: Accident) -> None:
    """Frozen mid-call, its socket still open: another worker hangs the leg up; nobody talks to a machine for ever."""
    leg = _lost(*accident.abandoned)
    assert leg["ended_by"] == "caller"


def test_a_phone_that_rings_for_nobody_is_silenced_and_its_lead_goes_on(accident: Accident) -> None:
    """Lost while ringing: the carrier's leg is cancelled; the lead has spent an attempt and waits for the next."""
    scene, campaign = accident.ringing
    (number,) = campaign.numbers
    promises.kept(scene)
    assert scene.leg(number)["ended_by"] == "caller"
    lead = scene.books.enrolment(number)
    assert (lead["state"], lead["attempts_used"], lead["last_outcome"]) == ("retry_wait", 1, "failed")


def test_a_request_the_carrier_never_answered_is_found_by_its_numbers(accident: Accident) -> None:
    """Lost between request and answer: the call is found at the carrier, hung up, settled, and not dialled again."""
    leg = _lost(*accident.unanswered)
    assert leg["ended_by"] == "caller"


def test_a_call_taken_but_not_asked_for_goes_back_unspent(accident: Accident) -> None:
    """Killed between take and request: the carrier has none of it, so the lead waits for the same attempt again."""
    scene, campaign = accident.taken
    (number,) = campaign.numbers
    promises.kept(scene)
    assert scene.dials(number) == []
    lead = scene.books.enrolment(number)
    assert (lead["state"], lead["attempts_used"], lead["last_outcome"]) == ("retry_wait", 0, "carrier_refused")


def test_a_carrier_that_cannot_be_asked_is_asked_until_it_answers(accident: Accident) -> None:
    """The carrier's list is down: the row stays as it is, its quota held; once it answers the call is settled."""
    scene, placed = accident.unlisted
    wait_for(lambda: _refused_lists(scene), what="the carrier to be asked")
    row = scene.books.call(placed.call_id)
    assert (row["phase"], scene.books.balance()["held_s"]) == ("ringing", row["hold_s"])
    assert scene.leg(placed.number)["live"]
    scene.up.world.disarm()
    _lost(scene, placed)


def test_a_worker_that_wakes_up_is_fenced(accident: Accident) -> None:
    """The frozen worker goes on after its calls were settled: it can write nothing, and nobody hears of them again."""
    scene, placed = accident.abandoned
    before, told = scene.ended(placed.call_id), promises.terminal_events(scene)
    scene.up.supervisor.kill(accident.asleep, signal.SIGCONT)
    log = scene.up.supervisor.log_path(accident.asleep)
    wait_for(lambda: _says(log, "call_fenced", placed.call_id), what="the late result to be refused")
    assert scene.books.call(placed.call_id) == before
    promises.kept(scene)
    assert promises.terminal_events(scene) == told


def test_both_workers_carry_calls_again(accident: Accident, scene: Scene) -> None:
    """Afterwards every slot is free again: calls end as if nothing had been."""
    media_ready(scene.up)
    placed = [scene.call("brief") for _ in range(4)]
    for one in placed:
        assert scene.ended(one.call_id)["outcome"] == "human"
    promises.kept(scene)


def test_a_worker_killed_after_the_record_changes_nothing_any_more(scene: Scene) -> None:
    """Killed once the end is written: one record, one webhook; the campaign is completed by the next tick."""
    media_ready(scene.up)
    trap, campaign = Trap(scene.up, CrashPoint.RECORD_COMMITTED), scene.campaign("brief")
    (number,) = campaign.numbers
    trap.sprung()
    promises.kept(scene)
    (call,) = scene.books.to(number)
    assert (call["outcome"], len(scene.dials(number))) == ("human", 1)
    path = f"/v1/campaigns/{campaign.campaign_id}"
    wait_for(lambda: scene.customer.client.get(path)["status"] == "completed", what="the campaign's end")


def _refused_lists(scene: Scene) -> bool:
    return any(fault["at"] == "list" and fault["struck"] for fault in scene.up.world.faults())


def _says(log: Path, event: str, call_id: str) -> bool:
    return any(event in line and call_id in line for line in log.read_text(encoding="utf-8").splitlines())
