"""Brings the self-metrics and health up to date from the shell's counts, once a second."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from stream_kpi.publish.instruments import SelfMetrics
from stream_kpi.publish.web import Health
from stream_kpi.shell.clock import wall_ms
from stream_kpi.shell.core import ShardCore
from stream_kpi.shell.faust_app import App
from stream_kpi.shell.stats import Stats

INTERVAL_S = 1.0
ENTITIES_EVERY = 15
"""Live entities are counted at every so manieth time: that takes long when there are many."""

COUNTERS: Final[Mapping[tuple[str, ...], str]] = {
    ("events",): "stream_kpi_events_total",
    ("rejected",): "stream_kpi_rejected_total",
    ("late",): "stream_kpi_late_total",
    ("duplicates",): "stream_kpi_duplicates_total",
    ("unknown_type",): "stream_kpi_unknown_type_total",
    ("rekeyed",): "stream_kpi_rekeyed_total",
    ("time_missing",): "stream_kpi_time_missing_total",
    ("data_problems",): "stream_kpi_data_problems_total",
    ("lost_input",): "stream_kpi_lost_input_records_total",
    ("recovered_records",): "stream_kpi_recovered_records_total",
    ("published",): "stream_kpi_values_published_total",
    ("untold",): "stream_kpi_history_untold_windows_total",
    ("shard_lost", "fenced"): "stream_kpi_fenced_total",
    ("shard_lost", "failed"): "stream_kpi_flush_failures_total",
    ("merge_lost", "failed"): "stream_kpi_publish_failures_total",
}
"""What is counted under a name (by the rest of the key, if the counter has a label)."""

EntityCounts = Callable[[ShardCore], Mapping[str, int]]


class Meter:
    """Copies an app's stats to the instruments."""

    def __init__(self, app: App, metrics: SelfMetrics, health: Health, entity_counts: EntityCounts) -> None:
        self._app = app
        self._metrics = metrics
        self._health = health
        self._entity_counts = entity_counts
        self._counted: Counter[tuple[str, ...]] = Counter()

    async def run(self) -> None:
        """Copy until cancelled."""
        turn, open_shards = 0, frozenset[int]()
        while True:
            before, open_shards = open_shards, frozenset(self._app.owner.processors)
            self.copy(count_entities=turn % ENTITIES_EVERY == 0 or open_shards != before)
            turn += 1
            await asyncio.sleep(INTERVAL_S)

    def copy(self, *, count_entities: bool) -> None:
        """Copy once."""
        self._copy_counts(self._app.owner.stats)
        self._copy_observations(self._app.owner.stats)
        self._copy_shards(count_entities=count_entities)
        self._copy_ages()
        health, app = self._health, self._app
        health.started = app.started_once
        health.ready = app.ready
        health.live = app.live
        health.detail = app.detail

    def _copy_counts(self, stats: Stats) -> None:
        for key, count in stats.counts.items():
            more = count - self._counted[key]
            if more <= 0:
                continue
            self._counted[key] = count
            if key in COUNTERS:
                self._metrics.counter(COUNTERS[key]).inc(more)
            elif key[:1] in COUNTERS:
                self._metrics.counter(COUNTERS[key[:1]]).labels(*key[1:]).inc(more)

    def _copy_observations(self, stats: Stats) -> None:
        for name, observed in (
            ("stream_kpi_batch_records", stats.batch_records),
            ("stream_kpi_flush_seconds", stats.flush_seconds),
            ("stream_kpi_publish_seconds", stats.publish_seconds),
        ):
            histogram = self._metrics.histogram(name)
            for value in observed:
                histogram.observe(value)
            observed.clear()
        self._metrics.gauge("stream_kpi_recovery_seconds").set(stats.recovery_seconds)

    def _copy_ages(self) -> None:
        app = self._app
        self._metrics.gauge("stream_kpi_shards_opening").set(app.owner.opening)
        lag, shards = self._metrics.gauge("stream_kpi_lag_seconds"), app.listener.clock.shards
        lag.clear()
        for number in app.owner.stats.shards:
            clock = shards.get(number)
            # The event clock has no world's clock to be behind of.
            if clock is None or clock.greatest_ms is None or app.options.event_clock:
                continue
            behind_ms = 0 if clock.caught_up else max(0, wall_ms() - clock.greatest_ms)
            lag.labels(str(number)).set(behind_ms / 1000)
        self._metrics.gauge("stream_kpi_values_timestamp_seconds").set((app.owner.stats.values_ms or 0) / 1000)

    def _copy_shards(self, *, count_entities: bool) -> None:
        watermark, lag = (
            self._metrics.gauge(f"stream_kpi_{n}") for n in ("watermark_timestamp_seconds", "lag_records")
        )
        watermark.clear()
        lag.clear()
        for number, shard in self._app.owner.stats.shards.items():
            if shard.greatest_ms is not None:
                watermark.labels(str(number)).set(shard.greatest_ms / 1000)
            for tp, records in shard.lag.items():
                lag.labels(tp.topic, str(tp.partition)).set(records)
        if count_entities:
            live = self._metrics.gauge("stream_kpi_live_entities")
            live.clear()
            for number, processor in self._app.owner.processors.items():
                for kind, count in self._entity_counts(processor.core).items():
                    live.labels(kind, str(number)).set(count)
