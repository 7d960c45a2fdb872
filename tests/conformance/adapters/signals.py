"""Waiting for conditions inside one event loop: woken by what a test's own sink hears, else looking now and then."""

import asyncio
import contextlib
from collections.abc import Callable

WITHIN_S = 20.0
LOOK_EVERY_S = 0.02


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
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(event.wait(), LOOK_EVERY_S)
        finally:
            self._waiting.remove(event)
