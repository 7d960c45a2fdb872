"""Twilio's control side over HTTP: dial, hang up, find, look up.

Decides only what may be asked twice: a dial is sent once, over a connection of its own, since a reset on a pooled one
would leave its fate open; the other requests change nothing by being repeated and are retried for a few seconds. What
the answers mean is decided in `rest`.
"""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from media.carriers.twilio.rest import (
    API_VERSION,
    CallPage,
    already_ended,
    describe,
    dial_form,
    read_call,
    read_dial,
    read_object,
    read_page,
)
from media.errors import CarrierRefusal, CarrierUnreachable, DialUnknown
from media.ports import CarrierCall, DialRequest
from schema.outcomes import EndReason, Outcome

_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
_PAGE_SIZE = 50
_PAGES_MAX = 20
_PLACED_WITHIN_S = 60.0
_CLOCK_SLACK_S = 2.0
"""Twilio's dates have whole seconds, and its clock is not ours."""


class _Passing(CarrierUnreachable):
    """A fault that a second try may not meet."""


class TwilioCarrier:
    """One Twilio account.

    Args:
        base_url: address of the REST interface, e.g. https://api.twilio.com.
        account_sid: the account's id, also the user name.
        auth_token: the account's secret.
        transport: HTTP transport, the network by default.
        pause: waits the given seconds between tries.
    """

    def __init__(
        self,
        *,
        base_url: str,
        account_sid: str,
        auth_token: str,
        transport: httpx.AsyncBaseTransport | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._calls_path = f"/{API_VERSION}/Accounts/{account_sid}/Calls"
        self._pause = pause
        self._client = httpx.AsyncClient(
            base_url=base_url,
            auth=(account_sid, auth_token),
            timeout=_TIMEOUT,
            limits=httpx.Limits(max_connections=50, max_keepalive_connections=0),
            transport=transport,
        )

    async def dial(self, request: DialRequest) -> str:
        """Place the call; answer with Twilio's call SID.

        Raises:
            CarrierRefusal: Twilio, or the lack of a connection to it, proves that no call was placed.
            DialUnknown: The request may have been carried out.
        """
        try:
            response = await self._client.post(f"{self._calls_path}.json", data=dial_form(request))
        except _NEVER_SENT as error:
            detail = f"not sent: {type(error).__name__}"
            raise CarrierRefusal(detail, EndReason.CARRIER_UNREACHABLE, Outcome.CARRIER_REFUSED, 0) from error
        except httpx.HTTPError as error:
            raise DialUnknown(f"no answer: {type(error).__name__}") from error
        return read_dial(response.status_code, response.content)

    async def hang_up(self, provider_call_id: str) -> None:
        """End the call, whether it rings or is answered. Raises CarrierUnreachable."""
        path = f"{self._calls_path}/{provider_call_id}.json"
        await self._persist("POST", path, form={"Status": "completed"}, gone_is_fine=already_ended)

    async def look_up(self, provider_call_id: str) -> CarrierCall | None:
        """Read one call; None when Twilio has none of that id. Raises CarrierUnreachable."""
        path = f"{self._calls_path}/{provider_call_id}.json"
        response = await self._persist("GET", path, gone_is_fine=lambda status, _body: status == 404)
        if response.status_code == 404:
            return None
        try:
            return read_call(read_object(response.content))
        except ValueError as error:
            raise CarrierUnreachable(f"unreadable answer: {error}") from error

    async def find(self, to: str, from_: str, since_s: float, known: frozenset[str]) -> CarrierCall | None:
        """Find the first call between the numbers created soon after the unix instant, apart from `known`.

        A dial request is answered or given up within seconds, so a call created a minute later is somebody else's.

        Raises:
            CarrierUnreachable: Twilio could not be asked, or has more calls than can be looked through.
        """
        query = httpx.QueryParams({"To": to, "From": from_, "PageSize": str(_PAGE_SIZE)})
        path = f"{self._calls_path}.json?{query}"
        earliest_at = since_s - _CLOCK_SLACK_S
        found: CarrierCall | None = None
        for _ in range(_PAGES_MAX):
            page = await self._page(path)
            for listed in page.calls:
                if listed.created_at is not None and listed.created_at < earliest_at:
                    return found
                late = listed.created_at is not None and listed.created_at > since_s + _PLACED_WITHIN_S
                if not late and listed.call.provider_call_id not in known:
                    found = listed.call
            if page.next_path is None:
                return found
            path = page.next_path
        raise CarrierUnreachable(f"more than {_PAGES_MAX * _PAGE_SIZE} calls between the numbers")

    async def close(self) -> None:
        """Close the HTTP client."""
        await self._client.aclose()

    async def _page(self, path: str) -> CallPage:
        response = await self._persist("GET", path)
        try:
            return read_page(response.content)
        except ValueError as error:
            raise CarrierUnreachable(f"unreadable answer: {error}") from error

    async def _persist(
        self,
        method: str,
        path: str,
        *,
        form: dict[str, str] | None = None,
        gone_is_fine: Callable[[int, bytes], bool] = lambda _status, _body: False,
    ) -> httpx.Response:
        """Ask up to three times within a few seconds."""
        tries = AsyncRetrying(
            retry=retry_if_exception_type(_Passing),
            stop=stop_after_attempt(3),
            wait=wait_random_exponential(multiplier=0.2, max=1.0),
            sleep=self._pause,
            reraise=True,
        )
        return await tries(self._ask, method, path, form, gone_is_fine)

    async def _ask(
        self, method: str, path: str, form: dict[str, str] | None, gone_is_fine: Callable[[int, bytes], bool]
    ) -> httpx.Response:
        try:
            response = await self._client.request(method, path, data=form)
        except httpx.HTTPError as error:
            raise _Passing(type(error).__name__) from error
        status = response.status_code
        if status < 300 or gone_is_fine(status, response.content):
            return response
        detail = describe(status, read_object(response.content))
        raise (_Passing if status == 429 or status >= 500 else CarrierUnreachable)(detail)
