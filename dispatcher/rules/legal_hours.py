"""Hours in which the law of a place allows unasked calls, as data: one row per country or region.

Wall time at the called person's place. Reviewed means compared with the source on that day; this is no legal advice.
Days on which a law forbids calls because they are public holidays are not here: list them in schedule.blackout_dates.
"""

from dataclasses import dataclass
from datetime import date

from dispatcher.rules.wall import Weekly, minutes_of, weekly

TABLE_VERSION = "2026-01"


@dataclass(frozen=True, slots=True, eq=False)
class LegalRow:
    """One rule: where it holds (`region` None: the whole country), when calls are allowed, its source and review."""

    country: str
    region: str | None
    hours: Weekly
    citation: str
    reviewed_on: date


def _hours(work_days: str, saturday: str | None = None, sunday: str | None = None) -> Weekly:
    """Read "HH:MM-HH:MM" texts; spans of a day are separated by spaces, "" means closed, None means as on work days."""
    work = _spans(work_days)
    sat = work if saturday is None else _spans(saturday)
    sun = sat if sunday is None else _spans(sunday)
    return weekly({"mon": work, "tue": work, "wed": work, "thu": work, "fri": work, "sat": sat, "sun": sun})


def _spans(text: str) -> tuple[tuple[int, int], ...]:
    pairs = (span.split("-") for span in text.split())
    return tuple((minutes_of(start), minutes_of(end)) for start, end in pairs)


_REVIEWED = date(2026, 1, 15)

DEFAULT_HOURS = _hours("08:00-21:00")
"""For countries without a row."""

LEGAL_ROWS: tuple[LegalRow, ...] = (
    LegalRow("US", None, _hours("08:00-21:00"), "47 CFR 64.1200(c)(1); 16 CFR 310.4(c)", _REVIEWED),
    LegalRow("US", "FL", _hours("08:00-20:00"), "Fla. Stat. 501.616(6)(a)", _REVIEWED),
)
