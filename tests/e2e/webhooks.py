"""What arrived at a customer's receiver, each delivery vouched for by the public Standard Webhooks library."""

import json
from dataclasses import dataclass
from typing import Any

from standardwebhooks.webhooks import Webhook

from deploy.simulator.process import World
from tests.installation import Customer

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """One verified delivery; `delivery_id` is its `webhook-id` header."""

    delivery_id: str
    type: str
    body: Json

    @property
    def data(self) -> Json:
        """Return the record the event carries."""
        record: Json = self.body["data"]
        return record


def events_of(world: World, customer: Customer) -> list[Event]:
    """Verify and read everything a customer's receiver got, oldest first."""
    verifier = Webhook(customer.webhook_secret)
    found = []
    for delivery in world.sink(customer.sink):
        headers = {name.lower(): value for name, value in delivery["headers"].items()}
        verifier.verify(delivery["body"], headers)
        body = json.loads(delivery["body"])
        found.append(Event(headers["webhook-id"], body["type"], body))
    return found
