"""Live calls of one media process: how many fit a core, what each costs, how much latency and memory it adds.

The media process is the worker's own but for its desk, which is a shelf instead of database and Celery; the outside
world speaks the vendors' wire protocols from a second process and measures from there. The baseline forwards frames.
"""

import importlib.util
import math
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from tempfile import TemporaryDirectory

from bench.children import Child, Json, MediaProcess, wait_until
from bench.idle_worker import idle_worker_mb
from bench.measure import Figure, cpu_s, resident_mb, rounds, setting

CALLS = int(setting("BENCH_CALLS", 60, 20))
"""Calls at which costs are compared, the number of the anchor runs."""
STEP = int(setting("BENCH_CALLS_STEP", 40, 20))
MOST = int(setting("BENCH_CALLS_MOST", 600, 60))
WINDOW_S = setting("BENCH_WINDOW_S", 5, 3)
SETTLE_S = 3.0
JOIN_S = 20.0
RAMP_CALLS = 10
RAMP_S = 0.3
LATE_MS = 20.0
FRAMES_PER_S = 50
MOST_FRAMES = 0.97
"""So many of the callee frames due in a window must have arrived; its edges are not sharp."""
FORWARDER = "a bare aiohttp + uvloop + orjson forwarder"
PIPECAT_OVER_FORWARDER = 0.59 / 0.12
"""The least pipecat needed in the anchor runs, over what the same forwarder needed there."""


def _config(mode: str, background_audio: str = "office") -> Json:
    return {
        "task": "Confirm the appointment of tomorrow morning",
        "first_sentence": "Hello, this is Sarah.",
        "mode": mode,
        "background_audio": background_audio,
        "max_duration": 60,
        "voicemail": {"detect": "off"},
    }


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing to be measured: its calls' caller id by which the world knows them, and their configuration."""

    group: str
    config: Json | None


REALTIME = Kind("+18005550001", _config("realtime"))
QUIET = Kind("+18005550002", _config("realtime", "none"))
LEGACY = Kind("+18005550003", _config("legacy"))
FORWARD = Kind("forwarder", None)


class Subject:
    """A process under test that carries calls: a media process, or the forwarder."""

    def __init__(self, kind: Kind, world: Child, recordings_dir: str, core: int | None = None) -> None:
        self.group = kind.group
        self.calls = 0
        self._world = world
        url = str(world.ready["url"])
        self._media = (
            MediaProcess(url, kind.group, kind.config, slots=MOST, recordings_dir=recordings_dir, core=core)
            if kind.config is not None
            else None
        )
        self._process = self._media or Child("bench.forwarder", f"ws{url.removeprefix('http')}/echo", core=core)
        self.pid = self._process.pid

    def grow(self, calls: int) -> None:
        """Carry so many calls, begun a few at a time."""
        while self.calls < calls:
            more = min(RAMP_CALLS, calls - self.calls)
            self.calls += more
            if self._media is not None:
                self._media.add(more)
            else:
                self._world.ask(dial=self._process.ready["url"], group=self.group, calls=more)
            time.sleep(RAMP_S)

    def carries_all(self) -> bool:
        """Tell whether every call is alive."""
        return self._media is None or (self._media.live() == self.calls and not self._media.failures())

    def lateness_ms(self) -> float:
        """Return the p99 of agent frames' lateness by the process's own clock since the last time; 0 without one."""
        return self._media.lateness_ms() if self._media is not None else 0.0

    def close(self) -> None:
        """End the process and its calls."""
        self._process.close()


@dataclass(frozen=True, slots=True)
class Window:
    """A few seconds of one subject: core seconds a second, frame lateness in ms, memory, and what the world saw."""

    calls: int
    cpu: float
    pace_ms: float
    memory_mb: float
    seen: dict[str, Json]
    world_ms: float

    def __str__(self) -> str:
        heard = self.seen.get("heard", {}).get("p99", math.nan)
        return (
            f"{self.cpu:.2f} cores, {self.memory_mb:.0f} MB, p99 lateness of agent frames <= {self.pace_ms:g} ms, "
            f"of callee frames {heard:.1f} ms, of the world itself {self.world_ms:.1f} ms"
        )

    @property
    def in_time(self) -> bool:
        """Whether all callee frames arrived and 99 % of frames were less than 20 ms late, in both directions."""
        heard = self.seen.get("heard", {"count": 0, "p99": math.inf})
        due = self.calls * WINDOW_S * FRAMES_PER_S
        return heard["count"] >= MOST_FRAMES * due and heard["p99"] < LATE_MS and self.pace_ms <= LATE_MS


def watch(world: Child, subjects: list[Subject]) -> list[Window]:
    """Watch subjects side by side for one window."""
    world.ask(read=True)
    for subject in subjects:
        subject.lateness_ms()
    began, used = time.monotonic(), [cpu_s(subject.pid) for subject in subjects]
    time.sleep(WINDOW_S)
    lasted_s = time.monotonic() - began
    used = [cpu_s(subject.pid) - before for subject, before in zip(subjects, used, strict=True)]
    seen = world.ask(read=True)
    return [
        Window(
            calls=subject.calls,
            cpu=cpu / lasted_s,
            pace_ms=subject.lateness_ms(),
            memory_mb=resident_mb(subject.pid),
            seen=seen.get(subject.group, {}),
            world_ms=seen["world"]["own_lateness"]["p99"],
        )
        for subject, cpu in zip(subjects, used, strict=True)
    ]


def run() -> list[Figure]:
    """Measure everything about live calls."""
    if importlib.util.find_spec("pipecat") is None:
        print("     pipecat is not measured: the package pipecat-ai is not in requirements-dev.lock")
    figures = _costs()
    ladders = {kind.group: climb(kind) for kind in (REALTIME, LEGACY, FORWARD)}
    figures += _densities(ladders)
    figures += _latencies("realtime", ladders[REALTIME.group][0][1])
    figures += _latencies("legacy", ladders[LEGACY.group][0][1])
    idle_mb = idle_worker_mb()
    figures.append(Figure("memory of an idle media worker", "MB", "<= 90", idle_mb, met=idle_mb <= 90))
    return figures


def _costs() -> list[Figure]:
    """Compare processor time at the same number of calls, all subjects side by side, medians of rounds."""
    with ExitStack() as stack:
        world, recordings = _world(stack)
        subjects = [_subject(stack, kind, world, recordings) for kind in (REALTIME, QUIET, LEGACY, FORWARD)]
        for subject in subjects:
            subject.grow(CALLS)
        _settle(subjects)
        windows = [watch(world, subjects) for _ in range(rounds())]
    realtime, quiet, legacy, forward = (
        median(window.cpu for window in column) for column in zip(*windows, strict=True)
    )
    third = PIPECAT_OVER_FORWARDER / 3
    at = f"core at {CALLS} live calls"
    return [
        Figure(
            f"realtime, {at}",
            "cores",
            f"<= {third:.2f} of the forwarder, a third of pipecat's in the anchor runs",
            realtime,
            forward,
            FORWARDER,
            met=realtime <= third * forward,
        ),
        Figure(f"legacy, {at}", "cores", "(reported)", legacy, forward, FORWARDER),
        Figure(
            f"realtime with background sound, {at}",
            "cores",
            "<= 1.15 of the same calls without",
            realtime,
            quiet,
            "the same calls without background sound",
            met=realtime <= 1.15 * quiet,
        ),
    ]


def climb(kind: Kind) -> list[tuple[int, Window]]:
    """Add calls until frames are late; return every step that was in time, and at least the first."""
    steps: list[tuple[int, Window]] = []
    with ExitStack() as stack:
        world, recordings = _world(stack, core=_core(1))
        subject = _subject(stack, kind, world, recordings, core=_core(0))
        for calls in range(CALLS, MOST + 1, STEP):
            subject.grow(calls)
            _settle([subject])
            window = _best(lambda: watch(world, [subject])[0])
            print(f"     {kind.group}, {calls} calls: {window}, all alive: {subject.carries_all()}", flush=True)
            if steps and not (window.in_time and subject.carries_all()):
                break
            steps.append((calls, window))
    return steps


def _best(look: Callable[[], Window]) -> Window:
    """Look a second time when frames were late: on a shared machine a neighbour may have been the reason."""
    window = look()
    return window if window.in_time else look()


def _densities(ladders: dict[str, list[tuple[int, Window]]]) -> list[Figure]:
    forwarded, _ = ladders[FORWARD.group][-1]
    figures = []
    for name, kind, target in (("realtime", REALTIME, 200), ("legacy", LEGACY, 120)):
        steps = ladders[kind.group]
        calls, last = steps[-1]
        first_calls, first = steps[0]
        note = f"at {calls} calls: {last}"
        figures.append(
            Figure(
                f"{name}, live calls on one core at p99 lateness < 20 ms",
                "calls",
                f">= {target}",
                calls,
                forwarded,
                FORWARDER,
                met=calls >= target,
                note=note,
            )
        )
        if calls > first_calls:
            extra = (last.memory_mb - first.memory_mb) / (calls - first_calls)
            figures.append(Figure(f"{name}, memory of an extra call", "MB", "<= 0.5", extra, met=extra <= 0.5))
    return figures


def _latencies(name: str, window: Window) -> list[Figure]:
    """Report what one process adds at the first step."""
    kinds = (
        ("heard", "callee frame in to provider", ("p50", 2.0), ("p99", 10.0)),
        ("first_frame", "provider audio in to first frame on the wire", ("p50", 5.0), ("p99", 20.0)),
        ("cut", "provider hears the callee talk over the agent to silence on the wire", ("p95", 120.0)),
    )
    figures = []
    for kind, what, *targets in kinds:
        seen = window.seen.get(kind)
        if seen is None:
            continue
        for q, target in targets:
            figures.append(
                Figure(
                    f"{name}, {what}, {q}",
                    "ms",
                    f"<= {target:g}",
                    seen[q],
                    met=seen[q] <= target,
                    note=f"{seen['count']:,} measured at {CALLS} calls" if q == targets[0][0] else "",
                )
            )
    return figures


def _world(stack: ExitStack, core: int | None = None) -> tuple[Child, str]:
    recordings = stack.enter_context(TemporaryDirectory())
    world = Child("bench.outside", core=core)
    stack.callback(world.close)
    return world, recordings


def _subject(stack: ExitStack, kind: Kind, world: Child, recordings: str, core: int | None = None) -> Subject:
    subject = Subject(kind, world, recordings, core)
    stack.callback(subject.close)
    return subject


def _settle(subjects: list[Subject]) -> None:
    wait_until(lambda: all(subject.carries_all() for subject in subjects), JOIN_S)
    time.sleep(SETTLE_S)


def _core(index: int) -> int | None:
    """Give the process under test a core of its own, and the world another, where there are two."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[index] if len(usable) > 1 and os.environ.get("BENCH_PIN") != "0" else None
