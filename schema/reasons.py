"""Why a lead is not called now, or never: one vocabulary for tick, last gate, preview, why page and audit.

Each code carries a text for a manager, one for an engineer and the cheapest action that removes it. The order of the
enum is the order in which rules are judged; the first blocker is what people see.
"""

from dataclasses import dataclass
from enum import StrEnum


class Hold(StrEnum):
    """What kind of waiting a reason is."""

    NEVER = "never"
    TIME = "time"
    CAPACITY = "capacity"
    PERSON = "person"


class ReasonCode(StrEnum):
    """Blockers in order of judgement."""

    CAMPAIGN_ENDED = "CAMPAIGN_ENDED"
    SUPPRESSED = "SUPPRESSED"
    OPTED_OUT = "OPTED_OUT"
    NUMBER_INVALID = "NUMBER_INVALID"
    REACHED = "REACHED"
    PERMANENT_FAILURE = "PERMANENT_FAILURE"
    BUDGET_SPENT = "BUDGET_SPENT"
    NOT_RETRIED = "NOT_RETRIED"
    AMBIGUOUS = "AMBIGUOUS"
    ZONE_UNKNOWN = "ZONE_UNKNOWN"
    NO_COMMON_WINDOW = "NO_COMMON_WINDOW"
    PAUSED = "PAUSED"
    NOT_STARTED = "NOT_STARTED"
    LIVE_CALL = "LIVE_CALL"
    RETRY_DELAY = "RETRY_DELAY"
    CALLBACK_AT = "CALLBACK_AT"
    MIN_GAP = "MIN_GAP"
    ROLLING_CAP = "ROLLING_CAP"
    DAYPART_AVOID = "DAYPART_AVOID"
    OUTSIDE_WINDOW = "OUTSIDE_WINDOW"
    HOLIDAY = "HOLIDAY"
    QUOTA = "QUOTA"
    TENANT_CAP = "TENANT_CAP"
    CAMPAIGN_CAP = "CAMPAIGN_CAP"
    NUMBER_CAP = "NUMBER_CAP"
    CPS = "CPS"
    MEDIA_FULL = "MEDIA_FULL"
    FAIR_SHARE_TURN = "FAIR_SHARE_TURN"


@dataclass(frozen=True, slots=True)
class ReasonFacts:
    """Texts of one reason: `manager` and `engineer` explain, `fix` is the cheapest action that removes it."""

    hold: Hold
    manager: str
    engineer: str
    fix: str


REASONS: dict[ReasonCode, ReasonFacts] = {
    ReasonCode.CAMPAIGN_ENDED: ReasonFacts(
        Hold.NEVER,
        "The campaign is over.",
        "campaign status is terminal or schedule.end_at has passed",
        "Start a new campaign with this lead, or move the end date.",
    ),
    ReasonCode.SUPPRESSED: ReasonFacts(
        Hold.NEVER,
        "This number is on the do-not-call list.",
        "a suppression row of the account matches the number",
        "Remove the suppression if the person agreed to be called.",
    ),
    ReasonCode.OPTED_OUT: ReasonFacts(
        Hold.NEVER,
        "This person asked not to be called.",
        "lead.do_not_call is true or lead.status is Unsubscribed",
        "Only the person can lift this: record their new consent and clear do_not_call.",
    ),
    ReasonCode.NUMBER_INVALID: ReasonFacts(
        Hold.NEVER,
        "The phone number does not exist.",
        "libphonenumber rejects the number",
        "Correct the lead's phone_number.",
    ),
    ReasonCode.REACHED: ReasonFacts(
        Hold.NEVER,
        "This person has been reached.",
        "the last outcome is human and no outcome rule asks for another call",
        "Nothing to do; use redial to call again.",
    ),
    ReasonCode.PERMANENT_FAILURE: ReasonFacts(
        Hold.NEVER,
        "The carrier says this number cannot be called.",
        "the last outcome is never retried (rejected, invalid_number, ivr)",
        "Check the number with the person, then use redial.",
    ),
    ReasonCode.BUDGET_SPENT: ReasonFacts(
        Hold.NEVER,
        "All attempts for this lead are used.",
        "attempts_used >= retry.max_attempts",
        "Raise retry.max_attempts.",
    ),
    ReasonCode.NOT_RETRIED: ReasonFacts(
        Hold.NEVER,
        "The campaign's rules do not repeat a call that ended like this one.",
        "the last outcome is not in retry.retry_on, or its own per_outcome.max is reached",
        "Add the outcome to retry.retry_on, or use redial.",
    ),
    ReasonCode.AMBIGUOUS: ReasonFacts(
        Hold.PERSON,
        "We cannot tell whether the last call went out, so nobody is called twice by mistake.",
        "the last call ended ambiguous: the carrier could not be asked",
        "Look at the carrier's log, then redial or close the lead.",
    ),
    ReasonCode.ZONE_UNKNOWN: ReasonFacts(
        Hold.NEVER,
        "We do not know this person's local time.",
        "no zone from lead.timezone or the number, and schedule.unknown_timezone is skip",
        "Set the lead's timezone, or set schedule.unknown_timezone to campaign.",
    ),
    ReasonCode.NO_COMMON_WINDOW: ReasonFacts(
        Hold.NEVER,
        "No calling time fits every time zone this number may be in.",
        "the intersection of windows over the zone set is empty for 14 days",
        "Set the lead's timezone, or widen the campaign's windows.",
    ),
    ReasonCode.PAUSED: ReasonFacts(
        Hold.PERSON,
        "The campaign is paused.",
        "campaign.status is paused",
        "Resume the campaign.",
    ),
    ReasonCode.NOT_STARTED: ReasonFacts(
        Hold.TIME,
        "The campaign has not started yet.",
        "campaign.status is draft or scheduled, or now < schedule.start_at",
        "Start the campaign, or wait for its start date.",
    ),
    ReasonCode.LIVE_CALL: ReasonFacts(
        Hold.CAPACITY,
        "This number is on a call right now.",
        "a live call row of the account holds the number",
        "Wait until that call ends.",
    ),
    ReasonCode.RETRY_DELAY: ReasonFacts(
        Hold.TIME,
        "Waiting before the next attempt.",
        "now < next_due_at from the retry plan",
        "Shorten retry.delays_minutes, or use redial.",
    ),
    ReasonCode.CALLBACK_AT: ReasonFacts(
        Hold.TIME,
        "The person asked to be called at a set time.",
        "now < callback_at",
        "Nothing to do.",
    ),
    ReasonCode.MIN_GAP: ReasonFacts(
        Hold.TIME,
        "This number was called moments ago.",
        "now < last dial of the number + contact_limits.min_gap_minutes",
        "Lower contact_limits.min_gap_minutes.",
    ),
    ReasonCode.ROLLING_CAP: ReasonFacts(
        Hold.TIME,
        "This number has had its calls for today.",
        "dials to the number in the last 24 h >= contact_limits.max_attempts_per_24h",
        "Wait, or raise contact_limits.max_attempts_per_24h where the law allows.",
    ),
    ReasonCode.DAYPART_AVOID: ReasonFacts(
        Hold.TIME,
        "This person did not answer at this time of day before.",
        "local time within retry.avoid_same_daypart_hours of an unanswered attempt",
        "Set retry.avoid_same_daypart_hours to 0.",
    ),
    ReasonCode.OUTSIDE_WINDOW: ReasonFacts(
        Hold.TIME,
        "It is outside calling hours where this person is.",
        "now (plus ring time) is outside the intersected window",
        "Wait for the opening, or widen the campaign's windows within legal hours.",
    ),
    ReasonCode.HOLIDAY: ReasonFacts(
        Hold.TIME,
        "It is a day without calls.",
        "local date is in schedule.blackout_dates",
        "Remove the date from schedule.blackout_dates.",
    ),
    ReasonCode.QUOTA: ReasonFacts(
        Hold.CAPACITY,
        "No call minutes are left.",
        "available_s < max_duration of the call, or the campaign budget is spent",
        "Top up the account or raise quota.max_minutes.",
    ),
    ReasonCode.TENANT_CAP: ReasonFacts(
        Hold.CAPACITY,
        "The account's limit of simultaneous calls or calls per minute is reached.",
        "live calls or starts of the account at its cap",
        "Wait, or raise the account's limits.",
    ),
    ReasonCode.CAMPAIGN_CAP: ReasonFacts(
        Hold.CAPACITY,
        "The campaign's own call limit is reached.",
        "live calls or starts of the campaign at pacing.*",
        "Raise pacing.max_concurrent_calls, calls_per_minute or max_calls_per_day.",
    ),
    ReasonCode.NUMBER_CAP: ReasonFacts(
        Hold.CAPACITY,
        "Every caller id of the campaign is busy or resting.",
        "no caller id below its live or daily cap",
        "Add caller ids.",
    ),
    ReasonCode.CPS: ReasonFacts(
        Hold.CAPACITY,
        "The carrier accepts no more calls this second.",
        "starts in the last second at the carrier's rate",
        "Wait; ask the carrier for a higher rate if this lasts.",
    ),
    ReasonCode.MEDIA_FULL: ReasonFacts(
        Hold.CAPACITY,
        "All AI agents are on the phone.",
        "no free slot on any media worker with a fresh heartbeat",
        "Start more media workers.",
    ),
    ReasonCode.FAIR_SHARE_TURN: ReasonFacts(
        Hold.CAPACITY,
        "It is another campaign's turn.",
        "allowed, but not dealt a slot this tick",
        "Nothing to do, or start more media workers.",
    ),
}
