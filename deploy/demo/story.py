"""What the demo does through the API: leads in, a suppression, a campaign whose windows leave one lead outside.

The windows are open around the clock but for half an hour, and that half hour is chosen so that it is now in Nepal:
whenever the demo runs, exactly the lead in Kathmandu is outside the calling window.
"""

import csv
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytz

from deploy.demo.client import TrunklineClient

LEADS_CSV = Path(__file__).with_name("leads.csv")
SUPPRESSED = "+12125550129"
CLOSED_ZONE = "Asia/Kathmandu"
CLOSED_BEFORE = timedelta(minutes=10)
CLOSED_AFTER = timedelta(minutes=20)
CAMPAIGN_RUNS_FOR = timedelta(seconds=80)
WITH_A_KILL_IT_RUNS_FOR = timedelta(seconds=130)
"""A killed worker's calls fail when their lease is over, and are tried again a minute later."""
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """How the rows of the CSV fared; `refused` holds the API's own words per row."""

    rows: int
    lead_ids: tuple[str, ...]
    duplicates: int
    refused: tuple[Json, ...]


def import_leads(client: TrunklineClient) -> ImportReport:
    """Suppress one number, then send the CSV's rows to the bulk endpoint."""
    with LEADS_CSV.open(newline="", encoding="utf-8") as file:
        rows = [_lead(row) for row in csv.DictReader(file)]
    client.post("/v1/suppressions", {"phone_number": SUPPRESSED, "reason": "asked by e-mail not to be called"})
    answer = client.post("/v1/leads/bulk", {"leads": rows})
    results = answer["results"]
    ids = dict.fromkeys(row["lead_id"] for row in results if row["lead_id"])
    refused = tuple(row for row in results if row["fate"] == "invalid")
    return ImportReport(len(rows), tuple(ids), answer["duplicates"], refused)


def create_campaign(
    client: TrunklineClient, report: ImportReport, *, now: datetime, runs_for: timedelta, webhook_url: str
) -> str:
    """Create the campaign and enrol the leads; returns its id."""
    campaign = client.post(
        "/v1/campaigns",
        {
            "name": "Appointment confirmations",
            "call_config": {
                "instructions": (
                    "You are Sarah from Bright Dental. Confirm the appointment of {{name}} tomorrow at "
                    "{{appointment_time}}. Be warm and brief. Say goodbye and end the call when it is confirmed."
                ),
                "first_sentence": "Hi {{name}}, this is Sarah from Bright Dental. "
                "Can I confirm your appointment tomorrow at {{appointment_time}}?",
                "mode": "realtime",
                "max_duration": 2,
                "analysis_schema": {
                    "confirmed": {"type": "boolean", "description": "Whether the person confirmed the appointment"},
                    "objections": "string",
                },
            },
            "from_numbers": ["+18005551234"],
            "schedule": {
                "timezone": "UTC",
                "windows": _windows_closed_in_nepal(now),
                "respect_legal_hours": False,
                "end_at": (now + runs_for).isoformat(),
            },
            "pacing": {"max_concurrent_calls": 28, "calls_per_minute": 600},
            "retry": {
                "max_attempts": 2,
                "delays_minutes": [1],
                "jitter_pct": 0,
                "retry_on": ["busy", "no_answer", "failed"],
            },
            "contact_limits": {"min_gap_minutes": 1, "max_attempts_per_24h": 3},
            "webhook_url": webhook_url,
        },
    )
    campaign_id = str(campaign["id"])
    client.post(f"/v1/campaigns/{campaign_id}/leads", {"lead_ids": list(report.lead_ids)})
    return campaign_id


def call_in_legacy_mode(client: TrunklineClient, *, webhook_url: str) -> str:
    """Place one direct call over STT, LLM and TTS; returns its id."""
    call = client.post(
        "/v1/calls",
        {
            "phone_number": "+16175550140",
            "from_number": "+18005551234",
            "task": "Remind {{patient_name}} of the appointment tomorrow at 3 PM. Be brief and friendly.",
            "first_sentence": "Hello {{patient_name}}, this is Sarah from Bright Dental about tomorrow.",
            "mode": "legacy",
            "max_duration": 2,
            "request_data": {"patient_name": "John Smith"},
            "webhook_url": webhook_url,
        },
    )
    return str(call["call_id"])


def _lead(row: dict[str, str]) -> Json:
    known = {name: row[name] for name in ("phone_number", "name", "email", "timezone") if row[name]}
    return {**known, "metadata": {"appointment_time": row["appointment_time"]}}


def _windows_closed_in_nepal(now: datetime) -> list[Json]:
    local = now.astimezone(pytz.timezone(CLOSED_ZONE))
    closes, opens = local - CLOSED_BEFORE, local + CLOSED_AFTER
    spans = [("00:00", f"{closes:%H:%M}"), (f"{opens:%H:%M}", "24:00")]
    if closes.date() != opens.date():
        spans = [(f"{opens:%H:%M}", f"{closes:%H:%M}")]
    return [{"days": DAYS, "start": start, "end": end} for start, end in spans if start < end]
