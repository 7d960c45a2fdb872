"""Checks at the end of the demo, each against the outside world's own record and never against our tables alone."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy.engine import make_url
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


def dials_without_a_call(dials: list[Json], database_url: str) -> list[Json]:
    """Find dials that the carrier's own log holds and that belong to no call, or to one that was dialled before."""
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as connection:
        rows = connection.execute("select provider_call_id from calls where provider_call_id is not null").fetchall()
    known = Counter(str(row[0]) for row in rows)
    return [dial for dial in dials if dial["answer"] == "accepted" and known[dial["sid"]] != 1]


def voices(recording: Path) -> tuple[str, str]:
    """Read both voices back from a stereo recording: what the callee and what the agent said."""
    return decode_wav_stereo(recording)
