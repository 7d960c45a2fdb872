"""Facts for the rules with defaults that allow a call: a Tuesday noon in New York, a running campaign, free room."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from dispatcher.rules.facts import Capacity, History, LeadFacts
from dispatcher.rules.policy import Policy, compile_policy
from schema.outcomes import Outcome
from schema.policy import PolicyBody, Schedule, Window
from schema.states import CampaignStatus, EnrolmentState

NEW_YORK = "America/New_York"
CAMPAIGN = UUID("00000000-0000-4000-8000-0000000000c1")
LEAD = UUID("00000000-0000-4000-8000-0000000000a1")
NOON = datetime(2026, 5, 5, 16, 0, tzinfo=UTC)
"""Tuesday 12:00 in New York."""

EVERY_DAY = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALWAYS = {"days": EVERY_DAY, "start": "00:00", "end": "24:00"}


def at(text: str) -> datetime:
    """Read "2026-05-05 16:00" or with seconds as UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def a_body(**parts: object) -> PolicyBody:
    return PolicyBody.model_validate({"call_config": {"task": "Ask whether they still need help."}, **parts})


def a_policy(
    status: CampaignStatus = CampaignStatus.RUNNING, campaign_id: UUID = CAMPAIGN, /, **parts: object
) -> Policy:
    return compile_policy(a_body(**parts), campaign_id=campaign_id, status=status)


def an_open_policy(**parts: object) -> Policy:
    """Return a policy whose windows never close, with the law left aside."""
    return a_policy(schedule={"windows": [ALWAYS], "respect_legal_hours": False}, **parts)


def a_schedule(*windows: Mapping[str, object], **parts: object) -> Schedule:
    return Schedule.model_validate({"windows": windows or [ALWAYS], **parts})


def a_window(start: str, end: str, *days: str) -> dict[str, object]:
    return {"days": days or EVERY_DAY, "start": start, "end": end}


def a_lead(phone_number: str = "+12125550123", *zones: str, **parts: object) -> LeadFacts:
    lead = LeadFacts(LEAD, phone_number, zones or (NEW_YORK,), "number", opted_out=False, suppressed=False)
    return replace(lead, **parts)  # type: ignore[arg-type]


def a_history(**parts: object) -> History:
    fresh = History(
        state=EnrolmentState.PENDING,
        attempts_used=0,
        refusals_used=0,
        last_outcome=None,
        next_due_at=NOON,
        callback_at=None,
        live_call=False,
        dials_at=(),
    )
    return replace(fresh, **parts)  # type: ignore[arg-type]


def waiting_after(outcome: Outcome, **parts: object) -> History:
    return a_history(
        **{"state": EnrolmentState.RETRY_WAIT, "attempts_used": 1, "last_outcome": outcome, "outcomes": (outcome,)}
        | parts
    )


def room(**parts: object) -> Capacity:
    return replace(Capacity.unlimited(), **parts)  # type: ignore[arg-type]


def open_by_the_clock(schedule: Schedule, window: Window, local: datetime) -> bool:
    """Say what a person with a wall clock would say of one window."""
    return (
        EVERY_DAY[local.weekday()] in window.days
        and window.start <= f"{local:%H:%M}" < window.end
        and local.date() not in schedule.blackout_dates
    )
