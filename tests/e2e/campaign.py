"""A campaign over people of all kinds: who they are, what happens to each, and what its rules make of that."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.phonebook import new_number
from tests.e2e.webhooks import Event, events_of
from tests.installation import FROM_NUMBER, Customer, Installation

ALL_DAY = {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "start": "00:00", "end": "24:00"}
GREETING = "Hello {{name}}, this is Sarah."
INSTRUCTIONS = "You are Sarah from Bright Dental. Confirm the appointment of {{name}} tomorrow. Be brief."

BEGINS_IN = timedelta(seconds=5)
ENDS_IN = timedelta(seconds=45)

Json = dict[str, Any]

OPEN_SCHEDULE: Json = {"timezone": "UTC", "windows": [ALL_DAY], "respect_legal_hours": False}


@dataclass(frozen=True, slots=True)
class Fate:
    """One lead of the mixed campaign.

    Attributes:
        answers: who picks up.
        dials: requests the carrier gets for the number.
        attempts: how many of them count.
        state: where the lead ends, because of `why`.
        outcomes: of the calls, in order.
        status: the lead's own status afterwards.
    """

    answers: str
    dials: int
    attempts: int
    state: str
    why: str
    outcomes: tuple[str, ...]
    status: str = "New"


FATES = {
    "Anna": Fate("brief", 1, 1, "completed", "REACHED", ("human",), "Contacted"),
    "Bert": Fate("busy", 2, 2, "exhausted", "BUDGET_SPENT", ("busy", "busy")),
    "Cleo": Fate("nobody_home", 1, 1, "exhausted", "NOT_RETRIED", ("no_answer",)),
    "Dora": Fate("voicemail", 1, 1, "exhausted", "NOT_RETRIED", ("voicemail",)),
    "Emil": Fate("opt_out", 1, 1, "completed", "REACHED", ("human",), "Unsubscribed"),
    "Fred": Fate("rejected", 1, 1, "exhausted", "PERMANENT_FAILURE", ("rejected",)),
    "Gina": Fate("brief", 0, 0, "skipped", "SUPPRESSED", (), "Unsubscribed"),
    "Hugo": Fate("brief", 2, 1, "completed", "REACHED", ("carrier_refused", "human"), "Contacted"),
    "Ines": Fate("brief", 2, 2, "completed", "REACHED", ("failed", "human"), "Contacted"),
}
"""Bert is tried again as retry_on says, Hugo because the carrier refused, Ines because the model failed."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign of a customer of its own; `numbers` by the leads' names."""

    up: Installation
    customer: Customer
    id: str
    numbers: dict[str, str]

    @property
    def path(self) -> str:
        """Return the campaign's address in the API."""
        return f"/v1/campaigns/{self.id}"

    def show(self) -> Json:
        """Return the campaign."""
        return self.customer.client.get(self.path)

    def leads(self) -> dict[str, Json]:
        """Return where each lead stands, by name."""
        return {lead["name"]: lead for lead in self.customer.client.pages(f"{self.path}/leads")}

    def calls(self) -> list[Json]:
        """Return its calls, oldest first."""
        listed = self.customer.client.pages("/v1/calls", campaign_id=self.id)
        return sorted(listed, key=lambda call: str(call["created_at"]))

    def events(self) -> list[Event]:
        """Return what its webhook was sent."""
        return events_of(self.up.world, self.customer)

    def dials(self, name: str) -> list[Json]:
        """Return the carrier's dial requests for one lead."""
        return [dial for dial in self.up.world.dials() if dial["to"] == self.numbers[name]]


def create_campaign(
    up: Installation,
    customer: Customer,
    people: dict[str, str],
    *,
    zones: dict[str, str] | None = None,
    **changes: object,
) -> Campaign:
    """Create a campaign over people given as name and who answers, some with their zones; it is not started."""
    numbers = {name: new_number(who) for name, who in people.items()}
    body: Json = {
        "name": "Appointments",
        "call_config": {
            "instructions": INSTRUCTIONS,
            "first_sentence": GREETING,
            "max_duration": 2,
            "ring_timeout": 15,
            "inactivity_timeout": 10,
        },
        "from_numbers": [FROM_NUMBER],
        "schedule": OPEN_SCHEDULE,
        "pacing": {"max_concurrent_calls": 12, "calls_per_minute": 1_000},
        "retry": {"max_attempts": 2, "delays_minutes": [1], "jitter_pct": 0, "retry_on": ["busy", "failed"]},
        "contact_limits": {"min_gap_minutes": 1, "max_attempts_per_24h": 5},
        "webhook_url": up.world.sink_url(customer.sink),
        **changes,
    }
    campaign_id = str(customer.client.post("/v1/campaigns", body)["id"])
    known = zones or {}
    leads = [{"phone_number": number, "name": name, "timezone": known.get(name)} for name, number in numbers.items()]
    enrolled = customer.client.post(f"/v1/campaigns/{campaign_id}/leads", {"leads": leads})
    assert enrolled["enrolled"] == len(people)
    return Campaign(up, customer, campaign_id, numbers)


def start_mixed_campaign(up: Installation) -> Campaign:
    """Start the campaign of FATES."""
    customer = up.customer()
    campaign = create_campaign(up, customer, {name: fate.answers for name, fate in FATES.items()})
    customer.client.post("/v1/suppressions", {"phone_number": campaign.numbers["Gina"], "reason": "asked by letter"})
    up.world.arm("twilio", "create", "refuse", number=campaign.numbers["Hugo"], status=429)
    up.world.arm("openai_realtime", "response", "close", contains="appointment of Ines tomorrow", after_ms=400)
    customer.client.post(f"{campaign.path}/start")
    return campaign


def start_poor_campaign(up: Installation) -> Campaign:
    """Start a campaign of two leads in an account whose minutes hold one of its calls."""
    customer = up.customer(minutes=2)
    campaign = create_campaign(up, customer, {"Xena": "brief", "Yann": "brief"})
    customer.client.post(f"{campaign.path}/start")
    return campaign


def start_bounded_campaign(up: Installation) -> Campaign:
    """Start a campaign whose start is to come, and whose end comes before its busy lead is tried again."""
    now = datetime.now(UTC)
    begins, ends = now + BEGINS_IN, now + ENDS_IN
    schedule = {**OPEN_SCHEDULE, "start_at": begins.isoformat(), "end_at": ends.isoformat()}
    customer = up.customer()
    campaign = create_campaign(up, customer, {"Zara": "brief", "Zeno": "busy"}, schedule=schedule)
    customer.client.post(f"{campaign.path}/start")
    return campaign
