"""Checks at the end of the demo, each against the outside world's own record and never against our tables alone."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from deploy.simulator.voice import decode_wav_stereo

Json = dict[str, Any]
TERMINAL = {"call.completed", "call.failed"}


@dataclass(frozen=True, slots=True)
class WebhookProof:
    """What arrived at the receiver and whether the library vouches for it."""

    verified: int
    refused: int
    by_type: dict[str, int]
    doubled: tuple[str, ...]


def verify_webhooks(deliveries: list[Json], secret: str) -> WebhookProof:
    """Check every delivery's signature with the public library; count types and doubled terminal events."""
    webhook = Webhook(secret)
    types: Counter[str] = Counter()
    terminal: dict[str, set[str]] = {}
    refused = 0
    for delivery in deliveries:
        headers = {name.lower(): value for name, value in delivery["headers"].items()}
        try:
            webhook.verify(delivery["body"], headers)
        except WebhookVerificationError:
            refused += 1
            continue
        event = json.loads(delivery["body"])
        types[event["type"]] += 1
        if event["type"] in TERMINAL:
            terminal.setdefault(event["data"]["call_id"], set()).add(event["id"])
    doubled = tuple(call_id for call_id, events in terminal.items() if len(events) > 1)
    return WebhookProof(len(deliveries) - refused, refused, dict(types), doubled)


def dials_without_a_call(dials: list[Json], calls: list[Json]) -> dict[str, int]:
    """Find numbers that the carrier's own log shows dialled more often than our calls account for."""
    asked = Counter(dial["to"] for dial in dials)
    known = Counter(call["phone_number"] for call in calls if call["provider_call_id"])
    return {number: count - known[number] for number, count in asked.items() if count > known[number]}


def voices(recording: Path) -> tuple[str, str]:
    """Read both voices back from a stereo recording: what the callee and what the agent said."""
    return decode_wav_stereo(recording)
