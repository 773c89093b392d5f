"""Every KPI, one row each, in the order in which they are listed everywhere (pure).

A new row goes into the module of its area.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from stream_kpi.kpis import (
    agents,
    chats,
    costs,
    customers,
    engagement,
    handling,
    kept_revenue,
    revenue,
    sla,
    surveys,
    tickets,
)
from stream_kpi.kpis.custom import custom_row
from stream_kpi.kpis.formulas import Formula
from stream_kpi.kpis.rows import Area, Kpi, measures_read
from stream_kpi.kpis.service_levels import SERVICE_LEVELS
from stream_kpi.kpis.staffing import AgentsRequired
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures.registry import MEASURES, Measure

_CATALOGUE: Final[tuple[Kpi, ...]] = (
    *tickets.VOLUME,
    *tickets.BACKLOG,
    *handling.FLOW,
    *tickets.RESPONSE,
    *tickets.RESOLUTION,
    *handling.CLOCKS,
    *handling.OUTCOME,
    *sla.ROWS,
    *customers.FIRST_CONTACT,
    *chats.QUEUE,
    *chats.SERVICE,
    *chats.STAFFING,
    *customers.CHAT_FIRST_CONTACT,
    *agents.PRESENCE,
    *surveys.SATISFACTION,
    *surveys.RESPONSE,
    *surveys.EFFORT,
    *customers.LOYALTY,
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

AREA_MEASURES: Final[dict[Area, tuple[Measure, ...]]] = {
    area: tuple(dict.fromkeys(m for kpi in _CATALOGUE if kpi.area is area for m in kpi.formula.measures))
    for area in Area
}
"""The measures that the rows of an area read."""


PRESETS: Final[dict[str, Mapping[str, Formula]]] = {"service_level": SERVICE_LEVELS}
"""Of the rows that others define otherwise, each definition's formula by its name."""

_CHOSEN: Final[dict[str, Callable[[Options], Formula]]] = {
    "service_level": lambda options: SERVICE_LEVELS[options.service_level],
    "agents_required": lambda options: AgentsRequired(options.staffing_target, options.staffing_patience_ms),
}
"""The rows whose formula is the organisation's choice."""


def catalogue(options: Options | None = None) -> tuple[Kpi, ...]:
    """Every row, with the formulas that an organisation has chosen, and then its own rows (None: the catalogue's)."""
    if options is None:
        return _CATALOGUE
    chosen = (replace(kpi, formula=_CHOSEN[kpi.id](options)) if kpi.id in _CHOSEN else kpi for kpi in _CATALOGUE)
    return (*chosen, *map(custom_row, options.custom_kpis))


def on_clocks(rows: Iterable[Kpi], *, business: bool) -> tuple[Kpi, ...]:
    """The rows; where there are schedules (``business``) each before its twin on the business clock, if it has one."""
    if not business:
        return tuple(rows)
    return tuple(row for kpi in rows for row in (kpi, kpi.on_business_clock) if row is not None)


def within_horizons(rows: Iterable[Kpi], options: Options) -> Iterator[Kpi]:
    """The rows; sla_at_risk followed by itself within each horizon of the options' policies."""
    for kpi in rows:
        yield kpi
        if isinstance(kpi.formula, sla.AtRisk) and options.sla is not None:
            for minutes in options.sla.horizon_minutes:
                formula = sla.AtRisk(kpi.formula.measure, minutes)
                yield replace(kpi, formula=formula, variant={"horizon": sla.horizon_text(minutes)})


def live_rows(window_kind: str, options: Options | None = None) -> tuple[Kpi, ...]:
    """The rows that are published live for a kind of window."""
    return tuple(kpi for kpi in catalogue(options) if window_kind in kpi.windows)


def measures_shown(rows: Iterable[Kpi]) -> frozenset[Measure]:
    """All that decides on the rows' records: what they and their areas know anything by, and where they are of money
    any other money: there is a record of each of its currencies."""
    rows = tuple(rows)
    shown = measures_read(rows).union(*(AREA_MEASURES[area] for kpi in rows for area in (kpi.area, *kpi.beside)))
    return shown.union(m for m in MEASURES if m.by_currency) if any(kpi.formula.by_currency for kpi in rows) else shown


def with_presets(rows: Iterable[Kpi], presets: Iterable[str]) -> Iterator[Kpi]:
    """The rows, each followed by itself under those of the named definitions that it has; those records' variant says
    which."""
    names = tuple(dict.fromkeys(presets))
    for kpi in rows:
        yield kpi
        formulas = PRESETS.get(kpi.id, {})
        for name in names:
            if name in formulas:
                yield replace(kpi, formula=formulas[name], variant={"preset": name})
