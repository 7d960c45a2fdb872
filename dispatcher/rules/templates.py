"""Which `{{name}}` placeholders a text has, which values are missing, and the filled text.

Whitespace inside the braces is allowed, names may be dotted (`appointment.city`) and then reach into nested objects.
Anything else in braces is plain text. Filled values are never read as templates again.
"""

import re
from collections.abc import Iterable, Mapping

_PLACEHOLDER = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)\s*\}\}")


class MissingValueError(Exception):
    """A text names a placeholder that has no value; `name` says which."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"no value for {{{{{name}}}}}")


def placeholders(text: str) -> set[str]:
    """Return the names a text wants filled."""
    return set(_PLACEHOLDER.findall(text))


def missing(texts: Iterable[str | None], values: Mapping[str, object]) -> tuple[str, ...]:
    """Return the names that have no value, in order of first appearance."""
    names = dict.fromkeys(name for text in texts if text for name in _PLACEHOLDER.findall(text))
    return tuple(name for name in names if _look_up(values, name) is None)


def fill(text: str, values: Mapping[str, object]) -> str:
    """Return the text with every placeholder replaced by its value.

    Raises:
        MissingValueError: a placeholder has no value.
    """
    return _PLACEHOLDER.sub(lambda match: _text_of(values, match.group(1)), text)


def lead_context(
    *,
    name: str | None,
    email: str | None,
    notes: str | None,
    status: str,
    metadata: Mapping[str, object],
    given: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """Return what the agent is told about a lead: its own fields, its custom fields, then the caller's keys, which win.

    Fields of the record without a value are left out, so that a text naming them is found to miss one.
    """
    own: dict[str, object] = {"name": name, "email": email, "notes": notes, "status": status}
    known = {key: value for key, value in own.items() if value is not None}
    return {**known, **metadata, **(given or {})}


def _text_of(values: Mapping[str, object], name: str) -> str:
    value = _look_up(values, name)
    if value is None:
        raise MissingValueError(name)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _look_up(values: Mapping[str, object], name: str) -> object:
    if name in values:
        return values[name]
    here: object = values
    for part in name.split("."):
        if not isinstance(here, Mapping) or part not in here:
            return None
        here = here[part]
    return here
