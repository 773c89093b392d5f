"""What a page shows, as plain data: numbers and texts, no markup. The browser only lays it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from stream_kpi.deadlines import MOST_AHEAD, Deadline
from stream_kpi.kpis.record import KpiRecord
from stream_kpi.kpis.rows import TOTAL_CUT, Kpi
from stream_kpi.lifecycles.facts import TOTAL, Cut
from stream_kpi.lifecycles.ticket.backlog import AGE_BANDS
from stream_kpi.publish.wallboard.boards import FILTERS, Board, DeadlinePanel, Panel, Tile
from stream_kpi.publish.wallboard.index import Index
from stream_kpi.publish.wallboard.judgement import Alert, Alerts, figure, verdict
from stream_kpi.publish.wallboard.trend import Trend

MOST_ROWS: Final = 8
"""Of a board's panel: what exceeds them is counted in one line."""
MOST_CUTS: Final = 100
"""Of a dimension on a KPI's page, and of a filter's choices."""
MOST_DEADLINES: Final = 8
"""Of single tickets and chats: as many as a television shows under the numbers of a board."""
LEAST_MISSED: Final = 3
"""Rows of these that missed ones have, where there are so many."""
CHART_POINTS: Final = 72
"""Six hours of five minutes."""

_WINDOWS: Final[Mapping[str, str]] = {
    "instant": "now",
    "rolling:5m": "last 5 minutes",
    "rolling:15m": "last 15 minutes",
    "rolling:1h": "last hour",
    "rolling:4h": "last 4 hours",
    "rolling:24h": "last 24 hours",
    "rolling:7d": "last 7 days",
    "rolling:30d": "last 30 days",
    "rolling:90d": "last 90 days",
    "rolling:365d": "last 365 days",
    "today": "today",
    "total": "since the start",
}
_DIMENSIONS_OF_PAGE: Final = ("instant", "rolling:1h", "today", "rolling:30d", "total")
"""The window that a KPI's page is headed by: the first of these that it has."""


class Pages:
    """Makes pages of one moment's index."""

    def __init__(self, rows: Mapping[str, Kpi], trend: Trend, alerts: Alerts, *, show_agents: bool) -> None:
        self._rows = rows
        self._trend = trend
        self._alerts = alerts
        self._show_agents = show_agents

    def board(self, board: Board, index: Index, cut: Cut, deadlines: Sequence[Deadline], at_ms: int) -> dict[str, Any]:
        """A board in one cut. What is not split by the cut's dimension is shown in total, and says so. ``deadlines``:
        the nearest, as they were published at ``at_ms``."""
        return {
            "title": board.title,
            "audience": board.audience,
            "tiles": [self._tile(tile, index, cut) for tile in board.tiles],
            "panels": [
                _deadline_panel(panel, deadlines, cut, at_ms)
                if isinstance(panel, DeadlinePanel)
                else self._panel(panel, index, cut)
                for panel in board.panels
            ],
            **self._common(index, {(tile.kpi, tile.window) for tile in board.tiles}),
        }

    def kpi(self, kpi: Kpi, index: Index, cut: Cut) -> dict[str, Any]:
        """A KPI's own page: definition, chart, windows and cuts with their samples."""
        shown = [window for window in kpi.windows if window in _WINDOWS]
        first = next((window for window in _DIMENSIONS_OF_PAGE if window in shown), shown[0])
        dimensions = [name for name in kpi.cuts if name != TOTAL_CUT and (name != "agent" or self._show_agents)]
        cut = cut if cut and cut[0] in kpi.cuts else TOTAL
        course = [record for record in index.course(kpi.id, cut)[-CHART_POINTS:] if record.value is not None]
        return {
            "title": kpi.title,
            "definition": kpi.definition,
            "formula": kpi.formula.text,
            "advice": kpi.advice,
            "metric": kpi.metric,
            "tiles": [self._tile(Tile(kpi.id, first), index, cut)],
            "chart": [[_epoch_ms(record.window.end), record.value, record.samples] for record in course],
            "windows": [
                {"window": _WINDOWS[window], **_cells(record)}
                for window in shown
                for record in index.at(kpi.id, window, cut)
            ],
            "cuts": [
                {
                    "dimension": dimension,
                    "window": _WINDOWS[first],
                    "rows": [
                        {"name": name, **_cells(record)}
                        for name, found in sorted(index.by_value(kpi.id, first, dimension).items())[:MOST_CUTS]
                        for record in found
                    ],
                }
                for dimension in dimensions
            ],
            **self._common(index, {(kpi.id, window) for window in kpi.windows}),
        }

    def _common(self, index: Index, shown: set[tuple[str, str]]) -> dict[str, Any]:
        """``shown``: the KPIs and windows whose alerts belong here."""
        return {
            "alerts": [self._alert(one) for one in self._alerts.open if (one.kpi.id, one.window) in shown],
            "recovered": [self._alert(one) for one in self._alerts.recovered if (one.kpi.id, one.window) in shown],
            "choices": {name: sorted(index.by_value("ticket_volume", "total", name))[:MOST_CUTS] for name in FILTERS},
        }

    def _tile(self, tile: Tile, index: Index, cut: Cut) -> dict[str, Any]:
        kpi = self._rows[tile.kpi]
        split = not cut or cut[0] in kpi.cuts
        found = index.at(kpi.id, tile.window, cut if split else TOTAL)
        record = found[0] if found else None
        value = figure(record, tile.stat)
        return {
            **_about(kpi),
            "stat": tile.stat,
            "window": _WINDOWS[tile.window],
            "value": value,
            "unit": kpi.unit if record is None else record.unit,
            "others": [[other.value, other.unit] for other in found[1:]],
            "samples": None if record is None else record.samples,
            "target": kpi.target,
            "verdict": verdict(kpi, value, None if record is None else record.samples),
            "split": split,
            "trend": self._course(kpi, tile.window, index, cut if split else TOTAL),
        }

    def _course(self, kpi: Kpi, window: str, index: Index, cut: Cut) -> list[float]:
        """The last hour, by five minutes where there are such windows, else as sampled here."""
        values = [record.value for record in index.course(kpi.id, cut)[-12:] if record.value is not None]
        return values if len(values) > 1 and window != "total" else self._trend.of(kpi.id, window, cut)

    def _panel(self, panel: Panel, index: Index, cut: Cut) -> dict[str, Any]:
        columns = [self._rows[column.kpi] for column in panel.columns]
        cells = [index.by_value(column.kpi, column.window, panel.dimension) for column in panel.columns]
        names = list(
            dict.fromkeys(name for column in cells for name, found in column.items() if found[0].value is not None)
        )
        if panel.shape != "table":
            names = [name for name in names if name in cells[0] and cells[0][name][0].value is not None]
        filtered = False
        if cut and cut[0] == panel.dimension:
            filtered, names = True, [name for name in names if name == cut[1]]
        if panel.dimension == "age_band":
            names = [band for band in AGE_BANDS if band in names]
        elif panel.shape == "countdown":
            names.sort(key=lambda name: (cells[0][name][0].value, name))
        else:
            names.sort(key=lambda name: (-_first(cells[0].get(name)), name))
        return {
            "id": panel.id,
            "title": panel.title,
            "shape": panel.shape,
            "dimension": panel.dimension,
            "total_of": bool(cut) and not filtered,
            "columns": [
                {**_about(kpi), "title": column.title, "window": _WINDOWS[column.window]}
                for kpi, column in zip(columns, panel.columns, strict=True)
            ],
            "rows": [
                {"name": name, "cells": [_cells(column.get(name, [None])[0]) for column in cells]}
                for name in names[:MOST_ROWS]
            ],
            "more": max(0, len(names) - MOST_ROWS),
        }

    @staticmethod
    def _alert(alert: Alert) -> dict[str, Any]:
        return {
            **_about(alert.kpi),
            "window": _WINDOWS[alert.window],
            "value": alert.value,
            "target": alert.kpi.target,
            "advice": alert.kpi.advice,
            "since_ms": alert.since_ms,
            "until_ms": alert.until_ms,
        }


def _deadline_panel(panel: DeadlinePanel, deadlines: Sequence[Deadline], cut: Cut, at_ms: int) -> dict[str, Any]:
    found = [one for one in deadlines if not cut or getattr(one, cut[0]) == cut[1]]
    ahead = [one for one in found if one.deadline_ms > at_ms]
    missed = [one for one in found if one.deadline_ms <= at_ms]
    missed = missed[: max(LEAST_MISSED, MOST_DEADLINES - len(ahead))]
    cut_off = sum(one.deadline_ms > at_ms for one in deadlines) >= MOST_AHEAD
    return {
        "id": panel.id,
        "title": panel.title,
        "shape": "deadlines",
        "rows": [
            {
                "kind": one.kind,
                "name": one.subject,
                "promise": one.metric.replace("_", " "),
                "group": one.group,
                "deadline_ms": one.deadline_ms,
            }
            for one in (*ahead[: MOST_DEADLINES - len(missed)], *missed)
        ],
        "of_nearest": MOST_AHEAD if cut and cut_off else None,
    }


def _first(found: list[KpiRecord] | None) -> float:
    return -1 if not found or found[0].value is None else found[0].value


def _about(kpi: Kpi) -> dict[str, Any]:
    return {
        "kpi": kpi.id,
        "title": kpi.title,
        "unit": kpi.unit,
        "kind": kpi.kind.value,
        "direction": kpi.direction,
    }


def _cells(record: KpiRecord | None) -> dict[str, Any]:
    if record is None:
        return {"value": None, "samples": None, "unit": ""}
    cells: dict[str, Any] = {"value": record.value, "samples": record.samples, "unit": record.unit}
    if record.unit == "seconds" and record.value is not None:
        cells["deadline_ms"] = _epoch_ms(record.window.end) + round(record.value * 1_000)
    if record.stats is not None:
        cells |= {"p50": record.stats.p50, "p90": record.stats.p90}
    return cells


def _epoch_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000)
