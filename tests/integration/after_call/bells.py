"""Answering the outbox's bell at once, in the test's own thread."""

from dispatcher.egress import Egress
from dispatcher.services.deliver import send_delivery, sweep_deliveries
from dispatcher.store.db import Database
from tests.builders.announcer import RecordingAnnouncer


def send_all_due(db: Database, egress: Egress, **options: str) -> int:
    """Sweep once and answer every bell; return how many rang."""
    bells = RecordingAnnouncer()
    sweep_deliveries(db, bells)
    for delivery_id, token in bells.deliveries:
        send_delivery(db, delivery_id, token, egress, **options)
    return len(bells.deliveries)
