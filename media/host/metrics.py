"""What a media worker counts, in Prometheus terms. Durations in seconds, no label that grows with traffic."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

registry = CollectorRegistry()

live_calls = Gauge("trunkline_media_live_calls", "Calls this process carries now", registry=registry)
slots = Gauge("trunkline_media_slots", "Calls this process may carry", registry=registry)
calls_ended = Counter(
    "trunkline_media_calls_ended_total", "Calls ended, by outcome and reason", ["outcome", "end_reason"], registry=registry
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
frame_lateness = Histogram(
    "trunkline_media_frame_lateness_seconds",
    "How late agent frames leave, against the absolute pace clock",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5),
    registry=registry,
)
