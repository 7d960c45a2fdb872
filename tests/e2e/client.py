"""Requests whose refusal is the point: the plain HTTP answer, whatever its status."""

from typing import Any

import httpx

from tests.installation import Customer


def answer_of(customer: Customer, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
    """Send one request with the customer's key."""
    headers = {"Authorization": f"Bearer {customer.api_key}"}
    with httpx.Client(base_url=customer.api_url, headers=headers, timeout=10, trust_env=False) as client:
        return client.request(method, path, json=body)
