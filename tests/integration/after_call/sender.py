"""A sender as a process of its own, to be killed: python -m … DATABASE_URL INSTANT DELIVERY_ID TOKEN."""

import sys
from datetime import datetime
from uuid import UUID

from dispatcher.egress import Egress
from dispatcher.services.deliver import send_delivery
from dispatcher.store.db import Database
from tests.builders.clock import Clock


def main(database_url: str, instant: str, delivery_id: str, token: str) -> None:
    db = Database(database_url, clock=Clock(datetime.fromisoformat(instant)))
    send_delivery(db, UUID(delivery_id), int(token), Egress(allow_private=True, timeout_s=60))


if __name__ == "__main__":
    main(*sys.argv[1:])
