"""KPIs as Prometheus families, made anew at each scrape from an immutable snapshot."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from stream_kpi.kpis.catalogue import catalogue, on_clocks
from stream_kpi.kpis.families import distribution_metric, family_names, has_samples, samples_metric
from stream_kpi.kpis.record import KpiRecord, class_of, cut_of
from stream_kpi.kpis.rows import CLASS, TOTAL_CUT, Kpi, KpiKind
from stream_kpi.publish.labels import OTHER, LabelCap, summed
from stream_kpi.publish.live_store import LiveStore, Snapshot

SHOWN_WINDOWS: Final[Mapping[str, str]] = {
    "rolling:5m": "5m",
    "rolling:1h": "1h",
    "rolling:24h": "24h",
    "today": "today",
    "total": "total",
    "rolling:30d": "30d",
    "rolling:90d": "90d",
    "rolling:365d": "365d",
    "instant": "",
}
"""Window kinds that have series, with their label value; what stands at an instant has no window label."""

SHOWN_STATS: Final = ("mean", "p50", "p90", "p95", "p99", "max")
"""Values of the label ``stat`` of durations and ages."""

_WITH_STATS: Final = frozenset({KpiKind.DURATION, KpiKind.AGE})

_Row = tuple[str, str | None]
"""Id and clock."""
_Series = tuple[str, str, str, str]
"""Label value of the cut ("" for the total), window, currency, class."""
_Groups = dict[tuple[_Row, str], dict[_Series, list[KpiRecord]]]


def shown_windows(kpi: Kpi) -> tuple[str, ...]:
    """The window kinds of a row that have series."""
    return tuple(kind for kind in kpi.windows if kind in SHOWN_WINDOWS)


class KpiCollector(Collector):
    """Yields the families of every KPI of the catalogue. No value means no series; agents are not shown by default."""

    def __init__(
        self,
        store: LiveStore,
        *,
        most_label_values: int = 50,
        hidden_dimensions: Collection[str] = frozenset({"agent"}),
        overflowed: Callable[[str], None] = lambda _: None,
        rows: Iterable[Kpi] | None = None,
        remember: bool = True,
    ) -> None:
        """``most_label_values`` of a dimension are shown, the rest is ``other``; ``overflowed(dimension)`` counts.
        ``rows``: those of the organisation's options; None: the catalogue's. ``remember`` as in LabelCap."""
        self._store = store
        self._hidden = frozenset(hidden_dimensions)
        self._cap = LabelCap(most_label_values, overflowed, remember=remember)
        every = on_clocks(catalogue() if rows is None else rows, business=True)
        self._rows: dict[_Row, Kpi] = {(kpi.id, kpi.clock): kpi for kpi in every}
        self._windows = {row: frozenset(shown_windows(kpi)) for row, kpi in self._rows.items()}

    def describe(self) -> list[Metric]:
        """The names of all families, without their values: a scrape that asks for others by name collects none."""
        names = {name for kpi in self._rows.values() for name in family_names(kpi)}
        distributions = {distribution_metric(kpi) for kpi in self._rows.values() if kpi.kind is KpiKind.DURATION}
        return [Metric(name, "", "histogram" if name in distributions else "gauge") for name in sorted(names)]

    def collect(self) -> Iterator[Metric]:
        """The families of the snapshot of this moment, in the catalogue's order."""
        return self.families(self._store.snapshot())

    def families(self, snapshot: Snapshot) -> Iterator[Metric]:
        """The families of a snapshot, in the catalogue's order."""
        groups = self._grouped(snapshot)
        for kpi in self._rows.values():
            for dimension in kpi.cuts:
                if dimension not in self._hidden:
                    yield from _families(kpi, "" if dimension == TOTAL_CUT else dimension, groups)
        yield from self._distributions(snapshot)

    def _grouped(self, snapshot: Snapshot) -> _Groups:
        """``{(row, dimension): {series: records}}``; more than one record only for `other`."""
        hidden = self._hidden
        shown = [
            record
            for record in snapshot.records.values()
            if record.window.kind in self._windows.get((record.kpi, record.clock), ())
            and not record.variant
            and hidden.isdisjoint(record.cut)
        ]
        admitted = self._cap.admit({cut for record in shown if (cut := cut_of(record))})
        groups: _Groups = {}
        for record in shown:
            dimension, value = cut_of(record) or ("", "")
            if dimension and (dimension, value) not in admitted:
                value = OTHER
            series = (value, SHOWN_WINDOWS[record.window.kind], record.currency or "", class_of(record) or "")
            row = (record.kpi, record.clock)
            groups.setdefault((row, dimension), {}).setdefault(series, []).append(record)
        return groups

    def _distributions(self, snapshot: Snapshot) -> Iterator[Metric]:
        for histogram in snapshot.histograms:
            kpi = self._rows.get((histogram.kpi, histogram.clock))
            if kpi is None or histogram.cut:
                continue
            family = HistogramMetricFamily(
                distribution_metric(kpi), f"{kpi.title}: all since the start, corrections taken back."
            )
            buckets = [(_bound(bound_s), float(count)) for bound_s, count in histogram.buckets]
            family.add_metric([], buckets, histogram.sum_s)
            yield family


def _families(kpi: Kpi, dimension: str, groups: _Groups) -> Iterator[Metric]:
    series = groups.get(((kpi.id, kpi.clock), dimension))
    if not series:
        return
    metric = kpi.cut_metric(dimension) if dimension else kpi.metric
    names = label_names(kpi, dimension)
    of_cut = f" by {dimension}" if dimension and not kpi.title.endswith(f" by {dimension}") else ""
    values = GaugeMetricFamily(metric, f"{kpi.title}{of_cut} ({kpi.unit}).")
    samples = GaugeMetricFamily(
        samples_metric(kpi, dimension), f"{kpi.title}{of_cut}: samples that the value is made of."
    )
    for label_values, records in series.items():
        labels = {name: text for name, text in zip(names, label_values, strict=True) if name}
        value, count, stats = _figures(kpi, records)
        if kpi.kind in _WITH_STATS:
            for stat, figure in stats.items():
                values.add_sample(metric, {**labels, "stat": stat}, figure)
        elif value is not None:
            values.add_sample(metric, labels, value)
        if count is not None:
            samples.add_sample(samples.name, labels, count)
    if values.samples:
        yield values
    if samples.samples and has_samples(kpi):
        yield samples


def label_names(kpi: Kpi, dimension: str) -> tuple[str, str, str, str]:
    """Names of the labels of the cut's value, the window, the currency and the class, each empty where it is not
    shown."""
    formula = kpi.formula
    return (
        dimension,
        "" if kpi.stands else "window",
        "currency" if formula.by_currency else "",
        CLASS if formula.by_class else "",
    )


def _figures(kpi: Kpi, records: list[KpiRecord]) -> tuple[float | None, int | None, Mapping[str, float]]:
    if len(records) > 1:
        return summed(kpi, records)
    record = records[0]
    if record.stats is None:
        return record.value, record.samples, {}
    figures = {stat: getattr(record.stats, stat) for stat in SHOWN_STATS}
    return record.value, record.samples, {stat: figure for stat, figure in figures.items() if figure is not None}


def _bound(bound_s: float) -> str:
    return "+Inf" if math.isinf(bound_s) else str(bound_s)
