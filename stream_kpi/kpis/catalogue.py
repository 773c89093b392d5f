"""Every KPI, one row each, in the order in which they are listed everywhere (pure).

A new row goes into the module of its area; business hours and service level policies get their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from stream_kpi.kpis import chats, costs, engagement, handling, kept_revenue, revenue, surveys, tickets
from stream_kpi.kpis.rows import Area, Kpi
from stream_kpi.measures.registry import Measure

_CATALOGUE: Final[tuple[Kpi, ...]] = (
    *tickets.VOLUME,
    *tickets.BACKLOG,
    *handling.FLOW,
    *tickets.RESPONSE,
    *tickets.RESOLUTION,
    *handling.CLOCKS,
    *handling.OUTCOME,
    *chats.QUEUE,
    *chats.SERVICE,
    *surveys.SATISFACTION,
    *surveys.RESPONSE,
    *surveys.EFFORT,
    *revenue.LEVELS,
    *revenue.MOVEMENTS,
    *revenue.PAID,
    *revenue.RETENTION,
    *kept_revenue.ROWS,
    *costs.COSTS,
    *engagement.VISITS,
    *engagement.USERS,
    *engagement.SOCIAL,
)
_BY_ID: Final[dict[str, Kpi]] = {kpi.id: kpi for kpi in _CATALOGUE}

AREA_MEASURES: Final[dict[Area, tuple[Measure, ...]]] = {
    area: tuple(dict.fromkeys(m for kpi in _CATALOGUE if kpi.area is area for m in kpi.formula.measures))
    for area in Area
}
"""The measures that the rows of an area read."""


def catalogue() -> tuple[Kpi, ...]:
    """Every row."""
    return _CATALOGUE


def on_clocks(rows: Iterable[Kpi], *, business: bool) -> tuple[Kpi, ...]:
    """The rows; where there are schedules (``business``) each before its twin on the business clock, if it has one."""
    if not business:
        return tuple(rows)
    return tuple(row for kpi in rows for row in (kpi, kpi.on_business_clock) if row is not None)


def kpi_by_id(kpi_id: str) -> Kpi:
    """The row of an id.

    Raises:
        KeyError: there is no such KPI.
    """
    return _BY_ID[kpi_id]


def live_rows(window_kind: str) -> tuple[Kpi, ...]:
    """The rows that are published live for a kind of window."""
    return tuple(kpi for kpi in _CATALOGUE if window_kind in kpi.windows)
