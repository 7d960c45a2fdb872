"""Who answers which number: people and their scripts, read from YAML.

A person rings, answers (or not) and then follows a script of steps. A step waits for one trigger and then acts; see
`StepModel` for both. Numbers are matched exactly, then by the longest `*suffix`, then by `default`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

SHIPPED: Final = Path(__file__).with_name("people.yaml")
DEFAULT_PAUSE_MS: Final = 700

Outcome = Literal["answer", "busy", "no_answer", "rejected", "failed"]
AnsweredBy = Literal[
    "human", "machine_start", "machine_end_beep", "machine_end_silence", "machine_end_other", "fax", "unknown"
]


class StepModel(BaseModel):
    """One step. At most one trigger (none is `after_agent_ms: 700`), then the actions in this order.

    Triggers: `after_s` since the answer; `later_s` since the previous step ended; `after_agent_ms` of quiet once the
    agent has spoken since the previous step; `agent_speaking_ms` of agent speech without a pause; `when_heard` once the
    agent has said this text since the previous step; `agent_silent_ms` since it without any agent speech.
    Actions: `dtmf` digits; `beep`; `say` a line, or the `answers` line whose key the agent has just said;
    `cut_after_ms` stops the line there; `hang_up` ends the call afterwards.
    With `unless_agent_spoke` the step is passed over when the agent has spoken since the previous one: a polite person
    does not say hello into a greeting.
    """

    model_config = ConfigDict(extra="forbid")

    after_s: float | None = Field(default=None, ge=0)
    later_s: float | None = Field(default=None, ge=0)
    after_agent_ms: int | None = Field(default=None, ge=0)
    agent_speaking_ms: int | None = Field(default=None, ge=0)
    when_heard: str | None = None
    agent_silent_ms: int | None = Field(default=None, ge=0)
    dtmf: str = ""
    beep: bool = False
    say: str = ""
    answers: dict[str, str] = Field(default_factory=dict)
    cut_after_ms: int | None = Field(default=None, ge=0)
    hang_up: bool = False
    unless_agent_spoke: bool = False

    @model_validator(mode="after")
    def _has_one_trigger(self) -> Self:
        given = [name for name in TRIGGERS if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"a step has one trigger, not {' and '.join(given)}")
        return self


TriggerKind = Literal["after_s", "later_s", "after_agent_ms", "agent_speaking_ms", "when_heard", "agent_silent_ms"]
TRIGGERS: Final[tuple[TriggerKind, ...]] = (
    "after_s",
    "later_s",
    "after_agent_ms",
    "agent_speaking_ms",
    "when_heard",
    "agent_silent_ms",
)


class PersonModel(BaseModel):
    """One person of the YAML file; times in the unit of their name, from the moment the phone starts to ring."""

    model_config = ConfigDict(extra="forbid")

    ring_s: float = Field(default=1.0, ge=0)
    outcome: Outcome = "answer"
    sip_code: int | None = None
    answered_by: AnsweredBy = "human"
    amd_s: float = Field(default=1.5, ge=0)
    patience_s: float = Field(default=30.0, gt=0)
    script: list[StepModel] = Field(default_factory=list)


class CalleesModel(BaseModel):
    """The whole file. People named here replace shipped ones of the same name."""

    model_config = ConfigDict(extra="forbid")

    people: dict[str, PersonModel] = Field(default_factory=dict)
    numbers: dict[str, str] = Field(default_factory=dict)
    default: str = "human"


@dataclass(frozen=True, slots=True)
class Trigger:
    """When a step begins: `kind` is one of TRIGGERS, `value` in ms or the text to hear."""

    kind: TriggerKind
    value_ms: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a script."""

    trigger: Trigger
    dtmf: str = ""
    beep: bool = False
    say: str = ""
    answers: tuple[tuple[str, str], ...] = ()
    cut_after_ms: int | None = None
    hang_up: bool = False
    unless_agent_spoke: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """A scripted person at the end of the line."""

    name: str
    ring_s: float
    outcome: Outcome
    sip_code: int | None
    answered_by: AnsweredBy
    amd_s: float
    patience_s: float
    script: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Callees:
    """The telephone book."""

    people: dict[str, Person]
    exact: dict[str, str]
    suffixes: tuple[tuple[str, str], ...]
    default: str

    def at(self, number: str) -> Person:
        """Return who answers the number."""
        name = self.exact.get(number)
        if name is None:
            name = next((who for suffix, who in self.suffixes if number.endswith(suffix)), self.default)
        return self.people[name]


def read_callees(text: str) -> Callees:
    """Read a YAML file's text on top of the shipped people.

    Raises:
        ValueError: the text is no such file, or names a person nobody described.
    """
    shipped = CalleesModel.model_validate(yaml.safe_load(SHIPPED.read_text(encoding="utf-8")))
    try:
        given = CalleesModel.model_validate(yaml.safe_load(text) or {})
    except yaml.YAMLError as error:
        raise ValueError(f"not YAML: {error}") from error
    people = {name: _person(name, model) for name, model in {**shipped.people, **given.people}.items()}
    unknown = {who for who in (*given.numbers.values(), given.default) if who not in people}
    if unknown:
        raise ValueError(f"nobody describes {', '.join(sorted(unknown))}")
    suffixes = sorted(((n[1:], who) for n, who in given.numbers.items() if n.startswith("*")), key=lambda s: -len(s[0]))
    exact = {number: who for number, who in given.numbers.items() if not number.startswith("*")}
    return Callees(people, exact, tuple(suffixes), given.default)


def _person(name: str, model: PersonModel) -> Person:
    return Person(
        name=name,
        ring_s=model.ring_s,
        outcome=model.outcome,
        sip_code=model.sip_code,
        answered_by=model.answered_by,
        amd_s=model.amd_s,
        patience_s=model.patience_s,
        script=tuple(_step(step) for step in model.script),
    )


def _step(model: StepModel) -> Step:
    return Step(
        trigger=_trigger(model),
        dtmf=model.dtmf,
        beep=model.beep,
        say=model.say,
        answers=tuple((key.lower(), line) for key, line in model.answers.items()),
        cut_after_ms=model.cut_after_ms,
        hang_up=model.hang_up,
        unless_agent_spoke=model.unless_agent_spoke,
    )


def _trigger(model: StepModel) -> Trigger:
    for kind in TRIGGERS:
        value = getattr(model, kind)
        if isinstance(value, str):
            return Trigger(kind, text=value.lower())
        if value is not None:
            return Trigger(kind, value_ms=int(value * 1000) if kind.endswith("_s") else int(value))
    return Trigger("after_agent_ms", value_ms=DEFAULT_PAUSE_MS)
