"""The callee takes the floor: what the line, the callee's ear and the transcript do at that moment."""

import pytest

from deploy.simulator.voice import SYMBOL_MS
from tests.e2e.checks import squeezed
from tests.e2e.conftest import Scenes
from tests.e2e.scenario import Mode, Scenario, chosen

TALKS_OVER = chosen("a person talks over the agent, who falls silent and listens")
UH_HUH = chosen("a person who says uh huh is listening and does not interrupt")


def _ids(entry: tuple[Scenario, Mode]) -> str:
    return entry[1]


@pytest.mark.parametrize("chosen", TALKS_OVER, ids=_ids)
def test_the_carrier_is_told_to_drop_what_it_holds_and_the_agent_is_not_heard_again(
    chosen: tuple[Scenario, Mode], scenes: Scenes
) -> None:
    scene = scenes[chosen[0].name, chosen[1]]
    assert scene.truth is not None
    [clear_ms] = scene.truth["clears_ms"]
    [interruption, *_] = scene.truth["said"]
    assert clear_ms >= interruption["at_ms"]
    cut_off, answer, *_ = scene.truth["heard"]
    assert cut_off["end_ms"] <= clear_ms + SYMBOL_MS
    assert answer["text"].startswith("thank you.")
    assert answer["start_ms"] > interruption["at_ms"] + len(interruption["text"]) * SYMBOL_MS


@pytest.mark.parametrize("chosen", TALKS_OVER, ids=_ids)
def test_the_transcript_keeps_of_the_interrupted_turn_whole_words_that_were_heard(
    chosen: tuple[Scenario, Mode], scenes: Scenes
) -> None:
    scene = scenes[chosen[0].name, chosen[1]]
    assert scene.truth is not None
    heard = scene.truth["heard"][0]["text"]
    written = scene.record["transcript"][0]
    assert written["user"] == "assistant"
    assert squeezed(heard).startswith(squeezed(written["text"]))
    assert f"{scene.scenario.request['first_sentence']} ".startswith(f"{written['text']} ")


@pytest.mark.parametrize("chosen", UH_HUH, ids=_ids)
def test_nothing_is_dropped_for_a_word_of_attention(chosen: tuple[Scenario, Mode], scenes: Scenes) -> None:
    scene = scenes[chosen[0].name, chosen[1]]
    assert scene.truth is not None
    assert scene.truth["clears_ms"] == []
    assert scene.truth["cleared_ms"] == 0
