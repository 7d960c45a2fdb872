"""What a language model is to find in a transcript, and whether its answer is that. Pure.

Turns an account's `analysis_schema` into a JSON Schema of the strict subset (every field required, null for unknown),
and reads the answer back field by field. Who is asked, and what becomes of a failure, is decided in `analyse`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, Field, StrictBool, StrictFloat, StrictInt, StrictStr, TypeAdapter, ValidationError

from dispatcher.store.transcripts import storable
from schema.call_config import AnalysisField, AnalysisSchema, AnalysisType

SENTIMENTS = ("positive", "neutral", "negative")
_MAX_TEXT = 10_000
_Found = TypeVar("_Found")


class NotFindings(ValueError):
    """An answer does not have the shape asked for; each fault names its field."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        self.faults = faults
        super().__init__("; ".join(faults))


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found. `analysis` has every field of the account's schema, None where the call does not tell."""

    summary: str
    sentiment: str
    analysis: dict[str, object] | None


def _iso_date(text: str) -> str:
    datetime.fromisoformat(text)
    return text


_Text = Annotated[StrictStr, AfterValidator(storable), Field(max_length=_MAX_TEXT)]
_READERS: dict[AnalysisType, TypeAdapter[object]] = {
    AnalysisType.BOOLEAN: TypeAdapter(StrictBool | None),
    AnalysisType.STRING: TypeAdapter(_Text | None),
    AnalysisType.TEXT: TypeAdapter(_Text | None),
    AnalysisType.NUMBER: TypeAdapter(StrictInt | Annotated[StrictFloat, Field(allow_inf_nan=False)] | None),
    AnalysisType.DATE: TypeAdapter(Annotated[StrictStr, AfterValidator(_iso_date)] | None),
}
_SUMMARY: TypeAdapter[str] = TypeAdapter(Annotated[_Text, Field(min_length=1)])
_SENTIMENT: TypeAdapter[str] = TypeAdapter(Literal["positive", "neutral", "negative"])
_JSON_TYPES: dict[AnalysisType, str] = {
    AnalysisType.BOOLEAN: "boolean",
    AnalysisType.STRING: "string",
    AnalysisType.TEXT: "string",
    AnalysisType.NUMBER: "number",
    AnalysisType.DATE: "string",
}


def findings_schema(wanted: AnalysisSchema | None) -> dict[str, object]:
    """Write the JSON Schema of an answer: `summary`, `sentiment`, and `analysis` when fields are wanted."""
    properties: dict[str, object] = {
        "summary": {"type": "string", "description": "Two to four sentences: what was said and what was agreed."},
        "sentiment": {"type": "string", "enum": list(SENTIMENTS), "description": "How the callee felt at the end."},
    }
    if wanted:
        properties["analysis"] = _closed_object({key: _property(field) for key, field in wanted.items()})
    return _closed_object(properties)


def read_findings(answer: Mapping[str, object], wanted: AnalysisSchema | None) -> Findings:
    """Read an answer.

    Raises:
        NotFindings: a field is missing or of another type; all faults at once.
    """
    faults: list[str] = []
    summary = _read(_SUMMARY, answer, "summary", "summary", faults)
    sentiment = _read(_SENTIMENT, answer, "sentiment", "sentiment", faults)
    analysis: dict[str, object] | None = None
    if wanted:
        given = answer.get("analysis")
        if isinstance(given, dict):
            analysis = {
                key: _read(_READERS[_type(field)], given, key, f"analysis.{key}", faults)
                for key, field in wanted.items()
            }
        else:
            faults.append("analysis: must be an object")
    if faults or summary is None or sentiment is None:
        raise NotFindings(tuple(faults))
    return Findings(summary, sentiment, analysis)


def _read(
    reader: TypeAdapter[_Found], given: Mapping[str, object], key: str, path: str, faults: list[str]
) -> _Found | None:
    if key not in given:
        faults.append(f"{path}: is missing")
        return None
    try:
        return reader.validate_python(given[key])
    except ValidationError as error:
        faults.append(f"{path}: {error.errors()[0]['msg']}")
        return None


def _closed_object(properties: dict[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _type(field: AnalysisType | AnalysisField) -> AnalysisType:
    return field.type if isinstance(field, AnalysisField) else field


def _property(field: AnalysisType | AnalysisField) -> dict[str, object]:
    kind = _type(field)
    said = [] if not isinstance(field, AnalysisField) or field.description is None else [field.description]
    if kind is AnalysisType.DATE:
        said.append("ISO 8601 date, or date and time.")
    said.append("null when the call does not tell.")
    return {"type": [_JSON_TYPES[kind], "null"], "description": " ".join(said)}
