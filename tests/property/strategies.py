"""What the property tests draw: zones, changes of clocks, schedules, outcomes."""

import itertools
from datetime import UTC, date, datetime, timedelta
from functools import cache

import pytz
from hypothesis import strategies as st

from schema.outcomes import Outcome
from schema.policy import WEEKDAYS, Schedule, Weekday

FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)
LAST_DAY = datetime(2027, 12, 31, tzinfo=UTC)
ZONES = tuple(pytz.all_timezones)


@cache
def changes_of_clocks(zone: str) -> tuple[datetime, ...]:
    """Return instants of 2026 and 2027 at most six hours before a zone's offset changes, read off a clock."""
    clock = pytz.timezone(zone)
    days = [FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days)]
    return tuple(
        here
        for day in days
        if _differs(clock, day, timedelta(days=1))
        for here in (day + timedelta(hours=hours) for hours in range(0, 24, 6))
        if _differs(clock, here, timedelta(hours=6))
    )


def _differs(clock: pytz.BaseTzInfo, here: datetime, step: timedelta) -> bool:
    return here.astimezone(clock).utcoffset() != (here + step).astimezone(clock).utcoffset()


def wall_times(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


@st.composite
def windows(draw: st.DrawFn) -> list[dict[str, object]]:
    """Draw windows of a week that do not overlap, some of them touching, some ending at 24:00."""
    found: list[dict[str, object]] = []
    weeks: list[list[tuple[Weekday, ...]]] = [[WEEKDAYS], [WEEKDAYS[:5], WEEKDAYS[5:]], [(day,) for day in WEEKDAYS]]
    for days in draw(st.sampled_from(weeks)):
        edges = draw(
            st.lists(st.integers(0, 96).map(lambda q: q * 15), min_size=2, max_size=5, unique=True).map(sorted)
        )
        keep = draw(st.integers(1, 15))
        spans = [span for n, span in enumerate(itertools.pairwise(edges)) if keep >> n & 1]
        found += [{"days": days, "start": wall_times(a), "end": wall_times(b)} for a, b in spans]
    return found or [{"days": WEEKDAYS, "start": "09:00", "end": "24:00"}]


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    """Draw a campaign's hours, without the law."""
    days = st.dates(date(2026, 1, 1), date(2027, 12, 31))
    return Schedule.model_validate(
        {
            "windows": draw(windows()),
            "blackout_dates": draw(st.lists(days, max_size=4)),
            "timezone": draw(st.sampled_from(ZONES)),
            "timezone_mode": draw(st.sampled_from(["lead", "lead", "campaign"])),
            "respect_legal_hours": False,
        }
    )


@st.composite
def moments(draw: st.DrawFn, zones: tuple[str, ...]) -> datetime:
    """Draw an instant of 2026 or 2027, often close to a change of clocks at one of the zones."""
    changes = [change for zone in zones for change in changes_of_clocks(zone)]
    if not changes or draw(st.integers(0, 2)) == 0:
        return FIRST_DAY + timedelta(seconds=draw(st.integers(0, int((LAST_DAY - FIRST_DAY).total_seconds()))))
    near: datetime = draw(st.sampled_from(changes))
    return near + timedelta(seconds=draw(st.integers(-48 * 3600, 24 * 3600)))


zone_sets = st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True).map(tuple)
outcomes = st.sampled_from(list(Outcome))


def open_by_the_clock(schedule: Schedule, zones: tuple[str, ...], instant: datetime) -> bool:
    """Say whether every wall clock that counts shows a time inside a window, on a day that is not blacked out.

    Knows nothing of openings, offsets or gaps: it reads one clock at one instant.
    """
    places = zones if schedule.timezone_mode == "lead" else (schedule.timezone,)
    clocks = [instant.astimezone(pytz.timezone(zone)) for zone in places]
    return all(
        clock.date() not in schedule.blackout_dates
        and any(
            WEEKDAYS[clock.weekday()] in window.days and window.start <= f"{clock:%H:%M}" < window.end
            for window in schedule.windows
        )
        for clock in clocks
    )
