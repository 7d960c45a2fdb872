"""An event loop whose clock jumps: timers fire in order at once, nobody sleeps, every run is the same.

When nothing is ready the clock moves to the next timer. A loop that waits for nothing at all is a deadlock and says so.
Threads have no place in it: give what needs an executor the `InlineExecutor`.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

RESOLUTION_S = 1e-9


class Deadlock(AssertionError):
    """Every task waits for something that no timer and no task will bring."""


class _JumpingSelector(selectors.SelectSelector):
    """Waits for no file: moves the clock instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise Deadlock("nothing is scheduled: every task waits for ever")
            self.now += max(0.0, timeout)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop on virtual time, which begins at 1000 s."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        self._clock_resolution = RESOLUTION_S

    def time(self) -> float:
        """Return virtual monotonic seconds."""
        return self._jumping.now


def run_virtual(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function to its end on virtual time.

    Raises:
        AssertionError: tasks outlived it.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_without_leaks(work))


async def _without_leaks(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    result = await work()
    leaked = asyncio.all_tasks() - {asyncio.current_task()}
    assert not leaked, f"tasks left behind: {leaked}"
    return result


class InlineExecutor(Executor):
    """Runs everything at once in the caller's thread."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run the function now and return its finished future."""
        future: Future[T] = Future()
        future.set_result(fn(*args, **kwargs))
        return future
