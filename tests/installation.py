"""A whole Trunkline for the tests: real servers, the simulated world, every process of the Procfile.

Used by `tests/e2e` and `tests/fault`; everything is reached the way a customer reaches it, over HTTP.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.keys import create_key
from deploy.demo.client import TrunklineClient
from deploy.embedded.stack import StackControl, controlled_stack
from deploy.embedded.supervisor import Supervisor
from deploy.launch import ROOT, VENDORS, free_port, process_env
from deploy.simulator.process import World, world_process
from dispatcher.services.keys import KeyOrder, mint_key
from dispatcher.store.db import Database
from tests.waiting import wait_for

PEOPLE = Path(__file__).with_name("people.yaml")
FROM_NUMBER = "+18005551234"
MINUTES = 1_000
ENDED = {"completed", "failed", "cancelled"}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Customer:
    """An account of its own: its API client, its webhook secret and its mailbox at the receiver."""

    client: TrunklineClient
    webhook_secret: str
    sink: str
    api_url: str
    api_key: str

    def call(self, **fields: object) -> str:
        """Post a direct call and return its id."""
        body = {"from_number": FROM_NUMBER, "task": "Confirm the appointment tomorrow.", "max_duration": 2, **fields}
        return str(self.client.post("/v1/calls", body)["call_id"])

    def ended(self, call_id: str, within_s: float = 60) -> Json:
        """Wait until a call has ended and its post-processing is finished; return its record."""

        def look() -> Json | None:
            record = self.client.get(f"/v1/calls/{call_id}")
            over = record["status"] in ENDED and (record["completed"] or record["status"] != "completed")
            return record if over else None

        return wait_for(look, what=f"end of call {call_id}", within_s=within_s)


@dataclass(frozen=True, slots=True)
class Installation:
    """Handles of everything that runs."""

    stack: StackControl
    world: World
    supervisor: Supervisor
    api_url: str
    data_dir: Path

    def customer(self, minutes: int = MINUTES, *, live_calls: int | None = None) -> Customer:
        """Open a fresh account with quota and a key; `live_calls` is how many of its calls may be live at once."""
        name = f"customer-{uuid.uuid4().hex[:12]}"
        database_url = self.stack.addresses.database_url
        if live_calls is not None:
            _open_narrow_account(database_url, name, live_calls)
        created = create_key(
            database_url,
            account=name,
            minutes=minutes,
            from_number=FROM_NUMBER,
            max_concurrent_calls=100,
            max_calls_per_minute=1_000,
        )
        client = TrunklineClient(self.api_url, created.api_key)
        return Customer(client, created.webhook_secret, name, self.api_url, created.api_key)

    def top_up(self, customer: Customer, minutes: int) -> None:
        """Grant a customer more minutes."""
        create_key(self.stack.addresses.database_url, account=customer.sink, minutes=minutes, from_number=FROM_NUMBER)


def _open_narrow_account(database_url: str, name: str, live_calls: int) -> None:
    database = Database(database_url, pool_size=1)
    try:
        mint_key(database, KeyOrder(account=name, name="none", scopes=(), max_concurrent_calls=live_calls))
    finally:
        database.dispose()


@contextmanager
def installation(
    data_dir: Path, *, media_workers: int = 2, slots: int = 8, env: Json | None = None
) -> Iterator[Installation]:
    """Start everything, wait until the API is ready, stop everything."""
    with (
        controlled_stack(data_dir / "stack") as stack,
        world_process(callees=PEOPLE, log_dir=data_dir / "world") as world,
    ):
        web_port = free_port()
        environment = process_env(
            database_url=stack.addresses.database_url,
            broker_url=stack.addresses.redis_url,
            world_url=world.base_url,
            simulated=VENDORS,
            web_port=web_port,
            data_dir=data_dir,
            media_slots=slots,
        )
        environment.update(MEDIA_DRAIN_GRACE_S="5", **(env or {}))
        with Supervisor(
            ROOT / "Procfile",
            scale={"media": media_workers},
            env=environment,
            log_dir=data_dir / "logs",
            grace_s=10.0,
        ) as supervisor:
            running = Installation(stack, world, supervisor, f"http://127.0.0.1:{web_port}", data_dir)
            probe = TrunklineClient(running.api_url, "none")
            wait_for(probe.ready, what="the API to be ready", within_s=60)
            yield running
