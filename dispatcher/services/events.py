"""What the outside world is told: outbox rows written in the transaction of the state change they report.

Sending is `dispatcher.services.deliver`'s business; here it is only decided who is told what. Call it after the state
change, inside the same transaction: the payload shows the rows as they then are. A repeat adds nothing.
"""

from uuid import UUID

from dispatcher.services.call_record import call_record
from dispatcher.services.campaign_record import campaign_record
from dispatcher.services.webhook_payload import call_envelope, campaign_envelope
from dispatcher.store.db import Tx
from dispatcher.store.deliveries import NewDelivery, add_deliveries
from dispatcher.store.subscriptions import Subscriber, call_subscribers, campaign_subscribers
from schema.events import EventType
from schema.records import WebhookEnvelope

_REPEATABLE = frozenset({EventType.CAMPAIGN_PAUSED, EventType.CAMPAIGN_RESUMED})


def emit_call_event(tx: Tx, call_id: UUID, event: EventType) -> None:
    """Queue `event` about a call for its own webhook and its campaign's, where they want it."""
    subscribers = tuple(one for one in call_subscribers(tx, call_id) if event in one.events)
    record = call_record(tx, call_id) if subscribers else None
    if record is None:
        return
    envelope = call_envelope(record, event, tx.now)
    add_deliveries(
        tx,
        tuple(_delivery(one, envelope, f"{call_id}:{event.value}:{one.url}", call_id) for one in subscribers),
    )


def emit_campaign_event(tx: Tx, campaign_id: UUID, event: EventType) -> None:
    """Queue `event` about a campaign for its webhook, where it wants it."""
    subscribers = tuple(one for one in campaign_subscribers(tx, campaign_id) if event in one.events)
    record = campaign_record(tx, campaign_id) if subscribers else None
    if record is None:
        return
    occurrence = tx.now.isoformat() if event in _REPEATABLE else ""
    envelope = campaign_envelope(record, event, occurrence, subscribers[0].account_id, tx.now)
    add_deliveries(
        tx,
        tuple(
            _delivery(one, envelope, f"{campaign_id}:{event.value}:{occurrence}:{one.url}", None) for one in subscribers
        ),
    )


def _delivery(subscriber: Subscriber, envelope: WebhookEnvelope, dedupe_key: str, call_id: UUID | None) -> NewDelivery:
    return NewDelivery(
        account_id=subscriber.account_id,
        call_id=call_id,
        campaign_id=subscriber.campaign_id,
        event_type=envelope.type,
        dedupe_key=dedupe_key,
        url=subscriber.url,
        payload=envelope.model_dump(mode="json"),
    )
