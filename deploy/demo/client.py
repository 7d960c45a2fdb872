"""The demo as an API client: everything it does, a developer could do with curl."""

from typing import Any

import httpx

Json = dict[str, Any]


class ApiError(Exception):
    """The API refused a request; the message is its own explanation."""


class TrunklineClient:
    """A thin client of the HTTP API."""

    def __init__(self, base_url: str, api_key: str) -> None:
        self._http = httpx.Client(
            base_url=base_url, headers={"Authorization": f"Bearer {api_key}"}, timeout=10, trust_env=False
        )

    def post(self, path: str, body: Json | None = None) -> Json:
        """Send JSON and return the answer.

        Raises:
            ApiError: the answer is not a success.
        """
        return self._answer(self._http.post(path, json=body or {}))

    def get(self, path: str, **params: object) -> Json:
        """Read a resource.

        Raises:
            ApiError: the answer is not a success.
        """
        return self._answer(self._http.get(path, params={k: str(v) for k, v in params.items()}))

    def pages(self, path: str, **params: object) -> list[Json]:
        """Read a whole list, page by page."""
        rows: list[Json] = []
        cursor: str | None = None
        while True:
            page = self.get(path, limit=200, **params, **({"cursor": cursor} if cursor else {}))
            rows.extend(page["data"])
            cursor = page["next_cursor"]
            if not page["has_more"]:
                return rows

    def ready(self) -> bool:
        """Tell whether the API answers and its dependencies are up."""
        try:
            return self._http.get("/readyz", timeout=2).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _answer(self, response: httpx.Response) -> Json:
        if response.is_error:
            raise ApiError(f"{response.request.method} {response.request.url.path}: {response.text}")
        body: Json = response.json()
        return body
