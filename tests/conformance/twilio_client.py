"""Twilio's own Python client, pointed at the simulated carrier."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from deploy.simulator.process import World
from deploy.simulator.settings import DEFAULT_TWILIO_SID, DEFAULT_TWILIO_TOKEN

OUR_NUMBER = "+13105550100"


class LoopbackHttpClient(TwilioHttpClient):
    """Sends what the client would send to api.twilio.com to another host."""

    def __init__(self, base_url: str) -> None:
        super().__init__(timeout=10, proxy={"http": "", "https": ""})
        self._base = urlsplit(base_url)

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        asked = urlsplit(url)
        assert asked.netloc == "api.twilio.com"
        moved = urlunsplit((self._base.scheme, self._base.netloc, asked.path, asked.query, asked.fragment))
        return super().request(method, moved, *args, **kwargs)


def twilio_client(world: World, *, token: str = DEFAULT_TWILIO_TOKEN) -> Client:
    """Return the client with the simulated account."""
    return Client(DEFAULT_TWILIO_SID, token, http_client=LoopbackHttpClient(world.base_url))
