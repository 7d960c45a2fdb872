"""How a figure is taken: ours and its baseline alternate, A B A B, medians of at least five rounds."""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

RESULTS = Path(__file__).with_name("results")
ROUNDS = 5


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


def per_second(work: Callable[[], int]) -> float:
    """Time one round of work that returns how many things it did; things per second."""
    began = time.perf_counter()
    done = work()
    return done / (time.perf_counter() - began)


def side_by_side(ours: Callable[[], float], baseline: Callable[[], float], rounds: int = ROUNDS) -> tuple[float, float]:
    """Alternate the two and return the medians (ours, baseline)."""
    pairs = [(ours(), baseline()) for _ in range(rounds)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def save(name: str, figures: list[Figure]) -> None:
    """Write the figures of one bench to bench/results/NAME.json."""
    RESULTS.mkdir(exist_ok=True)
    rows = [{**asdict(figure), "ratio": figure.ratio} for figure in figures]
    (RESULTS / f"{name}.json").write_text(json.dumps(rows, indent=2), encoding="utf-8")


def show(figures: list[Figure]) -> None:
    """Print the figures as lines of a table."""
    for figure in figures:
        mark = {True: "ok  ", False: "MISS", None: "    "}[figure.met]
        ratio = f"  ratio {figure.ratio:.2f} of {figure.baseline_name} ({figure.baseline:,.1f})" if figure.ratio else ""
        note = f"  {figure.note}" if figure.note else ""
        print(f"{mark} {figure.what}: {figure.measured:,.2f} {figure.unit}  [target {figure.target}]{ratio}{note}")
