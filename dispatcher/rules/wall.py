"""Hours of the week as wall time: spans of minutes per weekday, their reading and their intersection.

Half-open: a span's start is inside, its end is not; 24:00 is minute 1440. Knows no zone, no date and no instant.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from schema.policy import WEEKDAYS, Weekday, Window

DAY_MINUTES = 24 * 60

Spans: TypeAlias = tuple[tuple[int, int], ...]
Weekly: TypeAlias = tuple[Spans, Spans, Spans, Spans, Spans, Spans, Spans]


def minutes_of(wall_time: str) -> int:
    """Return the minute of the day of "HH:MM"; "24:00" is 1440."""
    hours, minutes = wall_time.split(":")
    return int(hours) * 60 + int(minutes)


def weekly_of_windows(windows: Iterable[Window]) -> Weekly:
    """Return a campaign's windows per weekday, sorted, touching ones joined."""
    spans: dict[Weekday, list[tuple[int, int]]] = {day: [] for day in WEEKDAYS}
    for window in windows:
        for day in window.days:
            spans[day].append((minutes_of(window.start), minutes_of(window.end)))
    return weekly({day: tuple(found) for day, found in spans.items()})


def weekly(spans: Mapping[Weekday, Iterable[tuple[int, int]]]) -> Weekly:
    """Return spans per weekday in the week's order; a day not named has none."""
    mon, tue, wed, thu, fri, sat, sun = (_joined(spans.get(day, ())) for day in WEEKDAYS)
    return (mon, tue, wed, thu, fri, sat, sun)


def common(one: Weekly, other: Weekly) -> Weekly:
    """Return the hours inside both."""
    mon, tue, wed, thu, fri, sat, sun = (_common(a, b) for a, b in zip(one, other, strict=True))
    return (mon, tue, wed, thu, fri, sat, sun)


def _joined(spans: Iterable[tuple[int, int]]) -> Spans:
    """Sort spans and join those that touch; empty and reversed ones vanish."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif start < end:
            joined.append((start, end))
    return tuple(joined)


def _common(one: Spans, other: Spans) -> Spans:
    return _joined((max(a, c), min(b, d)) for a, b in one for c, d in other)
