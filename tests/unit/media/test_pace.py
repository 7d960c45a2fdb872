"""One pace clock for every line of a process."""

import asyncio
from collections import Counter

from media.audio.pace import Lateness, PaceClock
from tests.virtual_time import run_virtual


class Metronome:
    """Remembers when it was asked to send."""

    def __init__(self) -> None:
        self.at: list[float] = []

    def tick(self, now: float) -> None:
        self.at.append(now)


class Broken:
    """Fails at every beat."""

    def tick(self, now: float) -> None:
        raise RuntimeError("broken line")


def test_a_line_is_asked_every_20_ms_without_drift() -> None:
    async def play() -> list[float]:
        loop = asyncio.get_running_loop()
        pace, line = PaceClock(loop, loop.time), Metronome()
        pace.add(line)
        await asyncio.sleep(10)
        pace.remove(line)
        return line.at

    at = run_virtual(play)
    assert len(at) in (500, 501)
    assert all(abs(instant - at[0] - index * 0.02) < 1e-6 for index, instant in enumerate(at))


def test_lines_are_spread_over_the_period() -> None:
    async def play() -> Counter[int]:
        loop = asyncio.get_running_loop()
        pace, lines = PaceClock(loop, loop.time), [Metronome() for _ in range(200)]
        for line in lines:
            pace.add(line)
        await asyncio.sleep(0.5)
        assert len(pace) == 200
        for line in lines:
            pace.remove(line)
        return Counter(round(line.at[-1] * 1000) % 20 for line in lines)

    assert sorted(run_virtual(play).values()) == [40, 40, 40, 40, 40]


def test_a_clock_without_lines_stands_still() -> None:
    async def play() -> None:
        loop = asyncio.get_running_loop()
        pace, line = PaceClock(loop, loop.time), Metronome()
        pace.add(line)
        pace.add(line)
        await asyncio.sleep(0.1)
        pace.remove(line)
        pace.remove(line)
        seen = len(line.at)
        await asyncio.sleep(1)
        assert len(line.at) == seen
        pace.add(line)
        await asyncio.sleep(0.1)
        assert len(line.at) > seen
        pace.remove(line)

    run_virtual(play)


def test_a_broken_line_is_reported_and_holds_up_no_other() -> None:
    async def play() -> tuple[int, int]:
        loop = asyncio.get_running_loop()
        reported: list[object] = []
        loop.set_exception_handler(lambda _, context: reported.append(context))
        pace, broken, line = PaceClock(loop, loop.time), Broken(), Metronome()
        pace.add(broken)
        others = [Metronome() for _ in range(4)]
        for other in (*others, line):
            pace.add(other)
        await asyncio.sleep(0.2)
        pace.remove(broken)
        for each in (*others, line):
            pace.remove(each)
        await asyncio.sleep(0.1)
        return len(line.at), len(reported)

    beats, reports = run_virtual(play)
    assert beats >= 9
    assert reports >= 9


def test_lateness_is_counted_per_line_in_buckets() -> None:
    lateness = Lateness()
    lateness.count(0.4, 98)
    lateness.count(3.0, 1)
    lateness.count(700.0, 1)
    assert lateness.counts == [98, 0, 1, 0, 0, 0, 0, 0, 1]
    assert lateness.quantile_ms(0.5) == 1.0
    assert lateness.quantile_ms(0.99) == 5.0
    assert lateness.quantile_ms(1.0) == float("inf")
