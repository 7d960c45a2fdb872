"""Every scenario of `scenarios/`, in every mode it is written for."""

import pytest

from tests.e2e.checks import (
    check_conversation,
    check_dials,
    check_ear,
    check_money,
    check_record,
    check_webhook,
)
from tests.e2e.conftest import Scenes
from tests.e2e.scenario import Mode, Scenario, load_scenarios

CHOICES = [pytest.param(chosen, id=f"{chosen[0].name} ({chosen[1]})") for chosen in load_scenarios()]


@pytest.mark.parametrize("chosen", CHOICES)
def test_the_call_is_held_ended_charged_and_told_of_as_its_scenario_says(
    chosen: tuple[Scenario, Mode], scenes: Scenes
) -> None:
    scenario, mode = chosen
    scene = scenes[scenario.name, mode]
    check_record(scene)
    check_dials(scene)
    check_ear(scene)
    check_conversation(scene)
    check_webhook(scene)
    check_money(scene)
