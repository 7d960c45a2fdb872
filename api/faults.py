"""Pydantic's findings as faults a person can act on: the path of the field, what is wrong, what to do.

One fault per field, the deepest where several levels complain. A validator of the schema may name a field itself by
beginning its message with "path: ".
"""

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, RootModel, ValidationError
from pydantic_core import ErrorDetails

from schema.calls import DirectCall
from schema.problems import FieldFault
from schema.wire import E164_MESSAGE, E164_PATTERN

UNAVAILABLE = frozenset(
    {
        "stt_languages",
        "stt_vocabulary",
        "stt_endpoint_sensitivity",
        "stt_interrupt_sensitivity",
        "stt_max_delay",
        "transcript_correction_vocabulary",
        "tts_stability",
        "tts_similarity_boost",
        "tts_speed",
        "filler_enabled",
        "block_interruption",
        "knowledge_base_ids",
        "mcp_url",
        "mcp_token",
        "mcp_tool_allowlist",
        "tool_call_timeout_ms",
        "tools",
        "ivr",
        "transfer_number",
    }
)
"""Fields of the call contract whose feature this installation does not have; refused by name, never ignored."""

_SUSPICIOUS = re.compile(rb"\\u0000|NaN|Infinity|[eE]\+?\d{3}|\d{300}")
_SHOWN_CHARS = 60
_OWN_PATH = re.compile(r"^([A-Za-z_][\w.]*): (.+)$", re.DOTALL)
_NEEDED = {"task": "give task or instructions, 10 characters or more; the agent needs to know what to say"}


def faults_of(error: ValidationError, sent: object, model: type[BaseModel]) -> tuple[FieldFault, ...]:
    """Translate what pydantic found.

    `sent` is what was validated, as plain JSON values: it tells names of fields from labels of alternatives. `model` is
    what it was validated against: its names are offered for misspelt ones.
    """
    found = [_fault(details, sent, model) for details in error.errors(include_url=False)]
    paths = {fault.path for fault in found}
    outer = {path for path in paths if any(other.startswith(f"{path}.") for other in paths)}
    deepest = {fault.path: fault for fault in reversed(found) if fault.path not in outer}
    return tuple(dict.fromkeys(deepest[fault.path] for fault in found if fault.path in deepest))


def unstorable(body: bytes) -> tuple[FieldFault, ...]:
    """Find what JSON allows and a database does not hold: NUL characters and numbers beyond any double."""
    return tuple(_unstorable(loads(body), ())) if _SUSPICIOUS.search(body) else ()


def loads(body: bytes) -> object:
    """Read JSON that is known to be good, or None when it is not."""
    try:
        value: object = json.loads(body)
    except ValueError:
        return None
    return value


def _unstorable(value: object, path: tuple[str, ...]) -> Iterator[FieldFault]:
    match value:
        case dict():
            for key, inner in value.items():
                yield from _unstorable(key, (*path, key))
                yield from _unstorable(inner, (*path, key))
        case list():
            for position, inner in enumerate(value):
                yield from _unstorable(inner, (*path, str(position)))
        case str() if "\0" in value:
            yield FieldFault(path=".".join(path), message="Contains a NUL character; take it out", code="unstorable")
        case float() if not math.isfinite(value):
            yield FieldFault(path=".".join(path), message="Is not a finite number; send one", code="unstorable")
        case _:
            return


def _fault(details: ErrorDetails, sent: object, model: type[BaseModel]) -> FieldFault:
    # The location in a tagged alternative begins with its tag, which may also be the name of a field.
    loc = details["loc"][1:] if issubclass(model, RootModel) else details["loc"]
    path = _path(loc, sent, needed=details["type"] == "missing")
    if details["type"] == "value_error":
        text = str(details["ctx"]["error"])
        own = _OWN_PATH.match(text)
        return FieldFault(
            path=".".join((*path, own[1])) if own else ".".join(path), message=own[2] if own else text, code="invalid"
        )
    return FieldFault(path=".".join(path), message=_message(details, path, model), code=details["type"])


def _message(details: ErrorDetails, path: Sequence[str], model: type[BaseModel]) -> str:
    field = path[-1] if path else ""
    match details["type"]:
        case "missing":
            return f"Required; {_NEEDED.get(field, f'add {field}')}"
        case "extra_forbidden":
            return _unknown(field, model)
        case "string_pattern_mismatch" if details["ctx"]["pattern"] == E164_PATTERN:
            return E164_MESSAGE
        case "json_invalid":
            return f"The body is not valid JSON: {details['ctx']['error']}"
        case _:
            return f"{details['msg']}; got {_shown(details['input'])}"


def _unknown(field: str, model: type[BaseModel]) -> str:
    if field in UNAVAILABLE:
        return "This installation does not have this feature; remove the field"
    near = get_close_matches(field, _names(model), n=1)
    return f"Unknown field; did you mean {near[0]}?" if near else "Unknown field; remove it"


def _names(model: type[BaseModel]) -> Iterable[str]:
    return DirectCall.model_fields if issubclass(model, RootModel) else model.model_fields


def _path(loc: tuple[int | str, ...], sent: object, *, needed: bool) -> tuple[str, ...]:
    """Keep of a location what leads through the sent value; the rest labels alternatives of a union."""
    here: Any = sent
    path: list[str] = []
    for position, step in enumerate(loc):
        is_last = position == len(loc) - 1
        if _leads_on(here, step):
            here = here[step]
        elif not (is_last and needed):
            continue
        path.append(str(step))
    return tuple(path)


def _leads_on(here: object, step: int | str) -> bool:
    if isinstance(here, Mapping):
        return step in here
    return isinstance(here, list) and isinstance(step, int) and step < len(here)


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"
