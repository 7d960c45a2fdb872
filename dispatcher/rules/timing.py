"""Rules on the right moment: live calls, the plan's delay, contact limits, time of day, calling hours.

Each reason says when it clears by itself. The functions on instants are shared with the retry plan, so that a planned
instant and the judgement of it cannot differ.
"""

from datetime import datetime, timedelta

from dispatcher.rules.case import Case, blocked
from dispatcher.rules.facts import Reason
from dispatcher.rules.legal import legal_basis
from dispatcher.rules.policy import ROLLING_SPAN, Policy
from dispatcher.rules.windows import (
    HORIZON,
    Windows,
    is_open,
    next_opening,
    on_closed_date,
    utc_offset,
    without_closed_dates,
    zones_known,
)
from schema.outcomes import Outcome
from schema.reasons import ReasonCode
from schema.states import EnrolmentState

UNANSWERED_OUTCOMES = frozenset({Outcome.NO_ANSWER, Outcome.VOICEMAIL})
"""Outcomes that speak against their time of day."""

_DAY = timedelta(days=1)
_PLANNED = frozenset({EnrolmentState.RETRY_WAIT, EnrolmentState.DUE})


def live_call(case: Case) -> Reason | None:
    """Wait while the number is on another call."""
    return blocked(ReasonCode.LIVE_CALL, number=case.lead.phone_number[-4:]) if case.history.live_call else None


def retry_delay(case: Case) -> Reason | None:
    """Wait for the plan's instant; before a first attempt the other rules alone decide."""
    history = case.history
    if case.now >= history.next_due_at or history.state not in _PLANNED:
        return None
    if history.callback_at is not None and case.now < history.callback_at:
        return None
    return blocked(ReasonCode.RETRY_DELAY, history.next_due_at, attempts_used=history.attempts_used)


def callback_at(case: Case) -> Reason | None:
    """Wait for the instant the person asked for."""
    at = case.history.callback_at
    if at is None or case.now >= at:
        return None
    return blocked(ReasonCode.CALLBACK_AT, at, callback_at=at)


def min_gap(case: Case) -> Reason | None:
    """Wait until the least time since the last dial of the number has passed."""
    if not case.history.dials_at:
        return None
    last = case.history.dials_at[-1]
    free_at = last + case.policy.min_gap
    return blocked(ReasonCode.MIN_GAP, free_at, last_dial_at=last) if case.now < free_at else None


def rolling_cap(case: Case) -> Reason | None:
    """Wait until fewer dials of the number than the cap lie in the last 24 hours."""
    free_at = rolling_free_at(case.policy, case.history.dials_at, case.now)
    if case.now >= free_at:
        return None
    return blocked(ReasonCode.ROLLING_CAP, free_at, cap=case.policy.rolling_cap, dials=len(case.history.dials_at))


def daypart_avoid(case: Case) -> Reason | None:
    """Wait while it is a time of day at which the person did not answer; yields where no other time is open."""
    unanswered = case.history.unanswered_at
    if not case.policy.daypart_span or not unanswered or not zones_known(case.lead.zones):
        return None
    if not _same_daypart(case.policy, case.lead.zones, unanswered, case.now):
        return None
    until = next_other_daypart(case.policy, case.windows, case.lead.zones, unanswered, case.now)
    return blocked(ReasonCode.DAYPART_AVOID, until, unanswered_at=unanswered) if until is not None else None


def outside_window(case: Case) -> Reason | None:
    """Wait for calling hours; hours that never open are NO_COMMON_WINDOW."""
    zones = case.lead.zones
    if is_open(case.windows, zones, case.now, case.ring_s):
        return None
    if is_open(without_closed_dates(case.windows), zones, case.now, case.ring_s):
        return None
    opens_at = next_opening(case.windows, zones, case.now, case.ring_s)
    return _closed(ReasonCode.OUTSIDE_WINDOW, case, opens_at) if opens_at is not None else None


def holiday(case: Case) -> Reason | None:
    """Wait for the end of dates without calls."""
    zones = case.lead.zones
    if is_open(case.windows, zones, case.now, case.ring_s) or not zones_known(zones):
        return None
    would_be_open = is_open(without_closed_dates(case.windows), zones, case.now, case.ring_s)
    if not would_be_open and not on_closed_date(case.windows, zones, case.now):
        return None
    return _closed(ReasonCode.HOLIDAY, case, next_opening(case.windows, zones, case.now, case.ring_s))


def rolling_free_at(policy: Policy, dials_at: tuple[datetime, ...], now: datetime) -> datetime:
    """Return the first instant from `now` on at which the rolling cap allows one more dial."""
    if len(dials_at) < policy.rolling_cap:
        return now
    return max(now, dials_at[-policy.rolling_cap] + ROLLING_SPAN)


def next_other_daypart(
    policy: Policy, windows: Windows, zones: tuple[str, ...], unanswered_at: tuple[datetime, ...], now: datetime
) -> datetime | None:
    """Return the first open instant from `now` on away from the times of day of unanswered attempts, None if none."""
    at = next_opening(windows, zones, now)
    while at is not None and at - now <= HORIZON:
        clash = _same_daypart(policy, zones, unanswered_at, at)
        if not clash:
            return at
        at = next_opening(windows, zones, at + clash)
    return None


def _same_daypart(
    policy: Policy, zones: tuple[str, ...], unanswered_at: tuple[datetime, ...], at: datetime
) -> timedelta:
    """Return for how long a time of day is still too close to an unanswered one; zero when it is not."""
    span = policy.daypart_span
    offset = utc_offset(zones[0], at)
    longest = timedelta(0)
    for tried_at in unanswered_at:
        drift = ((at + offset) - (tried_at + utc_offset(zones[0], tried_at))) % _DAY
        apart = drift if drift < _DAY / 2 else drift - _DAY
        if -span < apart < span:
            longest = max(longest, span - apart)
    return longest


def _closed(code: ReasonCode, case: Case, opens_at: datetime | None) -> Reason:
    lead = case.lead
    law = legal_basis(lead.phone_number) if case.policy.respects_law else "not asked for"
    return blocked(
        code, opens_at, zones=lead.zones, zone_source=lead.zone_source, law=law, now=case.now, ring_s=case.ring_s
    )
