"""How a figure is taken: ours and its baseline side by side in one run, medians of at least five rounds.

What processes cost is read from /proc: processor seconds of all threads, and resident memory.
"""

import json
import math
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).with_name("results")
ROUNDS = 5
QUICK = os.environ.get("BENCH_QUICK") == "1"
"""A short look: fewer rounds, rows and calls; the figures are rough."""

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report.

    Attributes:
        target: the figure to reach, in words.
        baseline: what ours is compared with, 0 when there is none.
        ratio: ours over baseline.
        met: whether the target is reached; None where it is only reported.
    """

    what: str
    unit: str
    target: str
    measured: float
    baseline: float = 0.0
    baseline_name: str = ""
    met: bool | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Give ours over the baseline, None without one."""
        return self.measured / self.baseline if self.baseline else None


def rounds(full: int = ROUNDS) -> int:
    """Say how many rounds to take: `full`, or two for a short look."""
    return 2 if QUICK else full


def setting(name: str, full: float, quick: float) -> float:
    """Read a number from the environment; the default depends on how long the run may take."""
    return float(os.environ.get(name, quick if QUICK else full))


def per_second(work: Callable[[], int]) -> float:
    """Time one round of work that returns how many things it did; things per second."""
    began = time.perf_counter()
    done = work()
    return done / (time.perf_counter() - began)


def side_by_side(*rates: Callable[[], float]) -> list[float]:
    """Take all in turn, A B A B, and return the median of each."""
    taken = [[rate() for rate in rates] for _ in range(rounds())]
    return [statistics.median(column) for column in zip(*taken, strict=True)]


def quantile(values: Sequence[float], q: float) -> float:
    """Return the nearest-rank quantile; not a number when there are no values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(q * len(ordered)) - 1)] if ordered else math.nan


def cpu_s(pid: int) -> float:
    """Read the processor seconds a process has used, all its threads together."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def resident_mb(pid: int) -> float:
    """Read the memory a process holds, in MB of 2**20 bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def save(name: str, figures: list[Figure], began_load: float) -> None:
    """Write the figures of one bench to bench/results/NAME.json, with the machine's load before and after."""
    RESULTS.mkdir(exist_ok=True)
    report = {
        "quick": QUICK,
        "cores": os.cpu_count(),
        "load_before": began_load,
        "load_after": os.getloadavg()[0],
        "figures": [{**asdict(figure), "ratio": figure.ratio} for figure in figures],
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(report, indent=2), encoding="utf-8")


def show(figures: list[Figure]) -> None:
    """Print the figures as lines of a table."""
    for figure in figures:
        mark = {True: "ok  ", False: "MISS", None: "    "}[figure.met]
        print(f"{mark} {figure.what}: {figure.measured:,.2f} {figure.unit}  [target {figure.target}]")
        if figure.ratio is not None:
            print(f"       ratio {figure.ratio:.2f} of {figure.baseline_name} ({figure.baseline:,.2f})")
        if figure.note:
            print(f"       {figure.note}")
