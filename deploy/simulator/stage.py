"""What all simulated vendors share: settings, ground truth, armed faults, people, received webhooks, running tasks.

Owns the one outgoing HTTP client, which reaches loopback only: the simulated world never touches a real network.
"""

import asyncio
import logging
from collections.abc import Coroutine
from ipaddress import ip_address
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import aiohttp
from aiohttp import web

from deploy.simulator.callees import Callees
from deploy.simulator.faults import Faults
from deploy.simulator.ledger import Ledger
from deploy.simulator.settings import WorldSettings
from deploy.simulator.webhook_sink import Sink

T = TypeVar("T")

_LOG: Final = logging.getLogger("deploy.simulator")
_TIMEOUT: Final = aiohttp.ClientTimeout(total=15, connect=5)


class NotLoopback(ValueError):
    """An address outside this machine was given to the simulated world."""


def require_loopback(url: str) -> None:
    """Refuse an address that is not on this machine.

    Raises:
        NotLoopback: the host is neither localhost nor a loopback address.
    """
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return
    try:
        inside = ip_address(host).is_loopback
    except ValueError:
        inside = False
    if not inside:
        raise NotLoopback(f"{url} is not on this machine")


class Stage:
    """The state of one simulated world."""

    def __init__(self, settings: WorldSettings, callees: Callees) -> None:
        self.settings = settings
        self.callees = callees
        self.faults = Faults()
        self.ledger = Ledger(settings.log_dir)
        self.sink = Sink(self.ledger)
        self._http: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def http(self) -> aiohttp.ClientSession:
        """The outgoing HTTP client."""
        if self._http is None:
            self._http = aiohttp.ClientSession(
                timeout=_TIMEOUT, connector=aiohttp.TCPConnector(limit=0), trust_env=False, auto_decompress=False
            )
        return self._http

    def spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run a coroutine beside others until it ends or the world does."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _LOG.error("a part of the simulated world failed", exc_info=error)

    async def close(self) -> None:
        """Cancel what runs and close the client."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.close()


STAGE: Final = web.AppKey("stage", Stage)


def stage_of(request: web.Request) -> Stage:
    """Return the world that a request came to."""
    return request.app[STAGE]
