"""A campaign's rules as the account writes them: when, how often, how fast, on which minutes.

A policy body is immutable once saved; editing a campaign writes a new version. What the rules mean is computed in
`dispatcher.rules`. Times of day are wall time at the lead's place.
"""

import itertools
import re
from datetime import date
from typing import Annotated, Literal, Self

import pytz
from pydantic import AfterValidator, Field, model_validator

from schema.call_config import CallConfig
from schema.events import EventType
from schema.wire import E164, Fields, HttpUrl, Instant, Wire

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
RetryCause = Literal["busy", "no_answer", "failed", "voicemail"]
MAX_WINDOWS_PER_DAY = 4

_TIME = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")


def known_zone(name: str) -> str:
    """Accept an IANA zone name.

    Raises:
        ValueError: the tz database does not know it.
    """
    if name not in pytz.all_timezones_set:
        raise ValueError(f"{name!r} is not an IANA time zone; use a name such as America/New_York")
    return name


def wall_time(text: str) -> str:
    """Accept a wall time "HH:MM" from 00:00 to 24:00.

    Raises:
        ValueError: the text is not such a time.
    """
    if not _TIME.match(text):
        raise ValueError(f"{text!r} is not a time of day; use HH:MM from 00:00 to 24:00")
    return text


Zone = Annotated[str, AfterValidator(known_zone)]
WallTime = Annotated[str, AfterValidator(wall_time)]


class Window(Wire):
    """A half-open span of wall time on some weekdays: `start` is inside, `end` is not."""

    days: tuple[Weekday, ...] = Field(min_length=1)
    start: WallTime
    end: WallTime

    @model_validator(mode="after")
    def _opens(self) -> Self:
        if self.end <= self.start:
            raise ValueError(
                f"end: {self.end} is not after {self.start}, so the window never opens; "
                "split a window that crosses midnight in two"
            )
        return self


def _default_windows() -> tuple[Window, ...]:
    return (Window(days=("mon", "tue", "wed", "thu", "fri"), start="09:00", end="20:00"),)


class Schedule(Wire):
    """When a campaign may dial."""

    start_at: Instant | None = None
    end_at: Instant | None = None
    timezone: Zone = "UTC"
    timezone_mode: Literal["lead", "campaign"] = "lead"
    windows: tuple[Window, ...] = Field(default_factory=_default_windows, min_length=1, max_length=28)
    blackout_dates: tuple[date, ...] = Field(default=(), max_length=366)
    unknown_timezone: Literal["campaign", "skip"] = "campaign"
    respect_legal_hours: bool = True

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.start_at and self.end_at and self.end_at <= self.start_at:
            raise ValueError("end_at: must be after start_at")
        return self

    @model_validator(mode="after")
    def _windows_do_not_overlap(self) -> Self:
        for day in WEEKDAYS:
            spans = sorted((w.start, w.end) for w in self.windows if day in w.days)
            if len(spans) > MAX_WINDOWS_PER_DAY:
                raise ValueError(f"windows: {day} has {len(spans)} windows; at most {MAX_WINDOWS_PER_DAY} are allowed")
            for (_, end), (start, _) in itertools.pairwise(spans):
                if start < end:
                    raise ValueError(f"windows: two windows of {day} overlap at {start}; merge them")
        return self


class Pacing(Wire):
    """How fast. `weight` is the campaign's share among the account's running campaigns."""

    max_concurrent_calls: int = Field(default=5, ge=1, le=10_000)
    calls_per_minute: int = Field(default=30, ge=1, le=100_000)
    max_calls_per_day: int | None = Field(default=None, ge=1)
    weight: int = Field(default=1, ge=1, le=100)


class OutcomeRetry(Wire):
    """Another pace for one cause. Its `max` counts inside the one total budget, never beside it."""

    delays_minutes: tuple[int, ...] | None = Field(default=None, min_length=1, max_length=20)
    max: int | None = Field(default=None, ge=0, le=10)


class Retry(Wire):
    """The retry plan: one total budget, delays in minutes of which the last repeats."""

    max_attempts: int = Field(default=3, ge=1, le=10)
    delays_minutes: tuple[Annotated[int, Field(ge=1, le=10_080)], ...] = Field(
        default=(30, 120), min_length=1, max_length=20
    )
    retry_on: tuple[RetryCause, ...] = ("busy", "no_answer", "failed")
    retry_on_voicemail: bool = False
    per_outcome: dict[RetryCause, OutcomeRetry] = Field(default_factory=dict)
    jitter_pct: int = Field(default=10, ge=0, le=50)
    avoid_same_daypart_hours: int = Field(default=0, ge=0, le=6)


class ContactLimits(Wire):
    """Limits per phone number, counted over every campaign of the account."""

    max_attempts_per_24h: int = Field(default=3, ge=1, le=10)
    min_gap_minutes: int = Field(default=10, ge=1, le=10_080)


class QuotaLimits(Wire):
    """The campaign's own budget in minutes; None means the account's balance alone decides."""

    max_minutes: int | None = Field(default=None, ge=1)


class PolicyBody(Wire):
    """One immutable version of a campaign's rules and of its calls' configuration."""

    call_config: CallConfig
    from_numbers: tuple[E164, ...] = Field(default=(), max_length=1_000)
    from_strategy: Literal["fixed", "round_robin"] = "fixed"
    schedule: Schedule = Field(default_factory=Schedule)
    pacing: Pacing = Field(default_factory=Pacing)
    retry: Retry = Field(default_factory=Retry)
    contact_limits: ContactLimits = Field(default_factory=ContactLimits)
    quota: QuotaLimits = Field(default_factory=QuotaLimits)
    webhook_url: HttpUrl | None = None
    webhook_events: tuple[EventType, ...] | None = None
    metadata: Fields = Field(default_factory=dict)

    @model_validator(mode="after")
    def _says_what_to_do(self) -> Self:
        if self.call_config.task is None and self.call_config.instructions is None:
            raise ValueError("call_config.task: give task or instructions; the agent needs to know what to say")
        return self
