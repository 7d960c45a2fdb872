"""What a media worker counts, in Prometheus terms. Durations in seconds, no label that grows with traffic."""

from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

from media.audio.pace import LATENESS_BOUNDS_MS, Lateness

registry = CollectorRegistry()

live_calls = Gauge("trunkline_media_live_calls", "Calls this process carries now", registry=registry)
slots = Gauge("trunkline_media_slots", "Calls this process may carry", registry=registry)
calls_ended = Counter(
    "trunkline_media_calls_ended_total",
    "Calls ended, by outcome and reason",
    ["outcome", "end_reason"],
    registry=registry,
)
calls_fenced = Counter("trunkline_media_calls_fenced_total", "Calls lost to another worker", registry=registry)
talk_seconds = Counter("trunkline_media_talk_seconds_total", "Seconds talked", registry=registry)
turn_latency = Histogram(
    "trunkline_media_turn_latency_seconds",
    "Median latency of a call's turns, by stage",
    ["stage"],
    buckets=(0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2, 4),
    registry=registry,
)


class FrameLateness(Collector):
    """Shows how late agent frames left, against the absolute pace clock, without a metric call per frame."""

    def __init__(self, lateness: Lateness) -> None:
        self._lateness = lateness

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Read the counts of this moment."""
        bounds = [*(str(bound / 1000) for bound in LATENESS_BOUNDS_MS), "+Inf"]
        counts = accumulate(self._lateness.counts)
        yield HistogramMetricFamily(
            "trunkline_media_frame_lateness_seconds",
            "How late agent frames left, against the absolute pace clock",
            buckets=list(zip(bounds, map(float, counts), strict=True)),
            sum_value=self._lateness.sum_ms / 1000,
        )
