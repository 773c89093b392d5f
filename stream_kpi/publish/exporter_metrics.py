"""What the exporter says of itself, and the KPIs, all of one snapshot: a scrape never mixes two."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from stream_kpi.publish.live_store import LiveStore
from stream_kpi.publish.prometheus import KpiCollector
from stream_kpi.publish.self_metrics import SELF_METRICS, SelfMetric

STALE: Final = SelfMetric(
    "stream_kpi_exporter_stale",
    "gauge",
    "",
    (),
    "1 while newer values may have been published than the exporter shows, or it shows none; else 0.",
    "Redis is not to be reached, or no worker publishes: read the exporter's log, then the workers'.",
)
LOST: Final = SelfMetric(
    "stream_kpi_exporter_redis_lost_total",
    "counter",
    "times",
    (),
    "How often the exporter gave a connection to Redis up: it failed, or no worker was heard of on it.",
    "Steady growth: Redis or the network is down, or no worker publishes.",
)
EXPORTER_METRICS: Final = (STALE, LOST)
_SHARED: Final = {row.name: row for row in SELF_METRICS}


class ExporterCollector(Collector):
    """Yields what /metrics of the exporter shows."""

    def __init__(self, store: LiveStore, kpis: KpiCollector, lost: Callable[[], int], version: str) -> None:
        """``lost()``: how often Redis was lost."""
        self._store = store
        self._kpis = kpis
        self._lost = lost
        self._version = version

    def describe(self) -> Iterable[Metric]:
        """The names of all families, without their values."""
        return [*self._own(0.0, stale=False), *self._kpis.describe()]

    def collect(self) -> Iterator[Metric]:
        """The families of the snapshot of this moment."""
        snapshot = self._store.snapshot()
        yield from self._own((snapshot.values_ms or 0) / 1000, stale=snapshot.stale)
        yield from self._kpis.families(snapshot)

    def _own(self, values_s: float, *, stale: bool) -> Iterator[Metric]:
        build = "stream_kpi_build"
        yield InfoMetricFamily(build, _SHARED[f"{build}_info"].meaning, value={"version": self._version})
        values = _SHARED["stream_kpi_values_timestamp_seconds"]
        yield GaugeMetricFamily(values.name, values.meaning, value=values_s)
        yield GaugeMetricFamily(STALE.name, STALE.meaning, value=float(stale))
        yield CounterMetricFamily(LOST.name, LOST.meaning, value=float(self._lost()))
