"""Waiting for named conditions inside one event loop, without sleeping."""

import asyncio
from collections.abc import Callable

WITHIN_S = 20.0


class Changes:
    """Wakes whoever waits for a condition each time something changed."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Event] = []

    def tell(self) -> None:
        """Something changed."""
        for event in self._waiting:
            event.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until the condition holds. Raises TimeoutError."""
        event = asyncio.Event()
        self._waiting.append(event)
        try:
            async with asyncio.timeout(WITHIN_S):
                while not holds():
                    event.clear()
                    await event.wait()
        finally:
            self._waiting.remove(event)
