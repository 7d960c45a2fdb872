"""Numbers of the simulated people: every call of a run dials a number of its own, which its person answers.

Who answers is told by a number's last four digits, as written in `tests/people.yaml`.
"""

import itertools

import yaml

from tests.installation import PEOPLE

AREAS = (415, 212, 312, 303, 617)
_EXCHANGES = itertools.product(AREAS, range(200, 1000))
_PEOPLE = yaml.safe_load(PEOPLE.read_text(encoding="utf-8"))
_DIGITS: dict[str, str] = {who: suffix.removeprefix("*") for suffix, who in _PEOPLE["numbers"].items()}


def new_number(who: str) -> str:
    """Return a number nobody has called yet, answered by this person."""
    area, exchange = next(_EXCHANGES)
    return f"+1{area}{exchange}{_DIGITS[who]}"
