"""What the outside world has seen since it was last asked, per group of calls. Times in ms, by one process's clock."""

from array import array
from collections import defaultdict

from bench.measure import quantile

KINDS = ("heard", "first_frame", "cut", "gap", "own_lateness")
"""heard: callee frame sent until the provider has it. first_frame: provider's first audio sent until the phone has
some. cut: the provider says that the callee talks over the agent until the phone is told to clear. gap: silence inside
agent speech because its audio came late. own_lateness: how late this world itself was, to be small beside the others.
"""


class Readings:
    """Collects times by group and kind."""

    def __init__(self) -> None:
        self._times: dict[str, dict[str, array[float]]] = defaultdict(dict)

    def of(self, group: str, kind: str) -> "array[float]":
        """Return the list to append to; it stays the same until the end."""
        return self._times[group].setdefault(kind, array("d"))

    def take(self) -> dict[str, dict[str, dict[str, float]]]:
        """Return count, p50, p95, p99 and max of everything, and begin anew."""
        summary: dict[str, dict[str, dict[str, float]]] = {}
        for group, kinds in self._times.items():
            summary[group] = {kind: _summary(times) for kind, times in kinds.items() if times}
            for times in kinds.values():
                del times[:]
        return summary


def _summary(times: "array[float]") -> dict[str, float]:
    ordered = sorted(times)
    quantiles = {f"p{round(q * 100)}": quantile(ordered, q) for q in (0.5, 0.95, 0.99)}
    return {"count": len(ordered), **quantiles, "max": ordered[-1]}
