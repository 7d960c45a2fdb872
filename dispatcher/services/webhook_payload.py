"""The body of a webhook: the event, and the record of what it happened to, in one envelope.

An event's id is derived from what it is about, so building it twice gives the same id and a receiver can tell a repeat.
Follows ARCHITECTURE.md, "Webhooks"; the size bound is Standard Webhooks' advice that bodies stay small.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from schema.events import EventType
from schema.records import CallRecord, CampaignRecord, WebhookEnvelope

INLINE_TRANSCRIPT_BYTES = 256 * 1024
_PATHS = ("recording_url", "transcript_url")


def event_id(*parts: str) -> str:
    """Name an event by its parts: `evt_` and 128 bits of their hash."""
    return "evt_" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def call_envelope(record: CallRecord, event: EventType, now: datetime) -> WebhookEnvelope:
    """Wrap a call's record; a transcript over 256 KiB is left out and stays behind `transcript_url`."""
    return WebhookEnvelope(
        id=event_id(str(record.call_id), event.value),
        type=event,
        created_at=now,
        account_id=record.account_id,
        data=_with_bounded_transcript(record),
    )


def campaign_envelope(
    record: CampaignRecord, event: EventType, occurrence: str, account_id: UUID, now: datetime
) -> WebhookEnvelope:
    """Wrap a campaign's record; `occurrence` tells a second pause from the first."""
    return WebhookEnvelope(
        id=event_id(str(record.campaign_id), event.value, occurrence),
        type=event,
        created_at=now,
        account_id=account_id,
        data=record,
    )


def body_of(payload: Mapping[str, object], public_base_url: str) -> str:
    """Write a stored envelope as the text that is signed and sent, the same for every try.

    Paths of this API become absolute under `public_base_url` when it is known.
    """
    base = public_base_url.rstrip("/")
    data = payload["data"]
    if base and isinstance(data, dict):
        absolute = {key: base + data[key] for key in _PATHS if isinstance(data.get(key), str)}
        payload = {**payload, "data": {**data, **absolute}}
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))


def _with_bounded_transcript(record: CallRecord) -> CallRecord:
    if record.transcript is None:
        return record
    size_bytes = sum(len(line.text.encode()) for line in record.transcript)
    return record if size_bytes <= INLINE_TRANSCRIPT_BYTES else record.model_copy(update={"transcript": None})
