"""Processes a bench starts and asks: one JSON line each way. They end when the bench does, whatever happens to it."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.request import urlopen

from deploy.launch import ROOT, VENDORS, free_port

Json = dict[str, Any]

_END_S = 20.0
_LIVE = re.compile(r"^trunkline_media_live_calls (\S+)", re.MULTILINE)
_LATENESS = re.compile(r'^trunkline_media_frame_lateness_seconds_bucket\{le="(\S+?)"\} (\S+)', re.MULTILINE)


class Child:
    """A process that prints one line when it is ready and one line for each order.

    Attributes:
        ready: the first line.

    Args:
        core: the only core it may use; any without one.
    """

    def __init__(
        self, module: str, *arguments: str, env: Mapping[str, str] | None = None, core: int | None = None
    ) -> None:
        with _on(core):
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=ROOT,
                env={**os.environ, **(env or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        self.pid = self._process.pid
        self.ready = self._line()

    def ask(self, **order: object) -> Json:
        """Give an order and return the answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._line()

    def close(self) -> None:
        """Let it end."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _line(self) -> Json:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{' '.join(map(str, self._process.args))} ended with {self._process.wait()}")  # type: ignore[arg-type]
        answer: Json = json.loads(line)
        return answer


@contextmanager
def _on(core: int | None) -> Iterator[None]:
    """Let processes started inside the block inherit one core; all cores without one."""
    usable = os.sched_getaffinity(0)
    os.sched_setaffinity(0, usable if core is None else {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, usable)


class MediaProcess(Child):
    """A media process: takes calls of one configuration, tells its live calls and frame lateness.

    Args:
        group: caller id of its calls, by which the outside world groups what it sees.
        config: the calls' configuration.
    """

    def __init__(
        self, world_url: str, group: str, config: Json, *, slots: int, recordings_dir: str, core: int | None = None
    ) -> None:
        self._port = free_port()
        self._config = config
        self._buckets: dict[str, float] = {}
        env = {
            "DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:9/none",
            "REDIS_URL": "redis://127.0.0.1:9",
            "MEDIA_SLOTS": str(slots),
            "MEDIA_PORT": str(self._port),
            "MEDIA_PUBLIC_URL": "",
            "RECORDINGS_DIR": recordings_dir,
            "LOG_LEVEL": "error",
        }
        for vendor in VENDORS:
            env |= vendor.simulated(world_url)
        super().__init__("bench.media_process", group, env=env, core=core)

    def add(self, calls: int) -> None:
        """Begin more calls."""
        self.ask(calls=calls, config=self._config)

    def failures(self) -> list[str]:
        """Say why calls ended that nobody ended."""
        found: list[str] = self.ask(calls=0, config=self._config)["failures"]
        return found

    def live(self) -> int:
        """Count the calls that are carried now."""
        found = _LIVE.search(self._scrape())
        return int(float(found[1])) if found else 0

    def lateness_ms(self) -> float:
        """Return the bound that 99 % of agent frames kept since the last time asked; infinite beyond 500 ms."""
        buckets = {bound: float(count) for bound, count in _LATENESS.findall(self._scrape())}
        counted = {bound: count - self._buckets.get(bound, 0.0) for bound, count in buckets.items()}
        self._buckets = buckets
        within = [bound for bound, count in counted.items() if count >= 0.99 * counted["+Inf"]]
        return float(within[0]) * 1000

    def _scrape(self) -> str:
        with urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=10) as answer:
            text: str = answer.read().decode()
            return text


def wait_until(reached: Callable[[], bool], within_s: float) -> bool:
    """Look every tenth of a second; tell whether it came true in time."""
    until = time.monotonic() + within_s
    while not reached():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True
