"""The five dashboards."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, DatasourceVariable, QueryVariable
from grafana_foundation_sdk.models.dashboard import DashboardLinkType, VariableOption, VariableRefresh

from stream_kpi.kpis.catalogue import catalogue
from stream_kpi.kpis.rows import TOTAL_CUT, Area, Kpi
from stream_kpi.publish.grafana.expressions import TARGETS, row
from stream_kpi.publish.grafana.panels import (
    DATASOURCE,
    MET,
    MISSED,
    Panel,
    big_number,
    query,
    ranking,
    self_panel,
    stat_panel,
    steps,
    trend,
)
from stream_kpi.publish.self_metrics import SELF_METRICS

_TAG: Final = "stream-kpi"
_WALL: Final = ("service_level", "sla_achievement", "queue_length", "longest_wait", "sla_at_risk", "ticket_backlog")
"""Six big numbers: more are wallpaper (research on wallboards)."""
_WALL_TRENDS: Final = ("first_response_time", "sla_breaches")
_TEAM: Final = (Area.SLA, Area.TICKETS, Area.CONTACTS, Area.CHATS, Area.AGENTS)
_CUSTOMERS: Final = (Area.SURVEYS, Area.CUSTOMERS, Area.REVENUE, Area.COSTS, Area.ENGAGEMENT, Area.SOCIAL)
_QUALITY: Final = (
    "rejected",
    "late",
    "duplicates",
    "unknown_type",
    "time_missing",
    "data_problems",
    "rekeyed",
    "lost_input_records",
    "label_overflow",
    "values_published",
)
_STALE_S: Final = 60
"""From this age on values are those of the past; the alert StreamKpiPipelineStale says the same."""


def boards() -> dict[str, Dashboard]:
    """Every dashboard by the name of its file."""
    return {
        "wallboard": _wallboard(),
        "team": _of_rows("team", "Team and agents", "What the team does and how it is staffed.", _TEAM, "group"),
        "customers": _of_rows(
            "customers", "Customers and revenue", "What customers think, pay and do.", _CUSTOMERS, "plan"
        ),
        "quality": _of_metrics("quality", "KPI quality", "What KPIs were corrected by, and what they miss.", _QUALITY),
        "pipeline": _of_metrics(
            "pipeline",
            "Pipeline",
            "Whether stream-kpi keeps up, and what it spends its time on.",
            [_short(m.name) for m in SELF_METRICS if m.type != "info" and _short(m.name) not in _QUALITY],
        ),
    }


def _short(name: str) -> str:
    return name.removeprefix("stream_kpi_").removesuffix("_total")


def _board(name: str, title: str, description: str, panels: Iterable[Panel]) -> Dashboard:
    link = DashboardLink("stream-kpi").type(DashboardLinkType.DASHBOARDS).tags([_TAG]).as_dropdown(True)
    board = (
        Dashboard(title)
        .uid(f"stream-kpi-{name}")
        .description(description)
        .tags([_TAG])
        .readonly()
        .refresh("10s")
        .time("now-3h", "now")
        .timezone("browser")
        .link(link.include_vars(True).keep_time(True))
        .with_variable(DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .with_variable(_targets("job", "Job", "label_values(stream_kpi_build_info, job)"))
        .with_variable(_targets("instance", "Instance", 'label_values(stream_kpi_build_info{job=~"$job"}, instance)'))
    )
    for panel in panels:
        board.with_panel(panel)
    return board


def _targets(name: str, label: str, asked: str) -> QueryVariable:
    variable = QueryVariable(name).label(label).datasource(DATASOURCE).query(asked).multi(True)
    everything = VariableOption(text="All", value="$__all")
    return variable.include_all(True).all_value(".+").current(everything).refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)


def _wallboard() -> Dashboard:
    description = "The wall of the support floor: open with ?kiosk. The last line says as of when the numbers are."
    numbers = [big_number(row(kpi_id), 8, 7) for kpi_id in _WALL]
    trends = [trend(row(kpi_id), TOTAL_CUT, 8, 7) for kpi_id in _WALL_TRENDS]
    at_risk = ranking(row("sla_at_risk"), "group", 8, 7)
    return _board("wallboard", "Wallboard", description, [*numbers, *trends, at_risk, _alerts(), _as_of(), _age()])


def _alerts() -> Panel:
    meaning = "Alerts on KPIs that fire; docs/alerts.md has a runbook for each. They stay until it is over."
    panel = stat_panel("Alerts that fire", meaning, "short", 8, 4)
    expression = 'count(ALERTS{alertstate="firing",scope="kpi"}) or vector(0)'
    return panel.with_target(query(expression, "firing", instant=True)).thresholds(steps((None, MET), (1, MISSED)))


def _as_of() -> Panel:
    panel = stat_panel("Data as of", "The moment that the numbers are those of.", "dateTimeAsIso", 8, 4)
    expression = f"max(stream_kpi_values_timestamp_seconds{{{TARGETS}}}) * 1000"
    return panel.with_target(query(expression, "as of", instant=True))


def _age() -> Panel:
    meaning = f"How old the numbers are. From {_STALE_S} s on they are those of the past: tell who runs the pipeline."
    panel = stat_panel("Age of the data", meaning, "s", 8, 4)
    expression = f"time() - max(stream_kpi_values_timestamp_seconds{{{TARGETS}}})"
    one = query(expression, "age", instant=True)
    return panel.with_target(one).thresholds(steps((None, MET), (_STALE_S, MISSED)))


def _of_rows(name: str, title: str, description: str, areas: tuple[Area, ...], dimension: str) -> Dashboard:
    rows = [kpi for area in areas for kpi in catalogue() if kpi.area is area]
    return _board(name, title, description, [trend(kpi, _cut(kpi, dimension), 8, 8) for kpi in rows])


def _cut(kpi: Kpi, dimension: str) -> str:
    return dimension if dimension in kpi.cuts else TOTAL_CUT


def _of_metrics(name: str, title: str, description: str, names: Iterable[str]) -> Dashboard:
    metrics = {_short(metric.name): metric for metric in SELF_METRICS}
    return _board(name, title, description, [self_panel(metrics[short], 8, 8) for short in names])
