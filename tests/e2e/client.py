"""What tests ask of the API beyond the demo's client: refusals as they are, and proof that time has passed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.e2e.phonebook import new_number
from tests.installation import Customer, Installation


def answer_of(customer: Customer, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
    """Send one request with the customer's key."""
    headers = {"Authorization": f"Bearer {customer.api_key}"}
    with httpx.Client(base_url=customer.api_url, headers=headers, timeout=10, trust_env=False) as client:
        return client.request(method, path, json=body)


def a_claim_later(up: Installation) -> None:
    """Wait until the claim tick has run: a call that only it can start has been dialled."""
    customer = up.customer()
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    customer.ended(customer.call(phone_number=new_number("busy"), scheduled_at=soon))
