"""The end of every call is told once, however long one waits; judged after everything else."""

from tests.e2e.conftest import Scenes


def test_no_call_of_any_scenario_was_told_of_twice(scenes: Scenes) -> None:
    told = {(name, mode): [event.type for event in scene.told()] for (name, mode), scene in scenes.items()}
    assert told == {key: [scene.scenario.expect.event] for key, scene in scenes.items()}
