"""The broker or the database is killed under live calls and started again.

The broker carries hints only, so losing it loses no fact; the database is asked again until it is back, and audio
needs neither. Meanwhile the leases of the accident's calls run out, see `test_sessions_lost`.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.fault import promises
from tests.fault.scene import Placed, Scene, a_scene
from tests.installation import Installation
from tests.waiting import wait_for

pytestmark = pytest.mark.usefixtures("accident")


@pytest.fixture(scope="module")
def accepted(up: Installation) -> Scene:
    """A customer who asks for a call while the broker is down."""
    return a_scene(up)


def test_a_campaign_goes_on_after_the_broker_died(scene: Scene, accepted: Scene) -> None:
    """Killed during a campaign: live calls end and are recorded without it; afterwards everybody is called once."""
    campaign = scene.campaign(*["brief"] * 4, pacing={"max_concurrent_calls": 2, "calls_per_minute": 1_000})
    first = wait_for(lambda: _has_spoken(scene, campaign.numbers), what="the first callee to speak")
    with _broker_down(scene):
        accepted.call("brief")
        scene.ended(str(scene.books.to(first)[0]["id"]))
    promises.kept(scene)
    assert [len(scene.dials(number)) for number in campaign.numbers] == [1] * 4


def test_calls_outlive_the_database(scene: Scene) -> None:
    """Killed during two calls: audio goes on; the one that ends meanwhile is recorded once; the other stays in hand."""
    ending, staying = scene.call("stays_a_little"), scene.call("stays")
    scene.answered(ending.number)
    scene.answered(staying.number)
    with _database_down(scene):
        wait_for(lambda: not scene.leg(ending.number)["live"], what="the callee to hang up")
        heard = scene.leg(staying.number)["frames_received"]
        wait_for(lambda: scene.leg(staying.number)["frames_received"] > heard + 50, what="audio without a database")
    row = scene.ended(ending.call_id)
    assert (row["outcome"], row["end_reason"]) == ("human", "user_hangup")
    _stop(scene, staying)
    assert scene.ended(staying.call_id)["end_reason"] == "api_stop"
    promises.kept(scene)
    assert [len(scene.dials(one.number)) for one in (ending, staying)] == [1, 1]


def test_a_call_accepted_without_the_broker_is_dialled_once_when_it_is_back(accepted: Scene) -> None:
    """Accepted while no bell could be rung: the claim is taken back, rung for again, and dialled once."""
    promises.kept(accepted)
    (call,) = accepted.books.calls()
    assert (call["outcome"], len(accepted.dials(call["phone_number"]))) == ("human", 1)


def _has_spoken(scene: Scene, numbers: tuple[str, ...]) -> str | None:
    legs = [leg for number in numbers for leg in scene.legs(number)]
    return next((leg["to"] for leg in legs if leg["said"] and leg["live"]), None)


def _stop(scene: Scene, placed: Placed) -> None:
    wait_for(scene.customer.client.ready, what="the API to reach its database")
    scene.customer.client.post(f"/v1/calls/{placed.call_id}/stop")


@contextmanager
def _broker_down(scene: Scene) -> Iterator[None]:
    scene.up.stack.kill_redis()
    try:
        yield
    finally:
        scene.up.stack.start_redis()


@contextmanager
def _database_down(scene: Scene) -> Iterator[None]:
    scene.up.stack.kill_postgres()
    try:
        yield
    finally:
        scene.up.stack.start_postgres()
