"""What panels ask Prometheus for.

Several workers may show one value for a moment (the merge moves): expressions take the greatest over them, and never
add KPIs up.
"""

from __future__ import annotations

from typing import Final

from stream_kpi.kpis.catalogue import catalogue
from stream_kpi.kpis.rows import TOTAL_CUT, Kpi, KpiKind
from stream_kpi.publish.prometheus import SHOWN_WINDOWS, label_names, shown_windows
from stream_kpi.publish.self_metrics import SelfMetric

TARGETS: Final = 'job=~"$job",instance=~"$instance"'
"""Which workers: the variables of every dashboard."""
_ROWS: Final = {kpi.id: kpi for kpi in catalogue()}
_STATS: Final = {KpiKind.DURATION: "p90", KpiKind.AGE: "max"}
"""What of a distribution is shown: what nine of ten customers see, and the oldest."""
_WINDOWS: Final = ("1h", "today", "24h", "30d", "total")
"""The first of these that a row has is shown."""


def row(kpi_id: str) -> Kpi:
    """A row of the catalogue."""
    return _ROWS[kpi_id]


def window_of(kpi: Kpi) -> str:
    """The label value of the window that is shown; "" for what stands at an instant."""
    if kpi.stands:
        return ""
    shown = {SHOWN_WINDOWS[kind] for kind in shown_windows(kpi)}
    return next(window for window in _WINDOWS if window in shown)


def kpi_expression(kpi: Kpi, dimension: str = TOTAL_CUT) -> str:
    """The row's value now, one series for each value of the dimension, of each currency and of each class."""
    metric = kpi.metric if dimension == TOTAL_CUT else kpi.cut_metric(dimension)
    matchers = [TARGETS]
    if window := window_of(kpi):
        matchers.append(f'window="{window}"')
    if kpi.kind in _STATS:
        matchers.append(f'stat="{_STATS[kpi.kind]}"')
    return f"max{_grouping(kpi, dimension)}({metric}{{{','.join(matchers)}}})"


def series_labels(kpi: Kpi, dimension: str = TOTAL_CUT) -> tuple[str, ...]:
    """The labels that tell the expression's series apart."""
    own, _, currency, by_class = label_names(kpi, "" if dimension == TOTAL_CUT else dimension)
    return tuple(label for label in (own, currency, by_class) if label)


def _grouping(kpi: Kpi, dimension: str) -> str:
    labels = series_labels(kpi, dimension)
    return f" by ({', '.join(labels)}) " if labels else ""


def self_expression(metric: SelfMetric) -> str:
    """What a self-metric's panel shows: a counter's rate, the 99th percentile of a histogram, a gauge as it is."""
    labels = ", ".join((*metric.labels, "instance"))
    match metric.type:
        case "counter":
            return f"sum by ({labels}) (rate({metric.name}{{{TARGETS}}}[$__rate_interval]))"
        case "histogram":
            rate = f"sum by (le, {labels}) (rate({metric.name}_bucket{{{TARGETS}}}[$__rate_interval]))"
            return f"histogram_quantile(0.99, {rate})"
        case _:
            return f"max by ({labels}) ({metric.name}{{{TARGETS}}})"
