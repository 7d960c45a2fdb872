"""An announcer that keeps what it is told, and a sender that answers the bell at once."""

from dataclasses import dataclass, field
from uuid import UUID

from dispatcher.announce import SilentAnnouncer
from dispatcher.egress import Egress
from dispatcher.services.deliver import send_delivery, sweep_deliveries
from dispatcher.store.db import Database


@dataclass(slots=True)
class KeptBells(SilentAnnouncer):
    """Remembers whom it was to ring."""

    delivered: list[tuple[UUID, int]] = field(default_factory=list)
    analysed: list[tuple[UUID, int]] = field(default_factory=list)

    def deliver(self, delivery_id: UUID, token: int) -> None:
        self.delivered.append((delivery_id, token))

    def analyse(self, call_id: UUID, token: int) -> None:
        self.analysed.append((call_id, token))


def send_all_due(db: Database, egress: Egress, **options: str) -> int:
    """Sweep once and answer every bell; return how many rang."""
    bells = KeptBells()
    sweep_deliveries(db, bells)
    for delivery_id, token in bells.delivered:
        send_delivery(db, delivery_id, token, egress, **options)
    return len(bells.delivered)
