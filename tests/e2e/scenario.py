"""What a scenario file says: who answers, what is asked for, what goes wrong, and what everybody must find afterwards.

One file holds several scenarios. `<marker>` in a request or a fault is a word of one run alone, so that a fault strikes
only the calls of its scenario; a fault of the carrier is aimed by the number dialled.
"""

from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

FOLDER = Path(__file__).with_name("scenarios")
MARKER = "<marker>"

Mode = Literal["realtime", "legacy"]
Json = dict[str, Any]


class Closed(BaseModel):
    """A part of a scenario file: no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Line(Closed):
    """One turn of the conversation: what `agent` or `callee` says.

    Attributes:
        cut: the turn was cut off somewhere; the text is what it would have been.
    """

    agent: str | None = None
    callee: str | None = None
    cut: bool = False

    @model_validator(mode="after")
    def _one_speaker(self) -> Self:
        if (self.agent is None) == (self.callee is None):
            raise ValueError("a line is the agent's or the callee's")
        return self

    @property
    def speaker(self) -> str:
        """Return the transcript's word for who speaks."""
        return "assistant" if self.agent is not None else "user"

    @property
    def text(self) -> str:
        """Return what is said."""
        return self.agent or self.callee or ""


class Expected(Closed):
    """What must be found after the call.

    Attributes:
        record: fields of the call's record, equal to these.
        error: text inside `error_message`; empty means that there is none.
        conversation: every turn, in order, for transcript, callee's ear and recording alike; None leaves it open.
        heard: texts that sound in the callee's ear, in this order.
        unheard: texts that never do.
        billed: whether the time talked is charged.
        latency: stages that were measured.
        dials: requests the carrier got for the number.
    """

    event: Literal["call.completed", "call.failed"]
    record: Json
    error: str = ""
    conversation: tuple[Line, ...] | None = ()
    heard: tuple[str, ...] = ()
    unheard: tuple[str, ...] = ()
    billed: bool = False
    latency: tuple[str, ...] = ()
    dials: int = 1


class Scenario(Closed):
    """One call and what comes of it; with `lead` the number is a known person's."""

    name: str
    modes: tuple[Mode, ...] = ("realtime", "legacy")
    answers: str
    lead: bool = False
    request: Json = Field(default_factory=dict)
    faults: tuple[Json, ...] = ()
    expect: Expected


def load_scenarios() -> tuple[tuple[Scenario, Mode], ...]:
    """Read all scenario files; one entry per scenario and mode."""
    files = sorted(FOLDER.glob("*.yaml"))
    written = [entry for file in files for entry in yaml.safe_load(file.read_text(encoding="utf-8"))]
    scenarios = [Scenario.model_validate(entry) for entry in written]
    return tuple((scenario, mode) for scenario in scenarios for mode in scenario.modes)


def chosen(name: str) -> tuple[tuple[Scenario, Mode], ...]:
    """Return one scenario in all its modes."""
    return tuple(entry for entry in load_scenarios() if entry[0].name == name)


def marked(value: Any, marker: str) -> Any:
    """Return the value with `<marker>` filled in, at any depth."""
    match value:
        case str():
            return value.replace(MARKER, marker)
        case dict():
            return {key: marked(inner, marker) for key, inner in value.items()}
        case list() | tuple():
            return [marked(inner, marker) for inner in value]
        case _:
            return value
