"""The simulated language model: given instructions, history and tools, what does it say or call next? Pure and exact.

A short script of rules, the same behind the realtime and the chat interface. Instructions may force a reply in tests:
`SIM-REPLY[2]: exact words` and `SIM-TOOL[2]: end_call {"reason": "done"}`, each on a line of its own; the number is the
agent's turn, counted from 1.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

from deploy.simulator.json_answers import Evidence, fill

END_CALL: Final = "end_call"
OPENING: Final = "hello, this is the assistant calling. how are you today?"
QUESTIONS: Final = (
    "thank you. can you confirm your appointment for tomorrow?",
    "great. does the morning suit you?",
    "perfect. is there anything else i can do for you?",
)
CLOSING: Final = "that was all i needed. have a nice day, goodbye."
FAREWELL: Final = "thank you for your time. goodbye."
STILL_THERE: Final = "hello, are you still there?"


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of the history; a `call` has the tool's name, a `tool` line is its result."""

    role: Literal["user", "assistant", "call", "tool"]
    text: str


@dataclass(frozen=True, slots=True)
class ToolOffer:
    """A tool the model may call, with its JSON Schema."""

    name: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Prompt:
    """Everything a reply depends on; `extra` holds for this reply only."""

    instructions: str
    extra: str
    lines: tuple[Line, ...]
    tools: tuple[ToolOffer, ...]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool the model calls; `arguments` is JSON text."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model answers: words, then tool calls; either may be missing."""

    text: str
    calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True)
class _Rule:
    """What the callee said, what is answered, and which tool does it; without the tool the call simply ends."""

    said: re.Pattern[str]
    answer: str
    tool: str


_RULES: Final = (
    _Rule(
        re.compile(r"(do not|don't|never|stop) (ever )?call|remove (me|my number)|take me off"),
        "i am sorry for the trouble. we will not call you again.",
        "mark_do_not_call",
    ),
    _Rule(
        re.compile(r"(speak|talk) (to|with) a (human|person|manager|colleague)|connect me"),
        "one moment, i will connect you.",
        "transfer_call",
    ),
    _Rule(
        re.compile(r"call (me )?(back|later|again|tomorrow)|another time|i am busy"),
        "of course, we will call you another time.",
        "schedule_callback",
    ),
    _Rule(
        re.compile(r"leave (a|your) message|after the (tone|beep)|voicemail"),
        "hello, please call us back when you have a moment. goodbye.",
        "leave_voicemail",
    ),
    _Rule(re.compile(r"not interested|\b(good)?bye\b|\bthank(s| you)\b(?! for)|hang up"), FAREWELL, END_CALL),
)
_ONCE: Final = (
    (re.compile(r"still there|been silent"), STILL_THERE),
    (re.compile(r"goodbye|end the call|is over"), "i have to end the call now. goodbye."),
    (re.compile(r"leave .*message|voicemail"), "hello, please call us back when you have a moment. goodbye."),
    (re.compile(r"filler|acknowledg|one moment"), "one moment, please."),
)
_EXACTLY: Final = re.compile(r"exactly|word for word|verbatim", re.IGNORECASE)
_QUOTED: Final = re.compile(r"[\"\u201c](.+)[\"\u201d]", re.DOTALL)
_OPENS_WITH: Final = re.compile(r"open the call with exactly this sentence: (.+)")
_FORCED_REPLY: Final = re.compile(r"SIM-REPLY\[(\d+)\]: *(.+)")
_FORCED_TOOL: Final = re.compile(r"SIM-TOOL\[(\d+)\]: *([\w.-]+) *(\{.*\})?")
_AFTER_TOOL: Final = {
    "mark_do_not_call": "you will not be called again. goodbye.",
    "schedule_callback": "it is noted. goodbye.",
    "leave_voicemail": "",
    "transfer_call": "",
}


def reply(prompt: Prompt) -> Reply:
    """Return what the model answers."""
    turn = turn_number(prompt.lines)
    forced = _forced(f"{prompt.instructions}\n{prompt.extra}", turn)
    if forced is not None:
        return forced
    once = _once(prompt.extra)
    if once is not None:
        return Reply(once)
    if prompt.lines and prompt.lines[-1].role == "tool":
        return _after_tools(prompt)
    said = _said(prompt.lines)
    return _answer(prompt, said, turn)


def turn_number(lines: tuple[Line, ...]) -> int:
    """Return the number of the agent's next turn; words and the calls right after them are one turn."""
    turns, inside = 0, False
    for line in lines:
        turns += line.role == "assistant" or (line.role == "call" and not inside)
        inside = line.role in {"assistant", "call"}
    return turns + 1


def _forced(text: str, turn: int) -> Reply | None:
    words = next((found[2].strip() for found in _FORCED_REPLY.finditer(text) if int(found[1]) == turn), None)
    calls = tuple(
        ToolCall(found[2], found[3] or "{}") for found in _FORCED_TOOL.finditer(text) if int(found[1]) == turn
    )
    return None if words is None and not calls else Reply(words or "", calls)


def _once(extra: str) -> str | None:
    """Return what an instruction for this reply alone asks for, if it is a known one."""
    if _EXACTLY.search(extra):
        quoted = _QUOTED.search(extra)
        if quoted:
            return quoted.group(1).strip()
        _, blank, rest = extra.partition("\n\n")
        return (rest if blank else extra.partition(":")[2]).strip()
    lowered = extra.lower()
    return next((answer for wanted, answer in _ONCE if wanted.search(lowered)), None)


def _said(lines: tuple[Line, ...]) -> str:
    """Return what the callee said since the agent's last turn."""
    words: list[str] = []
    for line in reversed(lines):
        if line.role != "user":
            break
        words.insert(0, line.text)
    return " ".join(words).strip().lower()


def _answer(prompt: Prompt, said: str, turn: int) -> Reply:
    for rule in _RULES:
        if rule.said.search(said):
            tool = rule.tool if _offered(prompt, rule.tool) else END_CALL
            return Reply(rule.answer, _calls(prompt, tool))
    if turn == 1:
        opens_with = _OPENS_WITH.search(prompt.instructions)
        return Reply(opens_with.group(1).strip() if opens_with else OPENING)
    if not said:
        return Reply(STILL_THERE)
    asked = max(0, turn - 2)
    if asked < len(QUESTIONS):
        return Reply(QUESTIONS[asked])
    return Reply(CLOSING, _calls(prompt, END_CALL))


def _after_tools(prompt: Prompt) -> Reply:
    called = {line.text for line in prompt.lines if line.role == "call"}
    if END_CALL in called:
        return Reply("goodbye." if "goodbye" in prompt.lines[-1].text.lower() else "")
    last = next(line.text for line in reversed(prompt.lines) if line.role == "call")
    if last in _AFTER_TOOL:
        return Reply(_AFTER_TOOL[last], _calls(prompt, END_CALL))
    return Reply("thank you for waiting, it is done. is there anything else i can do for you?")


def _offered(prompt: Prompt, name: str) -> ToolOffer | None:
    return next((tool for tool in prompt.tools if tool.name == name), None)


def _calls(prompt: Prompt, name: str) -> tuple[ToolCall, ...]:
    tool = _offered(prompt, name)
    if tool is None:
        return ()
    text = " ".join(line.text for line in prompt.lines if line.role == "user")
    return (ToolCall(name, orjson.dumps(fill(tool.parameters, Evidence.of(text))).decode()),)
