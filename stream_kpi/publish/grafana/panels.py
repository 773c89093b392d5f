"""Panels, made from rows of the catalogue and from self-metrics."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import common, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as dashboards
from grafana_foundation_sdk.models import common as common_models
from grafana_foundation_sdk.models import prometheus as prometheus_models
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
)

from stream_kpi.kpis.rows import TOTAL_CUT, Kpi, KpiKind
from stream_kpi.publish.grafana.expressions import kpi_expression, self_expression, series_labels, window_of
from stream_kpi.publish.self_metrics import SelfMetric

DATASOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
MIN_INTERVAL: Final = "15s"
"""Prometheus evaluates and scrapes no more finely than that pays."""
MET, MISSED, NEUTRAL = "green", "red", "blue"
_UNITS: Final = {
    KpiKind.RATIO: "percentunit",
    KpiKind.DURATION: "s",
    KpiKind.AGE: "s",
    KpiKind.TIME: "s",
    KpiKind.LEFT: "s",
    KpiKind.MONTHS: "suffix: months",
}
_SELF_UNITS: Final = {"seconds": "s"}
_MET_TEXT: Final = [
    {
        "type": "value",
        "options": {
            "0": {"text": "✗ missed", "color": MISSED, "index": 0},
            "1": {"text": "✓ met", "color": MET, "index": 1},
        },
    }
]

Panel = stat.Panel | timeseries.Panel | table.Panel


def query(expression: str, legend: str, ref: str = "A", *, instant: bool = False) -> prometheus.Dataquery:
    """One query. ``instant``: only its present value is shown."""
    one = prometheus.Dataquery().expr(expression).legend_format(legend).ref_id(ref).datasource(DATASOURCE)
    return one.instant() if instant else one.range()


def big_number(kpi: Kpi, width: int, height: int) -> stat.Panel:
    """The row now, with its target and whether it is met, and a trend line."""
    panel = stat_panel(_title(kpi), _meaning(kpi), _UNITS.get(kpi.kind, "short"), width, height)
    panel.with_target(query(kpi_expression(kpi), _legend(kpi, TOTAL_CUT) or "now"))
    panel.graph_mode(common_models.BigValueGraphMode.AREA).thresholds(_thresholds(kpi))
    if kpi.target is None or kpi.direction == "none":
        return panel
    comparison = ">=" if kpi.direction == "up" else "<="
    panel.with_target(query(f"vector({kpi.target:g})", "target", "B", instant=True))
    panel.with_target(query(f"{kpi_expression(kpi)} {comparison} bool {kpi.target:g}", "met", "C", instant=True))
    return panel.override_by_name("met", [DynamicConfigValue(id_val="mappings", value=_MET_TEXT)]).text_mode(
        common_models.BigValueTextMode.VALUE_AND_NAME
    )


def stat_panel(title: str, meaning: str, unit: str, width: int, height: int) -> stat.Panel:
    """A stat without queries yet."""
    return (
        stat.Panel()
        .title(title)
        .description(meaning)
        .datasource(DATASOURCE)
        .unit(unit)
        .interval(MIN_INTERVAL)
        .span(width)
        .height(height)
        .no_value("no sample")
    )


def trend(kpi: Kpi, dimension: str, width: int, height: int) -> timeseries.Panel:
    """The row over time, by a dimension, its target as a line."""
    by = "" if dimension == TOTAL_CUT else f" by {dimension}"
    panel = lines(_title(kpi) + by, _meaning(kpi), _UNITS.get(kpi.kind, "short"), width, height)
    panel.with_target(query(kpi_expression(kpi, dimension), _legend(kpi, dimension) or "total"))
    panel.thresholds(_thresholds(kpi))
    if kpi.target is None:
        return panel
    style = common.GraphThresholdsStyleConfig().mode(common_models.GraphThresholdsStyleMode.DASHED)
    return panel.thresholds_style(style)


def lines(title: str, meaning: str, unit: str, width: int, height: int) -> timeseries.Panel:
    """A chart without queries yet. A gap is a gap: nothing is drawn where there was no value."""
    legend = common.VizLegendOptions().show_legend(True).placement(common_models.LegendPlacement.BOTTOM)
    return (
        timeseries.Panel()
        .title(title)
        .description(meaning)
        .datasource(DATASOURCE)
        .unit(unit)
        .interval(MIN_INTERVAL)
        .span(width)
        .height(height)
        .legend(legend.display_mode(common_models.LegendDisplayMode.LIST))
    )


def ranking(kpi: Kpi, dimension: str, width: int, height: int) -> table.Panel:
    """The values of a dimension as a table."""
    one = query(kpi_expression(kpi, dimension), _legend(kpi, dimension), instant=True)
    return (
        table.Panel()
        .title(f"{_title(kpi)} by {dimension}")
        .description(_meaning(kpi))
        .datasource(DATASOURCE)
        .unit(_UNITS.get(kpi.kind, "short"))
        .interval(MIN_INTERVAL)
        .span(width)
        .height(height)
        .with_target(one.format(prometheus_models.PromQueryFormat.TABLE))
    )


def self_panel(metric: SelfMetric, width: int, height: int) -> timeseries.Panel:
    """A self-metric over time."""
    name = metric.name.removeprefix("stream_kpi_").removesuffix("_total").replace("_", " ")
    title = {"counter": f"{name}, a second", "histogram": f"{name}, 99th percentile"}.get(metric.type, name)
    if metric.type == "counter":
        unit = "cps"
    elif metric.name.endswith("_timestamp_seconds"):
        unit = "dateTimeAsIso"
    else:
        unit = _SELF_UNITS.get(metric.unit, "short")
    expression = self_expression(metric)
    if unit == "dateTimeAsIso":
        expression = f"{expression} * 1000"
    legend = " ".join(f"{{{{{label}}}}}" for label in (*metric.labels, "instance"))
    panel = lines(title[0].upper() + title[1:], f"{metric.meaning} {metric.advice}", unit, width, height)
    return panel.with_target(query(expression, legend))


def steps(*colours: tuple[float | None, str]) -> dashboards.ThresholdsConfig:
    """Colours from each value on; None: from the least."""
    made = [Threshold(value=value, color=colour) for value, colour in colours]
    return dashboards.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(made)


def _thresholds(kpi: Kpi) -> dashboards.ThresholdsConfig:
    if kpi.target is None or kpi.direction == "none":
        return steps((None, NEUTRAL))
    if kpi.direction == "up":
        return steps((None, MISSED), (kpi.target, MET))
    return steps((None, MET), (kpi.target, MISSED))


def _title(kpi: Kpi) -> str:
    of = {"": "now", "total": "since the start", "today": "today"}
    window = window_of(kpi)
    return f"{kpi.title}, {of.get(window, window)}"


def _meaning(kpi: Kpi) -> str:
    return f"{kpi.definition}\n\n{kpi.advice}"


def _legend(kpi: Kpi, dimension: str) -> str:
    return " ".join(f"{{{{{label}}}}}" for label in series_labels(kpi, dimension))
