"""The process's single event loop, in a thread of its own beside Celery's task threads."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import TypeVar

import uvloop

T = TypeVar("T")


class LoopThread:
    """An event loop that lives in its own thread from `start` to `stop`."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="media-loop", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def run(self, work: Coroutine[object, object, T]) -> T:
        """Run a coroutine on the loop and wait for its result; call from any other thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def call(self, act: Callable[[], object]) -> None:
        """Run a plain function on the loop soon, without waiting."""
        self._loop.call_soon_threadsafe(act)

    def stop(self) -> None:
        """Stop the loop and wait for its thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()
