"""What the shell counts and measures of itself; the self-metrics are made from it."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from faust.types import TP

MOST_OBSERVATIONS = 10_000


def _observations() -> deque[float]:
    return deque(maxlen=MOST_OBSERVATIONS)


@dataclass(slots=True)
class ShardStats:
    """One open shard."""

    greatest_ms: int | None = None
    """The greatest event time applied, epoch ms."""
    caught_up: bool = False
    lag: Mapping[TP, int] = field(default_factory=dict)
    """Records that wait in Kafka, of each input that the broker has told of."""
    behind: float = 0.0
    """All of them, as a multiple of what a shard reads between two flushes."""
    flushed_at_s: float = field(default_factory=time.monotonic)
    """Monotonic seconds of the last flush that was written, of the opening, or of when nothing waited."""


@dataclass(slots=True)
class Stats:
    """All of a worker, written and read by one thread. The deques hold what was observed since they were emptied."""

    counts: Counter[tuple[str, ...]] = field(default_factory=Counter)
    """The shards' counts, and ("batches",), ("flushes",), ("flushed_records",), ("shard_lost", "fenced" | "failed"),
    ("merge_lost", the same), ("lost_input", topic), ("out_of_order_batches",), ("recovered_records",),
    ("published",), ("untold",)."""
    batch_records: deque[float] = field(default_factory=_observations)
    flush_seconds: deque[float] = field(default_factory=_observations)
    publish_seconds: deque[float] = field(default_factory=_observations)
    recovery_seconds: float = 0.0
    """Of the last shard that was opened."""
    shards: dict[int, ShardStats] = field(default_factory=dict)
    merging: bool = False
    """This worker publishes the values."""
    values_ms: int | None = None
    """The moment as of which it has published them, epoch ms; None while it does not."""
