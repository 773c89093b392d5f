"""What the shell counts and measures of itself; the self-metrics are read from here."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

FLUSH_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(slots=True)
class ShardStats:
    """One open shard. Times are epoch ms; ``lag`` is records that wait in Kafka, None before the broker has said."""

    greatest_ms: int | None = None
    caught_up: bool = False
    lag: int | None = None
    flushed_at_s: float = field(default_factory=time.monotonic)
    """Monotonic seconds of the last flush that was written, or of the opening."""


@dataclass(slots=True)
class Stats:
    """All of a worker. Plain attributes, read at any moment by the same thread."""

    counts: Counter[tuple[str, ...]] = field(default_factory=Counter)
    """The shards' counts, and ("batches",), ("flushes",), ("flushed_records",), ("shard_lost", reason),
    ("lost_input", topic), ("out_of_order_batches",)."""
    flush_buckets: Counter[float] = field(default_factory=Counter)
    """Flushes by the least of FLUSH_BUCKETS_S that holds their duration, inf past the last."""
    flush_seconds: float = 0.0
    recovery_seconds: float = 0.0
    recovered_records: int = 0
    publish_seconds: float = 0.0
    """Duration of the last publish."""
    published: int = 0
    shards: dict[int, ShardStats] = field(default_factory=dict)
    merging: bool = False

    def flushed(self, seconds: float, records: int) -> None:
        """One flush was written."""
        self.counts["flushes",] += 1
        self.counts["flushed_records",] += records
        self.flush_seconds += seconds
        self.flush_buckets[next((bound for bound in FLUSH_BUCKETS_S if seconds <= bound), float("inf"))] += 1
