"""Hours in which the law of a place allows unasked calls, as data: one row per country or region.

Wall time at the called person's place; half-open. Where a law treats synthetic voices more strictly than people, the
row has the stricter hours. Laws that also forbid public holidays say so in `holidays`; those dates go into
`schedule.blackout_dates`. No legal advice: `checked` tells how far each row was verified on the day of its review.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from dispatcher.rules.wall import Weekly, minutes_of, weekly

TABLE_VERSION = "2026-11-21"
"""Changes with every change of a row; recorded with decisions."""


class Checked(StrEnum):
    """text: the wording of the law was read. survey: taken from published surveys of the laws, the citation unread."""

    TEXT = "text"
    SURVEY = "survey"


@dataclass(frozen=True, slots=True, eq=False)
class LegalRow:
    """One rule: where it holds (`region` None: the whole country), when calls are allowed, its source and review."""

    country: str
    region: str | None
    hours: Weekly
    citation: str
    checked: Checked
    reviewed_on: date
    holidays: bool = False


def _spans(text: str) -> tuple[tuple[int, int], ...]:
    pairs = (span.split("-") for span in text.split())
    return tuple((minutes_of(start), minutes_of(end)) for start, end in pairs)


def _hours(work_days: str, saturday: str | None = None, sunday: str | None = None) -> Weekly:
    """Read "HH:MM-HH:MM" texts, several a day separated by spaces; "" is closed, None is as the day before."""
    work = _spans(work_days)
    sat = work if saturday is None else _spans(saturday)
    sun = sat if sunday is None else _spans(sunday)
    return weekly({"mon": work, "tue": work, "wed": work, "thu": work, "fri": work, "sat": sat, "sun": sun})


_REVIEWED = date(2026, 11, 21)
_TEXT, _SURVEY = Checked.TEXT, Checked.SURVEY

_8_TO_20 = _hours("08:00-20:00")
_8_TO_21 = _hours("08:00-21:00")
_9_TO_20 = _hours("09:00-20:00")
_9_TO_21 = _hours("09:00-21:00")
_8_TO_20_NO_SUNDAY = _hours("08:00-20:00", sunday="")

DEFAULT_HOURS = _8_TO_21
"""For countries without a row."""

LEGAL_ROWS: tuple[LegalRow, ...] = (
    LegalRow("US", None, _8_TO_21, "47 CFR 64.1200(c)(1); 16 CFR 310.4(c)", _SURVEY, _REVIEWED),
    LegalRow("US", "AL", _8_TO_20_NO_SUNDAY, "Ala. Code 8-19A-14", _SURVEY, _REVIEWED, holidays=True),
    LegalRow("US", "CT", _9_TO_20, "Conn. Gen. Stat. 42-288a", _SURVEY, _REVIEWED),
    LegalRow("US", "FL", _8_TO_20, "Fla. Stat. 501.616(6)(a)", _SURVEY, _REVIEWED),
    LegalRow("US", "KY", _hours("10:00-21:00"), "Ky. Rev. Stat. 367.46955", _SURVEY, _REVIEWED),
    LegalRow(
        "US",
        "LA",
        _8_TO_20_NO_SUNDAY,
        "La. PSC Gen. Order R-29617 (V)(A)(2); La. R.S. 45:811",
        _SURVEY,
        _REVIEWED,
        True,
    ),
    LegalRow("US", "MA", _8_TO_20, "Mass. Gen. Laws ch. 159C", _SURVEY, _REVIEWED),
    LegalRow("US", "MD", _8_TO_20, "Md. Code Com. Law 14-4502", _SURVEY, _REVIEWED),
    LegalRow("US", "ME", _hours("09:00-17:00", ""), "Me. Rev. Stat. tit. 10, 1498(3)", _TEXT, _REVIEWED),
    LegalRow("US", "MI", _9_TO_21, "Mich. Comp. Laws 484.125", _SURVEY, _REVIEWED),
    LegalRow("US", "MN", _9_TO_21, "Minn. Stat. 325E.30", _SURVEY, _REVIEWED),
    LegalRow("US", "MS", _8_TO_20_NO_SUNDAY, "Miss. Code 77-3-723", _TEXT, _REVIEWED, holidays=True),
    LegalRow("US", "NM", _9_TO_21, "N.M. Stat. 57-12-22", _SURVEY, _REVIEWED),
    LegalRow("US", "NV", _9_TO_20, "Nev. Rev. Stat. 598.0918", _SURVEY, _REVIEWED),
    LegalRow("US", "OK", _8_TO_20, "Okla. Stat. tit. 15, 775C.4", _SURVEY, _REVIEWED),
    LegalRow(
        "US",
        "RI",
        _hours("09:00-18:00", "10:00-17:00", ""),
        "R.I. Gen. Laws 5-61-2(9), 5-61-3.6",
        _SURVEY,
        _REVIEWED,
        holidays=True,
    ),
    LegalRow("US", "SD", _hours("09:00-21:00", ""), "S.D. Codified Laws 37-30-28", _TEXT, _REVIEWED),
    LegalRow(
        "US",
        "TX",
        _hours("09:00-21:00", sunday="12:00-21:00"),
        "Tex. Bus. & Com. Code 301.051",
        _SURVEY,
        _REVIEWED,
    ),
    LegalRow("US", "UT", _hours("08:00-21:00", sunday=""), "Utah Code 13-25a-103(3)", _TEXT, _REVIEWED, holidays=True),
    LegalRow("US", "WA", _8_TO_20, "Wash. Rev. Code 19.158.040(2)", _TEXT, _REVIEWED),
    LegalRow(
        "AU",
        None,
        _hours("09:00-20:00", "09:00-17:00", ""),
        "Telecommunications (Telemarketing and Research Calls) Industry Standard 2017",
        _SURVEY,
        _REVIEWED,
        holidays=True,
    ),
    LegalRow(
        "CA",
        None,
        _hours("09:00-21:30", "10:00-18:00"),
        "CRTC Unsolicited Telecommunications Rules, Part III, 23",
        _SURVEY,
        _REVIEWED,
    ),
    LegalRow(
        "ES",
        None,
        _hours("09:00-21:00", ""),
        "Real Decreto Legislativo 1/2007, art. 96.2",
        _SURVEY,
        _REVIEWED,
        holidays=True,
    ),
    LegalRow(
        "FR",
        None,
        _hours("10:00-13:00 14:00-20:00", ""),
        "Code de la consommation, art. D223-9",
        _TEXT,
        _REVIEWED,
        holidays=True,
    ),
)
