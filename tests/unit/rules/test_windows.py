"""Opening hours as a clock on the wall shows them, also on the days on which clocks are put forward or back."""

from datetime import timedelta, timezone

import pytest

from dispatcher.rules.windows import compile_windows, is_open, next_opening, wall_clock, zones_known
from tests.unit.rules.builders import ALWAYS, NEW_YORK, a_schedule, a_window, at

NINE_TO_FIVE = compile_windows(a_schedule(a_window("09:00", "17:00", "mon", "tue", "wed", "thu", "fri")))
ALWAYS_OPEN = compile_windows(a_schedule(ALWAYS))


def test_the_start_is_inside_and_the_end_is_not() -> None:
    assert not is_open(NINE_TO_FIVE, (NEW_YORK,), at("2026-05-05 12:59:59.999999"))
    assert is_open(NINE_TO_FIVE, (NEW_YORK,), at("2026-05-05 13:00"))
    assert is_open(NINE_TO_FIVE, (NEW_YORK,), at("2026-05-05 20:59:59.999999"))
    assert not is_open(NINE_TO_FIVE, (NEW_YORK,), at("2026-05-05 21:00"))


def test_ringing_must_end_before_the_window_does() -> None:
    assert is_open(NINE_TO_FIVE, (NEW_YORK,), at("2026-05-05 20:59:29"), ring_s=30)
    assert not is_open(NINE_TO_FIVE, (NEW_YORK,), at("2026-05-05 20:59:30"), ring_s=30)


def test_a_window_too_short_to_ring_is_no_opening() -> None:
    windows = compile_windows(a_schedule(a_window("09:00", "09:01", "tue"), a_window("15:00", "16:00", "tue")))
    assert next_opening(windows, ("UTC",), at("2026-05-05 08:00"), ring_s=60) == at("2026-05-05 15:00")


def test_twenty_four_hundred_joins_the_next_day() -> None:
    assert is_open(ALWAYS_OPEN, (NEW_YORK,), at("2026-05-06 03:59:50"), ring_s=60)
    windows = compile_windows(a_schedule(a_window("22:00", "24:00", "mon"), a_window("00:00", "02:00", "tue")))
    assert is_open(windows, ("UTC",), at("2026-05-04 23:59:50"), ring_s=60)
    assert not is_open(windows, ("UTC",), at("2026-05-05 23:00"))


def test_the_next_opening_of_an_open_instant_is_that_instant() -> None:
    now = at("2026-05-05 15:00:00.123456")
    assert next_opening(NINE_TO_FIVE, (NEW_YORK,), now) == now


def test_friday_night_opens_on_monday() -> None:
    assert next_opening(NINE_TO_FIVE, (NEW_YORK,), at("2026-05-08 21:00")) == at("2026-05-11 13:00")


def test_a_skipped_wall_time_opens_after_the_gap() -> None:
    windows = compile_windows(a_schedule(a_window("02:30", "04:00")))
    assert next_opening(windows, (NEW_YORK,), at("2026-03-08 06:00")) == at("2026-03-08 07:00")
    assert wall_clock(NEW_YORK, at("2026-03-08 07:00")).strftime("%H:%M") == "03:00"


def test_a_window_inside_the_gap_does_not_open_that_day() -> None:
    windows = compile_windows(a_schedule(a_window("02:00", "03:00")))
    assert next_opening(windows, (NEW_YORK,), at("2026-03-08 06:00")) == at("2026-03-09 06:00")


def test_a_repeated_wall_time_opens_at_its_first_occurrence() -> None:
    windows = compile_windows(a_schedule(a_window("01:30", "01:45")))
    assert next_opening(windows, (NEW_YORK,), at("2026-11-01 04:00")) == at("2026-11-01 05:30")


def test_a_repeated_hour_is_judged_by_what_the_clock_shows() -> None:
    windows = compile_windows(a_schedule(a_window("01:30", "09:00")))
    assert is_open(windows, (NEW_YORK,), at("2026-11-01 05:59"))
    assert not is_open(windows, (NEW_YORK,), at("2026-11-01 06:10"))
    assert is_open(windows, (NEW_YORK,), at("2026-11-01 06:30"))


def test_a_full_day_has_no_hole_when_clocks_go_back() -> None:
    start = at("2026-11-01 00:00")
    minutes = [start + timedelta(minutes=n) for n in range(60 * 36)]
    assert all(is_open(ALWAYS_OPEN, (NEW_YORK,), minute) for minute in minutes)


def test_europe_and_america_change_on_different_weeks() -> None:
    both = ("Europe/London", NEW_YORK)
    windows = compile_windows(a_schedule(a_window("09:00", "17:00")))
    assert next_opening(windows, both, at("2026-03-02 00:00")) == at("2026-03-02 14:00")
    assert next_opening(windows, both, at("2026-03-16 00:00")) == at("2026-03-16 13:00")
    assert not is_open(windows, both, at("2026-03-30 16:00"))


def test_lord_howe_moves_by_half_an_hour() -> None:
    windows = compile_windows(a_schedule(a_window("09:00", "10:00")))
    assert next_opening(windows, ("Australia/Lord_Howe",), at("2026-04-03 12:00")) == at("2026-04-03 22:00")
    assert next_opening(windows, ("Australia/Lord_Howe",), at("2026-04-05 12:00")) == at("2026-04-05 22:30")


@pytest.mark.parametrize(
    ("zone", "opens_at"),
    [
        ("Asia/Kolkata", "2026-05-05 03:30"),
        ("Asia/Kathmandu", "2026-05-05 03:15"),
        ("America/Phoenix", "2026-05-05 16:00"),
        ("Pacific/Kiritimati", "2026-05-05 19:00"),
    ],
)
def test_odd_offsets_open_at_nine_local(zone: str, opens_at: str) -> None:
    windows = compile_windows(a_schedule(a_window("09:00", "10:00")))
    assert next_opening(windows, (zone,), at("2026-05-05 00:00")) == at(opens_at)


def test_year_end_and_leap_day_are_ordinary_days() -> None:
    windows = compile_windows(a_schedule(a_window("09:00", "17:00")))
    assert next_opening(windows, ("UTC",), at("2026-12-31 17:00")) == at("2027-01-01 09:00")
    assert next_opening(windows, ("UTC",), at("2028-02-28 17:00")) == at("2028-02-29 09:00")


def test_blackout_dates_are_local_dates() -> None:
    windows = compile_windows(a_schedule(a_window("00:00", "24:00"), blackout_dates=["2026-12-25"]))
    assert is_open(windows, ("Asia/Tokyo",), at("2026-12-24 14:59"))
    assert not is_open(windows, ("Asia/Tokyo",), at("2026-12-24 15:00"))
    assert next_opening(windows, ("Asia/Tokyo",), at("2026-12-24 15:00")) == at("2026-12-25 15:00")


def test_nothing_within_fourteen_days_is_no_opening() -> None:
    dates = [f"2026-06-{day:02d}" for day in range(1, 17)]
    windows = compile_windows(a_schedule(a_window("09:00", "17:00"), blackout_dates=dates))
    assert next_opening(windows, ("UTC",), at("2026-06-01 00:00")) is None
    assert next_opening(windows, ("UTC",), at("2026-06-03 09:00")) == at("2026-06-17 09:00")
    assert next_opening(windows, ("UTC",), at("2026-06-03 08:59:59")) is None


def test_places_that_share_no_hour_never_open() -> None:
    windows = compile_windows(a_schedule(a_window("09:00", "12:00")))
    assert next_opening(windows, ("Asia/Tokyo", NEW_YORK), at("2026-05-05 00:00")) is None


def test_campaign_mode_judges_the_campaigns_zone_only() -> None:
    schedule = a_schedule(a_window("09:00", "10:00"), timezone="Europe/Berlin", timezone_mode="campaign")
    assert next_opening(compile_windows(schedule), (NEW_YORK,), at("2026-05-05 00:00")) == at("2026-05-05 07:00")


@pytest.mark.parametrize("zones", [(), ("Mars/Base",), (NEW_YORK, "Etc/Unknown")])
def test_unknown_places_are_closed(zones: tuple[str, ...]) -> None:
    assert not zones_known(zones)
    assert not is_open(ALWAYS_OPEN, zones, at("2026-05-05 15:00"))
    assert next_opening(ALWAYS_OPEN, zones, at("2026-05-05 15:00")) is None


def test_an_instant_of_another_zone_is_judged_as_the_instant_it_is() -> None:
    in_tokyo = at("2026-05-05 13:00").astimezone(timezone(timedelta(hours=9)))
    assert is_open(NINE_TO_FIVE, (NEW_YORK,), in_tokyo)
    assert not is_open(NINE_TO_FIVE, (NEW_YORK,), in_tokyo - timedelta(seconds=1))
    assert next_opening(NINE_TO_FIVE, (NEW_YORK,), in_tokyo - timedelta(hours=1)) == at("2026-05-05 13:00")


def test_equal_schedules_share_their_compiled_windows() -> None:
    assert compile_windows(a_schedule(a_window("09:00", "10:00"))) is compile_windows(
        a_schedule(a_window("09:00", "10:00"))
    )
