"""The plan of a webhook's tries: what an answer means and when the next try is due. Pure.

Tries at 0, 1 min, 5 min, 15 min and 1 h, each delay varied by up to ±10 %, seeded by the delivery so a plan repeats.
2xx delivers; 410 disables; Retry-After on 429 and 503 moves the next try later, never earlier.
Source: Standard Webhooks 1.0.0, "Deliverability and reliability"; RFC 9110 §10.2.3.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from uuid import UUID

from dispatcher.egress import Answer
from dispatcher.store.deliveries import Settlement
from schema.events import DeliveryStatus

DELAYS_S = (60, 300, 900, 3600)
MAX_TRIES = len(DELAYS_S) + 1
JITTER_PCT = 10
MAX_RETRY_AFTER = timedelta(hours=24)
GONE = 410
_BUSY = frozenset({429, 503})


def after_answer(delivery_id: UUID, tries: int, answer: Answer, now: datetime) -> Settlement:
    """Judge a reply to try number `tries` (the first is 1)."""
    if 200 <= answer.status < 300:
        return Settlement(DeliveryStatus.DELIVERED, None, answer.status, None)
    error = f"answered {answer.status}"
    if answer.status == GONE:
        return Settlement(DeliveryStatus.DISABLED, None, answer.status, error)
    not_before = _retry_after(answer, now) if answer.status in _BUSY else None
    return _again(delivery_id, tries, now, status_code=answer.status, error=error, not_before=not_before)


def after_failure(delivery_id: UUID, tries: int, detail: str, now: datetime) -> Settlement:
    """Judge try number `tries` that got no answer."""
    return _again(delivery_id, tries, now, status_code=None, error=detail, not_before=None)


def _again(
    delivery_id: UUID,
    tries: int,
    now: datetime,
    *,
    status_code: int | None,
    error: str,
    not_before: datetime | None,
) -> Settlement:
    if tries >= MAX_TRIES:
        return Settlement(DeliveryStatus.FAILED, None, status_code, error)
    planned = now + timedelta(seconds=DELAYS_S[tries - 1] * _jitter(delivery_id, tries))
    due_at = planned if not_before is None else max(planned, not_before)
    return Settlement(DeliveryStatus.PENDING, due_at, status_code, error)


def _jitter(delivery_id: UUID, tries: int) -> float:
    seed = hashlib.sha256(f"{delivery_id}:{tries}".encode()).digest()
    share = int.from_bytes(seed[:8]) / 2**64
    return 1 + (2 * share - 1) * JITTER_PCT / 100


def _retry_after(answer: Answer, now: datetime) -> datetime | None:
    """Read Retry-After, seconds or an HTTP date, at most a day ahead; None when absent or unreadable."""
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return now + min(timedelta(seconds=min(int(value[:9]), 10**6)), MAX_RETRY_AFTER)
    try:
        instant = parsedate_to_datetime(value)
    except ValueError:
        return None
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return min(aware, now + MAX_RETRY_AFTER)
