"""What pydantic finds becomes the path of the field, the fault and the fix."""

import json

import pytest
from pydantic import BaseModel, ValidationError

from api.faults import faults_of, loads, unstorable
from schema.calls import CreateCall
from schema.campaigns import CreateCampaign
from schema.problems import FieldFault

CALL = {"phone_number": "+14155551234", "task": "Call about tomorrow"}
CAMPAIGN = {"name": "A", "call_config": {"task": "Call about tomorrow"}}


def _faults(model: type[BaseModel], body: object) -> tuple[FieldFault, ...]:
    with pytest.raises(ValidationError) as caught:
        model.model_validate_json(json.dumps(body), strict=True)
    return faults_of(caught.value, body, model)


def test_labels_of_alternatives_are_not_in_paths() -> None:
    [fault] = _faults(CreateCall, {**CALL, "analysis_schema": {"a": {"type": "bool"}, "b": "string"}})
    assert fault.path == "analysis_schema.a.type"
    [fault] = _faults(CreateCall, {**CALL, "analysis_schema": {"a": "bool"}})
    assert fault.path == "analysis_schema.a"


def test_a_field_named_like_a_label_keeps_its_name() -> None:
    [fault] = _faults(CreateCall, {**CALL, "task": "short"})
    assert fault.path == "task"


def test_a_validator_may_name_the_field_itself() -> None:
    window = {"days": ["mon"], "start": "10:00", "end": "09:00"}
    [fault] = _faults(CreateCampaign, {**CAMPAIGN, "schedule": {"windows": [window]}})
    assert fault.path == "schedule.windows.0.end"
    assert fault.message.startswith("09:00 is not after 10:00")


def test_a_misspelt_field_is_recognised() -> None:
    [fault] = _faults(CreateCampaign, {**CAMPAIGN, "pacing": {}, "shedule": {}})
    assert fault.message == "Unknown field; did you mean schedule?"
    assert fault.code == "extra_forbidden"


def test_what_was_sent_is_shown_but_not_at_length() -> None:
    [fault] = _faults(CreateCall, {**CALL, "temperature": "x" * 500})
    assert "xxx…" in fault.message
    assert len(fault.message) < 130


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        (rb'{"a": "\u0000"}', ["a"]),
        (rb'{"a\u0000": 1}', ["a\0"]),
        (b'{"a": [1, {"b": 1e999}]}', ["a.1.b"]),
        (b'{"a": NaN, "b": -Infinity}', ["a", "b"]),
        (b'{"a": ' + b"9" * 400 + b".0}", ["a"]),
        (rb'{"a": "\\u0000", "b": 1e300, "c": "NaN"}', []),
        (b'{"a": 1}', []),
    ],
)
def test_what_a_database_cannot_hold_is_found(body: bytes, paths: list[str]) -> None:
    assert [fault.path for fault in unstorable(body)] == paths


def test_a_body_that_is_no_json_reads_as_nothing() -> None:
    assert loads(b"{") is None
