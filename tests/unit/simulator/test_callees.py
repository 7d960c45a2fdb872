"""Who answers a number, and how a file of people is read."""

import pytest

from deploy.simulator.callees import SHIPPED, read_callees


def test_an_empty_file_lets_the_shipped_human_answer_everywhere() -> None:
    assert read_callees("").at("+13105550123").name == "human"


def test_exact_numbers_win_over_suffixes_and_longer_suffixes_over_shorter() -> None:
    callees = read_callees("numbers: {'+13105550199': silent, '*99': busy, '*0299': voicemail}\ndefault: opt_out")
    assert callees.at("+13105550199").name == "silent"
    assert callees.at("+13105550299").name == "voicemail"
    assert callees.at("+13105550399").name == "busy"
    assert callees.at("+13105550100").name == "opt_out"


def test_own_people_replace_shipped_ones_and_stand_beside_them() -> None:
    callees = read_callees("people: {busy: {ring_s: 9, outcome: busy}, eve: {script: [{say: hi}]}}\ndefault: eve")
    assert callees.people["busy"].ring_s == 9
    assert callees.at("+1").script[0].say == "hi"
    assert callees.people["human"].outcome == "answer"


def test_a_step_without_a_trigger_waits_for_a_pause_of_the_agent() -> None:
    (step,) = read_callees("people: {eve: {script: [{say: hi}]}}").people["eve"].script
    assert (step.trigger.kind, step.trigger.value_ms) == ("after_agent_ms", 700)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("numbers: {'*1': nobody}", "nobody describes nobody"),
        ("people: {eve: {script: [{say: hi, after_s: 1, later_s: 2}]}}", "one trigger, not after_s and later_s"),
        ("people: {eve: {outcome: vanished}}", "outcome"),
        ("people: {eve: {script: [{shout: hi}]}}", "shout"),
        ("people: {", "not YAML"),
    ],
)
def test_a_file_with_a_fault_is_refused_by_name(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        read_callees(text)


def test_the_shipped_file_has_every_promised_person() -> None:
    people = read_callees(SHIPPED.read_text(encoding="utf-8")).people
    promised = "human busy no_answer voicemail hangs_up_mid_sentence talks_over rejected silent opt_out"
    assert set(promised.split()) <= set(people)
