"""Statements written out as SQL, with the closed sets of states filled in.

Partial indexes apply only where their condition stands in the statement itself, so states are words of the text and
never parameters; `$live`, `$waiting` and `$open` keep those words the ones `schema.states` lists.
"""

from collections.abc import Iterable
from enum import StrEnum
from string import Template

from sqlalchemy import TextClause, text

from schema.states import LIVE_PHASES, OPEN_ENROLMENTS, WAITING_ENROLMENTS


def words(states: Iterable[StrEnum]) -> str:
    """List states as SQL, in parentheses."""
    return "({})".format(", ".join(f"'{state.value}'" for state in states))


SETS = {"live": words(LIVE_PHASES), "waiting": words(WAITING_ENROLMENTS), "open": words(OPEN_ENROLMENTS)}


def sql(statement: str, **parts: str) -> TextClause:
    """Make a statement, filling `$live`, `$waiting`, `$open` and the given constant parts."""
    whole = Template(statement).safe_substitute(parts)
    return text(Template(whole).substitute(SETS))
