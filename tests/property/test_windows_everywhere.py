"""Openings against a clock on the wall, in every IANA zone, on every day of 2026 and 2027 on which clocks change."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.rules.windows import HORIZON, compile_windows, is_open, next_opening
from schema.policy import Schedule
from tests.property.strategies import ZONES, changes_of_clocks, moments, open_by_the_clock, schedules, zone_sets

MINUTE = timedelta(minutes=1)
NIGHT_SHIFTS = Schedule.model_validate(
    {
        "windows": [
            {"days": ["sat", "sun"], "start": "00:15", "end": "01:30"},
            {"days": ["sat", "sun"], "start": "01:45", "end": "02:30"},
            {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "02:40", "end": "03:05"},
            {"days": ["mon", "tue", "wed", "thu", "fri"], "start": "22:00", "end": "24:00"},
        ]
    }
)


@pytest.mark.parametrize("part", range(4))
def test_every_change_of_clocks_is_judged_as_the_wall_clock_shows_it(part: int) -> None:
    windows = compile_windows(NIGHT_SHIFTS)
    judged = 0
    for n, zone in enumerate(ZONES[part::4]):
        for change in changes_of_clocks(zone):
            for step in range(-6, 42):
                instant = change + timedelta(minutes=step * 10 + n % 2 * 5)
                expected = open_by_the_clock(NIGHT_SHIFTS, (zone,), instant)
                assert is_open(windows, (zone,), instant) is expected, (zone, instant)
                judged += 1
    assert judged > 8_000


@settings(max_examples=150, deadline=None)
@given(st.data(), schedules(), zone_sets)
def test_the_next_opening_is_the_first_open_instant(
    data: st.DataObject, schedule: Schedule, zones: tuple[str, ...]
) -> None:
    now = data.draw(moments(zones))
    windows = compile_windows(schedule)
    opening = next_opening(windows, zones, now)
    last = now + HORIZON if opening is None else opening
    for instant in _sample(now, last):
        assert not open_by_the_clock(schedule, zones, instant), instant
    if opening is not None:
        assert is_open(windows, zones, opening)
        assert open_by_the_clock(schedule, zones, opening)
        assert opening == now or opening.second == opening.microsecond == 0


@settings(max_examples=150, deadline=None)
@given(st.data(), schedules(), zone_sets, st.integers(0, 120))
def test_open_means_open_until_the_ringing_ends(
    data: st.DataObject, schedule: Schedule, zones: tuple[str, ...], ring_s: int
) -> None:
    windows = compile_windows(schedule)
    now = data.draw(moments(zones))
    opening = next_opening(windows, zones, now)
    for instant in (now, *(() if opening is None else _close_to(opening))):
        seconds = {0, ring_s, *range(60 - instant.second, ring_s, 60)}
        expected = all(open_by_the_clock(schedule, zones, instant + timedelta(seconds=s)) for s in seconds if s >= 0)
        assert is_open(windows, zones, instant, ring_s) is expected


@settings(max_examples=60, deadline=None)
@given(st.data(), schedules(), zone_sets, st.integers(1, 120))
def test_ringing_only_makes_an_opening_later(
    data: st.DataObject, schedule: Schedule, zones: tuple[str, ...], ring_s: int
) -> None:
    windows = compile_windows(schedule)
    now = data.draw(moments(zones))
    opening = next_opening(windows, zones, now, ring_s)
    silent = next_opening(windows, zones, now)
    if opening is not None:
        assert silent is not None
        assert silent <= opening
        assert is_open(windows, zones, opening, ring_s)


@settings(max_examples=60, deadline=None)
@given(st.data(), schedules(), zone_sets)
def test_more_places_never_open_more(data: st.DataObject, schedule: Schedule, zones: tuple[str, ...]) -> None:
    windows = compile_windows(schedule)
    now = data.draw(moments(zones))
    alone = [is_open(windows, (zone,), now) for zone in zones]
    assert is_open(windows, zones, now) is all(alone)
    assert is_open(windows, tuple(reversed(zones)), now) is all(alone)


def test_every_zone_of_the_database_is_known() -> None:
    windows = compile_windows(NIGHT_SHIFTS)
    now = datetime(2026, 7, 1, tzinfo=UTC)
    assert all(next_opening(windows, (zone,), now) is not None for zone in ZONES)


def _sample(start: datetime, end: datetime) -> list[datetime]:
    """Return instants before `end`: the edges, and a spread of minutes between, the same for the same span."""
    if end <= start:
        return []
    span_s = (end - start).total_seconds()
    seed = random.Random(start.timestamp())
    inside = [start + timedelta(seconds=seed.random() * span_s) for _ in range(60)]
    whole = [instant.replace(second=0, microsecond=0) for instant in inside]
    edges = [start, end - timedelta(microseconds=1), end - MINUTE, end - 30 * MINUTE]
    return [instant for instant in (*inside, *whole, *edges) if start <= instant < end]


def _close_to(opening: datetime) -> tuple[datetime, ...]:
    return (opening - timedelta(seconds=1), opening, opening + 15 * MINUTE - timedelta(seconds=30))
