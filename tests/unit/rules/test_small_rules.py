"""Templates, caller ids, call seconds, dispositions: the small rules."""

import pytest

from dispatcher.rules.callers import choose_caller_id
from dispatcher.rules.dispositions import disposition_of
from dispatcher.rules.quota import billed, hold_for
from dispatcher.rules.templates import MissingValueError, fill, lead_context, missing, placeholders
from schema.outcomes import EndReason, Outcome

POOL = ("+12125550100", "+13055550100", "+13475550100", "+442071838750", "+17865550100")


def test_placeholders_allow_spaces_and_dots() -> None:
    text = "Hi {{name}}, {{ appointment.city }} at {{\ttime }}; not {name}, {{}}, {{9x}} or {{a b}}."
    assert placeholders(text) == {"name", "appointment.city", "time"}


def test_filling_reaches_into_nested_values_and_prefers_the_whole_key() -> None:
    values = {"name": "Ann", "a": {"b": {"c": 3}}, "x.y": "flat", "x": {"y": "nested"}, "ok": True}
    assert fill("{{name}} {{ a.b.c }} {{x.y}} {{ok}}", values) == "Ann 3 flat yes"


def test_a_filled_value_is_not_a_template() -> None:
    assert fill("{{a}}{{b}}", {"a": "{{b}}", "b": "{{a}}"}) == "{{b}}{{a}}"


def test_a_missing_value_is_named() -> None:
    with pytest.raises(MissingValueError, match="city") as caught:
        fill("{{name}} {{city}}", {"name": "Ann"})
    assert caught.value.name == "city"


def test_missing_lists_each_name_once_in_order() -> None:
    texts = ("{{b}} {{a}}", None, "{{a}} {{c.d}} {{name}}")
    assert missing(texts, {"name": "Ann", "c": {"e": 1}, "a": None}) == ("b", "a", "c.d")


def test_the_callers_keys_win_over_the_leads() -> None:
    context = lead_context(
        name="Ann", email=None, notes="likes tea", status="New", metadata={"city": "Bonn", "name": "A."}, given={"x": 1}
    )
    assert context == {"name": "A.", "notes": "likes tea", "status": "New", "city": "Bonn", "x": 1}
    again = lead_context(name="Ann", email=None, notes=None, status="New", metadata={}, given={"name": "Bea"})
    assert again == {"name": "Bea", "status": "New"}


def test_fixed_shows_the_first_free_number() -> None:
    assert choose_caller_id(POOL, "fixed", "+12125551234", {}, "s") == POOL[0]
    assert choose_caller_id(POOL, "fixed", "+12125551234", {POOL[0]: 1}, "s", live_limit=1) == POOL[1]


def test_round_robin_takes_the_least_busy_and_turns() -> None:
    assert choose_caller_id(POOL, "round_robin", "+1", dict.fromkeys((*POOL[:3], POOL[4]), 1), "s") == POOL[3]
    chosen = {choose_caller_id(POOL, "round_robin", "+12125551234", {}, f"call {n}") for n in range(64)}
    assert chosen == set(POOL)
    assert choose_caller_id(POOL, "round_robin", "+1", {}, "s") == choose_caller_id(POOL, "round_robin", "+1", {}, "s")


@pytest.mark.parametrize(
    ("phone_number", "shown"),
    [
        ("+13055551234", {"+13055550100"}),
        ("+17865551234", {"+17865550100"}),
        ("+15615551234", {"+13055550100", "+17865550100"}),
        ("+19295551234", {"+12125550100", "+13475550100"}),
        ("+14155551234", {*POOL[:3], POOL[4]}),
        ("+447911123456", {"+442071838750"}),
        ("+4915123456789", set(POOL)),
    ],
)
def test_local_area_prefers_code_then_region_then_country(phone_number: str, shown: set[str]) -> None:
    assert {choose_caller_id(POOL, "local_area", phone_number, {}, f"call {n}") for n in range(64)} == shown


def test_no_number_is_shown_when_none_is_free() -> None:
    assert choose_caller_id((), "fixed", "+1", {}, "s") is None
    assert choose_caller_id(POOL, "local_area", "+1", dict.fromkeys(POOL, 2), "s", live_limit=2) is None


@pytest.mark.parametrize(("minutes", "hold_s"), [(1, 60), (5, 300), (1.5, 90), (2.3, 138), (1.001, 61), (60, 3600)])
def test_the_hold_is_the_longest_call(minutes: float, hold_s: int) -> None:
    assert hold_for(minutes) == hold_s


@pytest.mark.parametrize(
    ("talked_s", "rounding_s", "cost_s"),
    [(0, 60, 0), (0.2, 1, 1), (59.2, 1, 60), (61, 60, 120), (61, 6, 66), (60, 60, 60), (299.5, 60, 300), (900, 1, 300)],
)
def test_talk_time_is_rounded_up_within_the_hold(talked_s: float, rounding_s: int, cost_s: int) -> None:
    assert billed(talked_s, rounding_s, 300, EndReason.USER_HANGUP) == cost_s


@pytest.mark.parametrize("reason", [EndReason.WORKER_LOST, EndReason.PROVIDER_CLOSED, EndReason.CARRIER_STREAM_LOST])
def test_our_faults_cost_nothing(reason: EndReason) -> None:
    assert billed(200, 1, 300, reason) == 0


def test_every_outcome_has_a_disposition_fit_for_an_event_name() -> None:
    assert all(disposition_of(outcome).replace("_", "").isalpha() for outcome in Outcome)
    assert disposition_of(Outcome.CARRIER_REFUSED) == "failed"
    assert disposition_of(Outcome.HUMAN) == "no_outcome"
