"""Structured answers fit their schema and follow what was said."""

from typing import Any

import pytest

from deploy.simulator.json_answers import Evidence, fill

YES = Evidence.of("agent: Can you come on 2026-12-01?\ncallee: Yes, I confirm for 3 people.\nagent: Goodbye.")
NO = Evidence.of("agent: Can you come?\ncallee: Do not call me again.")


@pytest.mark.parametrize(
    ("name", "schema", "yes", "no"),
    [
        ("confirmed", {"type": "boolean"}, True, False),
        ("opted_out", {"type": "boolean"}, False, True),
        ("people", {"type": "integer"}, 3, 0),
        ("score", {"type": "number", "minimum": 1, "maximum": 2}, 2.0, 1.0),
        ("mood", {"enum": ["positive", "neutral", "negative"]}, "positive", "negative"),
        ("kind", {"const": "report"}, "report", "report"),
        ("day", {"type": ["string", "null"], "description": "ISO 8601 date."}, "2026-12-01", None),
        ("budget", {"anyOf": [{"type": "number"}, {"type": "null"}]}, None, None),
        ("people", {"type": ["integer", "null"]}, 3, None),
        ("notes", {"type": "array", "items": {"type": "string"}}, [], []),
        ("wish", {"type": "string"}, "Yes, I confirm for 3 people.", "Do not call me again."),
    ],
)
def test_a_value_follows_the_evidence(name: str, schema: dict[str, Any], yes: object, no: object) -> None:
    whole = {"type": "object", "properties": {name: schema}, "required": [name]}
    assert fill(whole, YES) == {name: yes}
    assert fill(whole, NO) == {name: no}


def test_references_and_nested_objects_are_followed() -> None:
    schema = {
        "type": "object",
        "properties": {"visit": {"$ref": "#/$defs/Visit"}, "later": {"type": "string"}},
        "required": ["visit"],
        "$defs": {"Visit": {"type": "object", "properties": {"agreed": {"type": "boolean"}}, "required": ["agreed"]}},
    }
    assert fill(schema, YES, optional=False) == {"visit": {"agreed": True}}


def test_a_summary_counts_both_sides() -> None:
    schema = {"type": "object", "properties": {"summary": {"type": "string"}}, "required": ["summary"]}
    assert fill(schema, YES)["summary"].startswith("The agent spoke 2 times, the callee 1 times")


def test_text_without_marked_lines_is_the_callees() -> None:
    assert Evidence.of("call me tomorrow").callee_text == "call me tomorrow"
