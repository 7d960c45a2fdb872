"""How a Procfile is read, and how one of its commands becomes a program to execute.

Commands are executed directly, without a shell, so that a signal to the started pid reaches the program itself.
Quotes and variables mean what they mean to a shell, except that a variable's value stays one word; pipes, redirections,
`&&` and the like are refused. Knows nothing of when or how often a command runs.
"""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deploy.embedded.errors import ProcfileError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RELEASE = "release"

_LINE = re.compile(r"^([A-Za-z0-9_-]+):\s*(\S.*)$")
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::-([^}]*))?\})")
_PIECE = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^'"\\]+|.""", re.DOTALL)
_LITERAL_DOLLAR = "\0"
_ASSIGNMENT = re.compile(r"^([A-Za-z_]\w*)=(.*)$", re.DOTALL)
_SHELL_OPERATORS = frozenset("();<>|&")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a Procfile."""

    name: str
    command: str
    line: int


@dataclass(frozen=True, slots=True)
class Invocation:
    """A command ready to execute: arguments, and the whole environment with the command's own assignments."""

    argv: tuple[str, ...]
    environ: dict[str, str]


def read_procfile(path: Path) -> tuple[Entry, ...]:
    """Return the entries of a Procfile in their order.

    Raises:
        ProcfileError: the file is unreadable, a line is not `name: command`, or a name stands twice.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ProcfileError(f"{path}: {error.strerror}") from error
    entries: dict[str, Entry] = {}
    for number, text in enumerate(lines, start=1):
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        match = _LINE.match(text.strip())
        if match is None:
            raise ProcfileError(f"{path}:{number}: expected `name: command`")
        name, command = match.groups()
        if name in entries:
            raise ProcfileError(f"{path}:{number}: {name} already stands on line {entries[name].line}")
        entries[name] = Entry(name, command, number)
    return tuple(entries.values())


def invocation_of(entry: Entry, environ: Mapping[str, str]) -> Invocation:
    """Resolve one command against `environ`: quotes, $NAME, ${NAME}, ${NAME:-default}, leading NAME=value.

    Raises:
        ProcfileError: a quote is open, a shell operator stands in the command, a variable is not set, or the program
            is not found on PATH.
    """
    resolved = dict(environ)
    words = _words(entry)
    while words and (assignment := _ASSIGNMENT.match(words[0])):
        resolved[assignment[1]] = _expanded(assignment[2], resolved, entry)
        words.pop(0)
    if words and words[0] == "exec":
        words.pop(0)
    argv = tuple(_expanded(word, resolved, entry) for word in words)
    if not argv:
        raise _wrong(entry, "no program to run")
    if shutil.which(argv[0], path=resolved.get("PATH")) is None:
        raise _wrong(entry, f"program {argv[0]!r} is not found on PATH")
    return Invocation(argv, resolved)


def _with_literal_dollars(command: str) -> str:
    """Mark every dollar sign that single quotes or a backslash protect, since cutting removes both."""

    def mark(piece: re.Match[str]) -> str:
        protected = "$" if piece[0].startswith("'") else "\\$"
        return piece[0].replace(protected, _LITERAL_DOLLAR)

    return _PIECE.sub(mark, command)


def _words(entry: Entry) -> list[str]:
    lexer = shlex.shlex(_with_literal_dollars(entry.command), posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError as error:
        raise _wrong(entry, str(error).lower()) from error
    operator = next((word for word in words if word and _SHELL_OPERATORS.issuperset(word)), None)
    if operator is not None:
        raise _wrong(entry, f"{operator!r} needs a shell: quote it, or put the steps into a script")
    return words


def _expanded(word: str, environ: Mapping[str, str], entry: Entry) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        default: str | None = match[3]
        if default is not None:
            return environ.get(name) or default
        if name not in environ:
            raise _wrong(entry, f"variable {name} is not set")
        return environ[name]

    return _VARIABLE.sub(value, word).replace(_LITERAL_DOLLAR, "$")


def _wrong(entry: Entry, what: str) -> ProcfileError:
    return ProcfileError(f"Procfile line {entry.line}, {entry.name}: {what}")
