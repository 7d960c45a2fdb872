"""The end of every call is told, once, however long one waits; judged after everything else."""

from tests.e2e.conftest import Scenes
from tests.e2e.webhooks import events_of
from tests.installation import Customer, Installation
from tests.waiting import wait_for

SECOND_TRY_S = 60
JITTER = 0.1


def test_a_receiver_that_failed_is_told_again_a_minute_later_under_the_same_id(
    up: Installation, failing_receiver: Customer
) -> None:
    def tries() -> list[float]:
        return [delivery["at"] for delivery in up.world.sink(failing_receiver.sink)]

    wait_for(lambda: len(tries()) >= 2, what="the second try", within_s=90)
    first, second = events_of(up.world, failing_receiver)
    assert (first.type, first.delivery_id, first.body) == (second.type, second.delivery_id, second.body)
    assert tries()[1] - tries()[0] >= SECOND_TRY_S * (1 - JITTER)


def test_no_call_of_any_scenario_was_told_of_twice(scenes: Scenes) -> None:
    told = {(name, mode): [event.type for event in scene.told()] for (name, mode), scene in scenes.items()}
    assert told == {key: [scene.scenario.expect.event] for key, scene in scenes.items()}
