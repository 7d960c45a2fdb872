"""How long each stage of an answer took, counted from the moment the callee stopped speaking.

Stages: transcript (final words), first_token, first_audio, first_frame (on the wire). A stage that a pipeline does not
have is missing, never zero.
"""

from collections.abc import Iterable

STAGES = ("transcript", "first_token", "first_audio", "first_frame")


class LatencyBook:
    """The latencies of one call's turns. Instants are monotonic seconds, results whole milliseconds."""

    def __init__(self) -> None:
        self._ended_at: float | None = None
        self._stages: dict[str, int] = {}
        self._turns: list[dict[str, int]] = []

    def speech_ended(self, at: float) -> None:
        """The callee stopped speaking: the next answer is measured from here."""
        self._ended_at = at
        self._stages = {}

    def abandon(self) -> None:
        """The callee goes on speaking: the answer that was measured will not come."""
        if "first_frame" not in self._stages:
            self._ended_at = None
            self._stages = {}

    def reached(self, stage: str, at: float) -> None:
        """Note when a stage was reached; only its first time counts."""
        if self._ended_at is not None and stage not in self._stages:
            self._stages[stage] = max(0, round((at - self._ended_at) * 1000))

    def answered(self, at: float) -> dict[str, int]:
        """The answer's first frame went on the wire: return its stages; a late transcript still joins them."""
        if self._ended_at is None or "first_frame" in self._stages:
            return {}
        self.reached("first_frame", at)
        self._turns.append(self._stages)
        return self._stages

    def summary(self) -> dict[str, dict[str, int]]:
        """Return p50 and p95 of each stage that was measured."""
        measured = {stage: [turn[stage] for turn in self._turns if stage in turn] for stage in STAGES}
        return {
            stage: {"p50": quantile(values, 0.5), "p95": quantile(values, 0.95)}
            for stage, values in measured.items()
            if values
        }


def quantile(values: Iterable[int], q: float) -> int:
    """Return the nearest-rank quantile of at least one value."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * q // 1).__int__() - 1)]
