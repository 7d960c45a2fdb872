"""One question put to the rules: all facts about one possible call at one instant.

Every rule is a function from a case to its reason, None when it does not block. Does not judge.
"""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, TypeAlias

from dispatcher.rules.facts import Capacity, History, LeadFacts, Reason
from dispatcher.rules.policy import Policy
from dispatcher.rules.windows import Windows
from schema.reasons import ReasonCode


class Case(NamedTuple):
    """The arguments of `decide`, with the windows that apply to the number."""

    lead: LeadFacts
    policy: Policy
    history: History
    capacity: Capacity
    now: datetime
    ring_s: int
    windows: Windows


Rule: TypeAlias = Callable[[Case], Reason | None]


def blocked(code: ReasonCode, until: datetime | None = None, **inputs: object) -> Reason:
    """Return a reason; inputs are shown as text, instants in ISO 8601."""
    return Reason(code, until, tuple((name, _text(value)) for name, value in inputs.items()))


def _text(value: object) -> str:
    match value:
        case datetime():
            return value.isoformat()
        case tuple() | list():
            return ", ".join(_text(item) for item in value)
        case _:
            return str(value)
