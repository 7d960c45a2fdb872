"""One clock that paces the outbound audio of every line in the process.

A single absolute 20 ms beat, split into phases so that a process full of lines does not send in one burst. Decides when
a line is asked to send, not what. A beat that comes late is counted; the next one is where it would have been anyway.
"""

import asyncio
from bisect import bisect_left
from collections.abc import Callable, Iterator
from typing import Protocol

PERIOD_S = 0.02
PHASES = 5

LATENESS_BOUNDS_MS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 500.0)


class Paced(Protocol):
    """Something that sends a little audio at every beat."""

    def tick(self, now: float) -> None:
        """Send what is due at the monotonic instant; must not block."""


class Lateness:
    """How late beats were, counted per line that was served.

    Attributes:
        counts: lines served per bucket of `LATENESS_BOUNDS_MS`, the last one beyond all bounds.
        sum_ms: total lateness.
    """

    __slots__ = ("counts", "sum_ms")

    def __init__(self) -> None:
        self.counts = [0] * (len(LATENESS_BOUNDS_MS) + 1)
        self.sum_ms = 0.0

    def count(self, late_ms: float, lines: int) -> None:
        """Count a beat that served this many lines."""
        self.counts[bisect_left(LATENESS_BOUNDS_MS, late_ms)] += lines
        self.sum_ms += max(0.0, late_ms) * lines

    def quantile_ms(self, q: float) -> float:
        """Return the upper bound of the bucket that holds the quantile; infinite beyond all bounds."""
        rank = q * sum(self.counts)
        seen = 0
        for bound, count in zip((*LATENESS_BOUNDS_MS, float("inf")), self.counts, strict=True):
            seen += count
            if seen >= rank:
                return bound
        return float("inf")


class PaceClock:
    """Ask each registered line to send, every 20 ms on an absolute clock.

    Args:
        loop: the running loop; create and use the clock on its thread only.
        now: monotonic seconds.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, now: Callable[[], float]) -> None:
        self.lateness = Lateness()
        origin = now()
        step = PERIOD_S / PHASES
        self._phases = tuple(_Phase(loop, now, origin + step * index, self.lateness) for index in range(PHASES))
        self._phase_of: dict[int, _Phase] = {}

    def __len__(self) -> int:
        return len(self._phase_of)

    def add(self, line: Paced) -> None:
        """Serve the line from now on, in the phase that has the fewest lines."""
        if id(line) not in self._phase_of:
            phase = min(self._phases, key=lambda candidate: len(candidate.lines))
            self._phase_of[id(line)] = phase
            phase.add(line)

    def remove(self, line: Paced) -> None:
        """Stop serving the line; an unknown one is no error."""
        phase = self._phase_of.pop(id(line), None)
        if phase is not None:
            phase.lines = tuple(other for other in phase.lines if other is not line)


class _Phase:
    """A fifth of the lines, all served at the same beat. Beats only while it has lines."""

    __slots__ = ("_beating", "_due_at", "_lateness", "_loop", "_now", "lines")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, now: Callable[[], float], origin: float, lateness: Lateness
    ) -> None:
        self.lines: tuple[Paced, ...] = ()
        self._loop = loop
        self._now = now
        self._due_at = origin
        self._lateness = lateness
        self._beating = False

    def add(self, line: Paced) -> None:
        self.lines = (*self.lines, line)
        if not self._beating:
            self._beating = True
            self._schedule()

    def _schedule(self) -> None:
        now = self._now()
        if self._due_at <= now:
            self._due_at += PERIOD_S * (int((now - self._due_at) / PERIOD_S) + 1)
        self._loop.call_later(self._due_at - now, self._beat)

    def _beat(self) -> None:
        lines = self.lines
        if not lines:
            self._beating = False
            return
        due_at = self._due_at
        self._due_at = due_at + PERIOD_S
        self._schedule()
        self._serve(iter(lines), self._now())
        self._lateness.count((self._now() - due_at) * 1000, len(lines))

    def _serve(self, lines: Iterator[Paced], now: float) -> None:
        """Serve the lines; a line that raises reports to the loop's handler and does not stop the others."""
        whole = False
        try:
            for line in lines:
                line.tick(now)
            whole = True
        finally:
            if not whole:
                self._loop.call_soon(self._serve, lines, now)
