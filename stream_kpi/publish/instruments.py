"""The instruments of the pipeline's own metrics, made from their table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, disable_created_metrics

from stream_kpi.kpis.rows import Kpi
from stream_kpi.publish.live_store import LiveStore
from stream_kpi.publish.prometheus import KpiCollector
from stream_kpi.publish.self_metrics import SELF_METRICS, SelfMetric

_Instrument = Counter | Gauge | Histogram
_Wanted = TypeVar("_Wanted", Counter, Gauge, Histogram)


class SelfMetrics:
    """The instruments, in a registry of their own that the KPI families join. Without ``_created`` series.

    Hot paths keep what ``labels()`` returns: a look-up costs more than the increment.
    """

    def __init__(self, version: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry(auto_describe=False)
        self._made = {
            metric.name: _instrument(metric, self.registry) for metric in SELF_METRICS if metric.type != "info"
        }
        Info("stream_kpi_build", _row("stream_kpi_build_info").meaning, registry=self.registry).info(
            {"version": version}
        )

    def counter(self, name: str) -> Counter:
        """The counter of a name of the table.

        Raises:
            KeyError: the table has no such name.
            TypeError: it is of another type.
        """
        return _of_type(self._made[name], Counter)

    def gauge(self, name: str) -> Gauge:
        """The gauge of a name of the table; raises as :meth:`counter`."""
        return _of_type(self._made[name], Gauge)

    def histogram(self, name: str) -> Histogram:
        """The histogram of a name of the table; raises as :meth:`counter`."""
        return _of_type(self._made[name], Histogram)

    def show(
        self,
        store: LiveStore,
        most_label_values: int = 50,
        rows: Iterable[Kpi] | None = None,
        *,
        agent_series: bool = False,
    ) -> None:
        """Let the registry show the KPIs of a live store too, ``rows`` as in KpiCollector, by agent only with
        ``agent_series``; label values beyond the cap are counted here."""
        overflow = self.counter("stream_kpi_label_overflow_total")
        self.registry.register(
            KpiCollector(
                store,
                most_label_values=most_label_values,
                hidden_dimensions=() if agent_series else ("agent",),
                overflowed=lambda dimension: overflow.labels(dimension).inc(),
                rows=rows,
            )
        )


def _of_type(instrument: _Instrument, wanted: type[_Wanted]) -> _Wanted:
    if not isinstance(instrument, wanted):
        raise TypeError(f"{instrument} is no {wanted.__name__}")
    return instrument


def _row(name: str) -> SelfMetric:
    return next(metric for metric in SELF_METRICS if metric.name == name)


def _instrument(metric: SelfMetric, registry: CollectorRegistry) -> _Instrument:
    made: _Instrument
    if metric.type == "counter":
        made = Counter(metric.name, metric.meaning, metric.labels, registry=registry)
    elif metric.type == "gauge":
        made = Gauge(metric.name, metric.meaning, metric.labels, registry=registry)
    else:
        made = Histogram(metric.name, metric.meaning, metric.labels, registry=registry, buckets=metric.buckets)
    for value in metric.known:
        made.labels(value)
    return made
