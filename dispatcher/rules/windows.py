"""When dialling is allowed: wall-time hours judged at every place a person may be in.

An instant is open when its wall time at each place lies in the hours, on a date that is not closed. So a skipped wall
time opens right after the gap, a repeated one at its first occurrence, and an hour that the clock shows twice is judged
twice by what it shows. Openings are computed once per day and place set, in UTC, and remembered; deciding on a
remembered day touches no time zone. Does not know leads, calls or why a rule exists.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache, reduce
from typing import TypeAlias

import pytz

from dispatcher.rules.wall import Weekly, weekly_of_windows
from schema.policy import Schedule, Window

HORIZON = timedelta(days=14)
"""Nothing that opens later counts as an opening."""

_SPAN = timedelta(days=2)
"""Openings are computed from a UTC midnight this far, so that one day's answer also covers the ring time after it."""

Opening: TypeAlias = tuple[datetime, datetime]
Openings: TypeAlias = tuple[Opening, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Hours that apply in one kind of place: a fixed zone, or every zone of the lead (`zone` None).

    `closed_dates` are local dates, as proleptic ordinals, on which nothing is open.
    """

    weekly: Weekly
    zone: str | None
    closed_dates: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """All layers that must be open at once. Equal content gives the same object, so identity serves as cache key."""

    layers: tuple[Layer, ...]


def compile_windows(schedule: Schedule) -> Windows:
    """Return the campaign's own windows and blackout dates, without legal hours."""
    zone = schedule.timezone if schedule.timezone_mode == "campaign" else None
    return _campaign_windows(schedule.windows, schedule.blackout_dates, zone)


@lru_cache(maxsize=4_096)
def narrowed(windows: Windows, hours: Layer) -> Windows:
    """Return the windows with one more layer that must be open too."""
    return Windows((*windows.layers, hours))


@lru_cache(maxsize=4_096)
def without_closed_dates(windows: Windows) -> Windows:
    """Return the windows as they would be if no date were closed."""
    return Windows(tuple(Layer(layer.weekly, layer.zone) for layer in windows.layers))


def is_open(windows: Windows, zones: tuple[str, ...], now: datetime, ring_s: int = 0) -> bool:
    """Say whether `now`, and every instant until `ring_s` seconds later, is open at all zones. No zones: closed."""
    at = _utc(now)
    for start, end in _openings(windows, zones, at.toordinal()):
        if at < start:
            return False
        if at < end:
            return not ring_s or at + timedelta(seconds=ring_s) < end
    return False


def next_opening(windows: Windows, zones: tuple[str, ...], now: datetime, ring_s: int = 0) -> datetime | None:
    """Return the first instant from `now` on, in UTC, at which `is_open` holds; None when there is none in 14 days."""
    return _next_opening(windows, zones, _utc(now), ring_s)


def on_closed_date(windows: Windows, zones: tuple[str, ...], now: datetime) -> bool:
    """Say whether the local date at any place that applies is closed."""
    at = _utc(now)
    return any(
        (at + utc_offset(zone, at)).toordinal() in layer.closed_dates
        for layer in windows.layers
        if layer.closed_dates
        for zone in _places(layer, zones)
    )


@lru_cache(maxsize=4_096)
def zones_known(zones: tuple[str, ...]) -> bool:
    """Say whether there is at least one zone and the tz database knows them all."""
    return bool(zones) and all(zone in pytz.all_timezones_set for zone in zones)


def utc_offset(zone: str, at: datetime) -> timedelta:
    """Return what a clock at a known zone is ahead of UTC at an instant."""
    utc = _utc(at)
    segments = _segments(zone, utc.toordinal())
    return next(offset for start, end, offset in segments if start <= utc < end)


def wall_clock(zone: str, at: datetime) -> datetime:
    """Return an instant as a clock at a known zone shows it: aware, with that moment's fixed offset."""
    return at.astimezone(timezone(utc_offset(zone, at)))


@lru_cache(maxsize=1_024)
def _campaign_windows(windows: tuple[Window, ...], closed: tuple[date, ...], zone: str | None) -> Windows:
    closed_dates = frozenset(day.toordinal() for day in closed)
    return Windows((Layer(weekly_of_windows(windows), zone, closed_dates),))


def _places(layer: Layer, zones: tuple[str, ...]) -> tuple[str, ...]:
    return zones if layer.zone is None else (layer.zone,)


@lru_cache(maxsize=8_192)
def _next_opening(windows: Windows, zones: tuple[str, ...], at: datetime, ring_s: int) -> datetime | None:
    ring = timedelta(seconds=ring_s)
    first_day = at.toordinal()
    for day in range(first_day, first_day + HORIZON.days + 1):
        for start, end in _openings(windows, zones, day):
            candidate = max(start, at)
            if candidate - at > HORIZON:
                return None
            if candidate + ring < end:
                return candidate
    return None


@lru_cache(maxsize=32_768)
def _openings(windows: Windows, zones: tuple[str, ...], day: int) -> Openings:
    """Return what is open at all zones in the two UTC days from `day` on; nothing when a zone is not known."""
    if not zones_known(zones):
        return ()
    parts = [_layer_openings(layer, zone, day) for layer in windows.layers for zone in _places(layer, zones)]
    return reduce(_intersection, parts)


@lru_cache(maxsize=32_768)
def _layer_openings(layer: Layer, zone: str, day: int) -> Openings:
    found = [
        opening for start, end, offset in _segments(zone, day) for opening in _wall_openings(layer, start, end, offset)
    ]
    return _merged(found)


def _wall_openings(layer: Layer, start: datetime, end: datetime, offset: timedelta) -> Iterable[Opening]:
    """Yield what a layer opens in a stretch of time during which the clock keeps one offset."""
    for ordinal in range((start + offset).toordinal(), (end + offset).toordinal() + 1):
        if ordinal in layer.closed_dates:
            continue
        midnight = _midnight(ordinal) - offset
        for first_minute, last_minute in layer.weekly[(ordinal + 6) % 7]:
            opens = max(midnight + timedelta(minutes=first_minute), start)
            closes = min(midnight + timedelta(minutes=last_minute), end)
            if opens < closes:
                yield opens, closes


@lru_cache(maxsize=16_384)
def _segments(zone: str, day: int) -> tuple[tuple[datetime, datetime, timedelta], ...]:
    """Return the stretches of one UTC offset in the two days from a UTC midnight on: (start, end, offset)."""
    clock = pytz.timezone(zone)
    start = _midnight(day)
    end = start + _SPAN
    segments = []
    here, offset = start, _offset(clock, start)
    probe = start
    while probe < end:
        probe += timedelta(hours=1)
        after = _offset(clock, probe)
        if after != offset:
            change = _change(clock, probe - timedelta(hours=1), probe, offset)
            segments.append((here, change, offset))
            here, offset = change, after
    return (*segments, (here, end, offset)) if here < end else tuple(segments)


def _change(clock: pytz.BaseTzInfo, before: datetime, after: datetime, offset: timedelta) -> datetime:
    """Return the first whole second at which the clock no longer has the offset it has at `before`."""
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if _offset(clock, middle) == offset:
            before = middle
        else:
            after = middle
    return after


def _offset(clock: pytz.BaseTzInfo, at: datetime) -> timedelta:
    return at.astimezone(clock).utcoffset() or timedelta(0)


def _midnight(ordinal: int) -> datetime:
    return datetime.combine(date.fromordinal(ordinal), time(), UTC)


def _utc(at: datetime) -> datetime:
    return at if at.tzinfo is UTC else at.astimezone(UTC)


def _merged(found: list[Opening]) -> Openings:
    merged: list[Opening] = []
    for start, end in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _intersection(one: Openings, other: Openings) -> Openings:
    found = [(max(a, c), min(b, d)) for a, b in one for c, d in other if max(a, c) < min(b, d)]
    return _merged(found)
