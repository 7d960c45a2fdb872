"""decide() per second of one core's time, warm, over leads of many zones, half of them inside their window."""

import statistics
import time
import uuid
from datetime import UTC, datetime, timedelta

from bench.measure import Figure, rounds
from dispatcher.rules.decide import decide
from dispatcher.rules.facts import Capacity, History, LeadFacts
from dispatcher.rules.policy import compile_policy
from schema.policy import PolicyBody
from schema.states import CampaignStatus, EnrolmentState

ZONES = (
    ("America/New_York",),
    ("America/Chicago", "America/New_York"),
    ("America/Los_Angeles",),
    ("America/Adak", "America/Anchorage"),
    ("Europe/London",),
    ("Asia/Kolkata",),
    ("Australia/Sydney", "Australia/Brisbane"),
    ("Asia/Tokyo",),
)
LEADS = 2_000
TARGET_PER_S = 50_000


def run() -> list[Figure]:
    """Measure the median of rounds over LEADS leads."""
    body = PolicyBody.model_validate({"call_config": {"task": "Confirm the appointment"}})
    policy = compile_policy(body, campaign_id=uuid.uuid4(), status=CampaignStatus.RUNNING)
    now = datetime(2026, 11, 18, 15, 0, tzinfo=UTC)
    leads = [_lead(n) for n in range(LEADS)]
    history = History(
        state=EnrolmentState.RETRY_WAIT,
        attempts_used=1,
        refusals_used=0,
        last_outcome=None,
        next_due_at=now - timedelta(minutes=1),
        callback_at=None,
        live_call=False,
        dials_at=(now - timedelta(hours=3),),
    )
    capacity = Capacity.unlimited()
    rates = []
    for _ in range(rounds() + 1):
        began = time.process_time()
        for lead in leads:
            decide(lead, policy, history, capacity, now, ring_s=30)
        rates.append(LEADS / (time.process_time() - began))
    measured = statistics.median(rates[1:])
    return [Figure("decide(), warm", "per second", f">= {TARGET_PER_S:,}", measured, met=measured >= TARGET_PER_S)]


def _lead(n: int) -> LeadFacts:
    return LeadFacts(
        lead_id=uuid.UUID(int=n),
        phone_number=f"+1212555{n:04d}",
        zones=ZONES[n % len(ZONES)],
        zone_source="number",
        opted_out=False,
        suppressed=False,
    )
