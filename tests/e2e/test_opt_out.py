"""Somebody asks, during a call, not to be called again: it holds from then on, everywhere."""

import pytest

from tests.e2e.client import answer_of
from tests.e2e.conftest import Scenes
from tests.e2e.scenario import Mode, Scenario, chosen

OPT_OUT = chosen("a person asks not to be called again")


def _ids(entry: tuple[Scenario, Mode]) -> str:
    return entry[1]


@pytest.mark.parametrize("chosen", OPT_OUT, ids=_ids)
def test_the_person_is_unsubscribed_and_the_number_suppressed(chosen: tuple[Scenario, Mode], scenes: Scenes) -> None:
    scene = scenes[chosen[0].name, chosen[1]]
    lead = scene.customer.client.get(f"/v1/leads/{scene.record['lead_id']}")
    assert (lead["status"], lead["do_not_call"]) == ("Unsubscribed", True)
    [suppression] = scene.customer.client.pages("/v1/suppressions")
    assert (suppression["phone_number"], suppression["source"]) == (scene.number, "call")
    assert suppression["until"] is None
    assert "mark_do_not_call" in [used["name"] for used in scene.record["tool_calls"]]


@pytest.mark.parametrize("chosen", OPT_OUT, ids=_ids)
def test_a_later_call_to_the_number_is_refused(chosen: tuple[Scenario, Mode], scenes: Scenes) -> None:
    scene = scenes[chosen[0].name, chosen[1]]
    assert scene.record["completed"]
    body = {"phone_number": scene.number, "task": "Ask once more, politely."}
    answer = answer_of(scene.customer, "POST", "/v1/calls", body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "number_suppressed"
    assert scene.dials == 1
