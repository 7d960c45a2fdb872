"""Names of webhook events. Data goes into fields; a name is a constant."""

from enum import StrEnum


class EventType(StrEnum):
    """Webhook event types an account can receive."""

    CALL_COMPLETED = "call.completed"
    CALL_FAILED = "call.failed"
    CALL_CANCELLED = "call.cancelled"
    CAMPAIGN_STARTED = "campaign.started"
    CAMPAIGN_PAUSED = "campaign.paused"
    CAMPAIGN_RESUMED = "campaign.resumed"
    CAMPAIGN_COMPLETED = "campaign.completed"
    CAMPAIGN_STOPPED = "campaign.stopped"


CALL_EVENTS = (
    EventType.CALL_COMPLETED,
    EventType.CALL_FAILED,
    EventType.CALL_CANCELLED,
)
DEFAULT_CALL_EVENTS = (EventType.CALL_COMPLETED, EventType.CALL_FAILED)
"""What a call's own `webhook_url` receives when `webhook_events` does not say."""


class DeliveryStatus(StrEnum):
    """pending: due now or later. delivered, failed (tries spent), disabled (receiver answered 410): terminal."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    DISABLED = "disabled"
