"""A wake-up call: wait until somebody rings or a deadline passes, whichever comes first."""

import asyncio


class Alarm:
    """Wakes one waiting task. A ring while nobody waits is kept."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake the waiting task."""
        self._event.set()

    async def wait(self, within_s: float | None) -> None:
        """Return at the next ring, or after the time."""
        try:
            async with asyncio.timeout(within_s):
                await self._event.wait()
        except TimeoutError:
            return
        finally:
            self._event.clear()
