"""Fills a JSON Schema from a conversation the way a model asked for structured output would, but the same every time.

Knows the schema keywords that structured outputs allow: objects, arrays, enums, const, $ref, anyOf and type unions.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

_CALLEE_LINE: Final = re.compile(
    r"^\W*(?:callee|user|human|customer|lead|person)\W*[:>]\s*(.*)$", re.IGNORECASE | re.MULTILINE
)
_AGENT_LINE: Final = re.compile(r"(?im)^\W*(?:agent|assistant|ai|bot)\W*[:>]\s*(.*)$")
_YES: Final = re.compile(r"\b(yes|sure|correct|right|confirm|okay|of course|suits me|is good|i do)\b", re.IGNORECASE)
_OPT_OUT: Final = re.compile(r"(do not|don't|never|stop) (ever )?call|remove me|take me off", re.IGNORECASE)
_UNFRIENDLY: Final = re.compile(
    r"not interested|do not call|don't call|stop calling|angry|leave me alone", re.IGNORECASE
)
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
_WORD: Final = re.compile(r"[a-z]{3,}")
_ISO_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}(?:T[\d:.+Z-]+)?")
_STEM_LETTERS: Final = 5
_IDLE_WORDS: Final = frozenset(
    {
        "the",
        "and",
        "was",
        "has",
        "did",
        "who",
        "what",
        "when",
        "whether",
        "callee",
        "call",
        "null",
        "does",
        "not",
        "tell",
    }
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the answers are drawn from: the whole text, and both sides' lines when it is a transcript."""

    text: str
    callee: tuple[str, ...]
    agent: tuple[str, ...]

    @classmethod
    def of(cls, text: str) -> Self:
        """Read a text; without marked lines all of it counts as the callee's."""
        callee = tuple(line.strip() for line in _CALLEE_LINE.findall(text))
        agent = tuple(line.strip() for line in _AGENT_LINE.findall(text))
        return cls(text, callee or (() if agent else (text.strip(),)), agent)

    @property
    def callee_text(self) -> str:
        """Everything the callee said."""
        return " ".join(self.callee)

    @property
    def spoken(self) -> str:
        """Everything both sides said."""
        return " ".join((*self.callee, *self.agent))


def fill(schema: Mapping[str, Any], evidence: Evidence, *, optional: bool = True) -> Any:
    """Return a value that satisfies the schema; properties that are not required are left out unless `optional`."""
    return _Filler(schema, evidence, optional).value("", schema)


@dataclass(frozen=True, slots=True)
class _Filler:
    root: Mapping[str, Any]
    evidence: Evidence
    optional: bool

    def value(self, name: str, schema: Mapping[str, Any]) -> Any:
        if "$ref" in schema:
            return self.value(name, self._referred(schema["$ref"]))
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._choice(name, schema["enum"])
        union = schema.get("anyOf") or schema.get("oneOf")
        if union is None and isinstance(schema.get("type"), list):
            union = [{**schema, "type": each} for each in schema["type"]]
        if union:
            return self._of_union(name, union)
        return self._of_type(name, schema, schema.get("type", "object" if "properties" in schema else "string"))

    def _of_union(self, name: str, union: list[Mapping[str, Any]]) -> Any:
        real = [each for each in union if each.get("type") != "null"]
        nullable = len(real) < len(union)
        if nullable and (not real or not self._mentioned(name, real[0])):
            return None
        return self.value(name, real[0])

    def _of_type(self, name: str, schema: Mapping[str, Any], kind: str) -> Any:
        match kind:
            case "object":
                required = set(schema.get("required", ()))
                properties: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
                return {key: self.value(key, p) for key, p in properties.items() if self.optional or key in required}
            case "array":
                least = int(schema.get("minItems", 0))
                return [self.value(name, schema.get("items", {})) for _ in range(least)]
            case "boolean":
                return self._truth(name)
            case "integer" | "number":
                return self._amount(schema, kind)
            case "null":
                return None
            case _:
                return self._words(name, schema)

    def _referred(self, reference: str) -> Mapping[str, Any]:
        found: Any = self.root
        for part in reference.removeprefix("#/").split("/"):
            found = found[part] if part else found
        return found  # type: ignore[no-any-return]

    def _truth(self, name: str) -> bool:
        said = self.evidence.callee_text
        if re.search(r"opt|do_not|dnc|unsub", name, re.IGNORECASE):
            return bool(_OPT_OUT.search(said))
        return bool(_YES.search(said)) and not _UNFRIENDLY.search(said)

    def _choice(self, name: str, choices: list[Any]) -> Any:
        said = self.evidence.callee_text.lower()
        named = [each for each in choices if isinstance(each, str)]
        if {"positive", "negative"} <= {each.lower() for each in named}:
            mood = "negative" if _UNFRIENDLY.search(said) else "positive" if _YES.search(said) else "neutral"
            return next((each for each in named if each.lower() == mood), named[0])
        spoken = (each for each in named if each.lower().replace("_", " ") in said)
        fallback = None if None in choices and not self._mentioned(name, {}) else next(iter(choices))
        return next(spoken, fallback)

    def _amount(self, schema: Mapping[str, Any], kind: str) -> int | float:
        found = _NUMBER.search(self.evidence.callee_text)
        amount = float(found.group()) if found else float(schema.get("minimum", 0))
        amount = min(max(amount, schema.get("minimum", amount)), schema.get("maximum", amount))
        return int(amount) if kind == "integer" else amount

    def _words(self, name: str, schema: Mapping[str, Any]) -> str:
        if _is_date(schema):
            found = _ISO_DATE.search(self.evidence.spoken)
            return found.group() if found else "2000-01-01"
        text = self._summary() if "summar" in name.lower() else self._quote(name, schema)
        return text[: int(schema.get("maxLength", len(text)))]

    def _summary(self) -> str:
        callee = self.evidence.callee
        last = callee[-1] if callee else "nothing"
        return f"The agent spoke {len(self.evidence.agent)} times, the callee {len(callee)} times; last: {last}"

    def _quote(self, name: str, schema: Mapping[str, Any]) -> str:
        wanted = _stems(_described(name, schema))
        matching = (line for line in self.evidence.callee if wanted & _stems(line))
        return next(matching, self.evidence.callee[-1] if self.evidence.callee else "")

    def _mentioned(self, name: str, schema: Mapping[str, Any]) -> bool:
        if _is_date(schema):
            return bool(_ISO_DATE.search(self.evidence.spoken))
        return bool(_stems(_described(name, schema)) & _stems(self.evidence.spoken))


def _is_date(schema: Mapping[str, Any]) -> bool:
    return schema.get("format") in {"date", "date-time"} or "ISO 8601" in schema.get("description", "")


def _described(name: str, schema: Mapping[str, Any]) -> str:
    return f"{name.replace('_', ' ')} {schema.get('description', '')}"


def _stems(text: str) -> set[str]:
    return {word[:_STEM_LETTERS] for word in _WORD.findall(text.lower()) if word not in _IDLE_WORDS}
