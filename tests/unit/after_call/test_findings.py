"""What is asked of a language model and which of its answers are believed."""

import json

import pytest
from pydantic import TypeAdapter

from dispatcher.services.findings import NotFindings, findings_schema, read_findings
from schema.call_config import AnalysisSchema

WANTED: AnalysisSchema = TypeAdapter(AnalysisSchema).validate_python(
    {
        "converted": {"type": "boolean", "description": "Whether the lead agreed."},
        "objections": "string",
        "notes": "text",
        "rating": "number",
        "appointment_time": "date",
    }
)
GOOD = {
    "converted": True,
    "objections": "price",
    "notes": None,
    "rating": 4.5,
    "appointment_time": "2026-03-03T15:00:00-05:00",
}


def an_answer(**analysis: object) -> dict[str, object]:
    return {"summary": "They agreed.", "sentiment": "positive", "analysis": {**GOOD, **analysis}}


def test_the_schema_is_of_the_strict_subset_at_every_level() -> None:
    def check(part: object) -> None:
        if isinstance(part, dict):
            if part.get("type") == "object":
                assert part["additionalProperties"] is False
                assert part["required"] == list(part["properties"])
            for inner in part.values():
                check(inner)

    schema = findings_schema(WANTED)
    check(schema)
    fields = json.loads(json.dumps(schema))["properties"]["analysis"]["properties"]
    assert {key: field["type"] for key, field in fields.items()} == {
        "converted": ["boolean", "null"],
        "objections": ["string", "null"],
        "notes": ["string", "null"],
        "rating": ["number", "null"],
        "appointment_time": ["string", "null"],
    }
    assert fields["converted"]["description"].startswith("Whether the lead agreed.")


def test_without_a_schema_of_the_account_only_summary_and_sentiment_are_asked() -> None:
    assert list(json.loads(json.dumps(findings_schema(None)))["properties"]) == ["summary", "sentiment"]
    found = read_findings({"summary": "Fine.", "sentiment": "neutral", "more": 1}, None)
    assert (found.summary, found.sentiment, found.analysis) == ("Fine.", "neutral", None)


def test_a_fitting_answer_is_taken_as_it_is_and_extra_fields_are_dropped() -> None:
    assert read_findings(an_answer(extra="x"), WANTED).analysis == GOOD


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("converted", "yes"), ("converted", 1), ("objections", 7), ("objections", ["price"]), ("rating", "4"),
        ("rating", True), ("rating", float("nan")), ("rating", float("inf")), ("appointment_time", "tomorrow at 3"),
        ("appointment_time", 1_772_000_000), ("notes", "x" * 10_001),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_not_believed(key: str, value: object) -> None:
    with pytest.raises(NotFindings) as refused:
        read_findings(an_answer(**{key: value}), WANTED)
    assert [fault.split(":")[0] for fault in refused.value.faults] == [f"analysis.{key}"]


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(NotFindings) as refused:
        read_findings({"sentiment": "ecstatic", "analysis": {"converted": "no"}}, WANTED)
    assert [fault.split(":")[0] for fault in refused.value.faults] == [
        "summary", "sentiment", "analysis.converted", "analysis.objections", "analysis.notes", "analysis.rating",
        "analysis.appointment_time",
    ]  # fmt: skip


def test_an_analysis_that_is_no_object_is_a_fault() -> None:
    with pytest.raises(NotFindings, match="analysis: must be an object"):
        read_findings({"summary": "Fine.", "sentiment": "neutral", "analysis": [1]}, WANTED)


def test_text_the_database_cannot_hold_is_cleaned() -> None:
    found = read_findings({"summary": "a\x00b", "sentiment": "neutral", "analysis": {**GOOD, "notes": "\x00n"}}, WANTED)
    assert found.summary == "ab"
    assert found.analysis is not None
    assert found.analysis["notes"] == "n"
