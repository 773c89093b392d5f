"""A report's records from what a worker publishes: windows that follow the clock (pure).

Not every row is published for every span: each is shown in the window that comes nearest to the report's period, which
the report names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from stream_kpi.events.times import event_time_ms
from stream_kpi.kpis.record import KpiRecord, cut_of, timestamp
from stream_kpi.kpis.rows import Kpi, KpiKind
from stream_kpi.lifecycles.facts import TOTAL
from stream_kpi.reports.period import Period, PeriodKind
from stream_kpi.reports.readings import TABLES, VOLUME_ROWS, Readings, step_of

_NEAREST: Final = {
    PeriodKind.DAY: ("instant", "today", "rolling:24h", "rolling:30d", "month"),
    PeriodKind.WEEK: ("instant", "rolling:7d", "today", "rolling:30d", "month"),
    PeriodKind.MONTH: ("instant", "month", "rolling:30d", "rolling:7d", "today"),
}
"""Kinds of windows for a period, the one to be preferred first."""
_WHOLE: Final = {PeriodKind.DAY: ("today", "tumbling:1d"), PeriodKind.MONTH: ("month", "month")}
"""The kinds of the windows that are the period so far, and whole periods before; there are none of weeks."""
_SUMS: Final = frozenset({KpiKind.COUNT, KpiKind.TIME, KpiKind.MONEY})
"""What grows while a period lasts: beside a whole one before, it says nothing."""


def latest_ms(records: Iterable[KpiRecord]) -> int | None:
    """The moment of the newest evaluation; None without records."""
    return max((event_time_ms(record.as_of) for record in records), default=None)


def read_live(records: Sequence[KpiRecord], rows: Sequence[Kpi], period: Period) -> Readings:
    """The records of a report on the period that is running, out of all that stand in the values topic."""
    kinds = _chosen(records, period)
    shown = [one for one in records if kinds.get(one.kpi) == one.window.kind and _is_running(one, period)]
    step = step_of(period.kind).name
    return Readings(
        current=[one for one in shown if cut_of(one) == TOTAL],
        before=list(_before(records, rows, kinds, period)),
        inside=[one for one in records if one.window.kind == step and cut_of(one) == TOTAL],
        hours=[one for one in records if one.window.kind == "tumbling:1h" and one.kpi in VOLUME_ROWS and not one.cut]
        if period.kind is PeriodKind.DAY
        else (),  # a worker keeps no more than a day of them
        cuts=[one for one in shown if (cut := cut_of(one)) and one.kpi in TABLES.get(cut[0], ())],
    )


def _chosen(records: Iterable[KpiRecord], period: Period) -> dict[str, str]:
    """The kind of window that each KPI is shown in."""
    published: defaultdict[str, set[str]] = defaultdict(set)
    for record in records:
        if _is_running(record, period):
            published[record.kpi].add(record.window.kind)
    nearest = _NEAREST[period.kind]
    chosen = {kpi: next((kind for kind in nearest if kind in kinds), None) for kpi, kinds in published.items()}
    return {kpi: kind for kpi, kind in chosen.items() if kind is not None}


def _is_running(record: KpiRecord, period: Period) -> bool:
    """Whether the record's window is one that the report may show: of months only the one that is running."""
    window = record.window
    if window.kind != "month":
        return True
    return window.start is not None and event_time_ms(window.start) <= period.at_ms < event_time_ms(window.end)


def _before(
    records: Iterable[KpiRecord], rows: Iterable[Kpi], kinds: dict[str, str], period: Period
) -> Iterator[KpiRecord]:
    if period.kind not in _WHOLE:
        return
    own, whole = _WHOLE[period.kind]
    comparable = {row.id for row in rows if kinds.get(row.id) == own and row.kind not in _SUMS}
    start = timestamp(period.before.start_ms)
    for record in records:
        window = record.window
        if record.kpi in comparable and (window.kind, window.start) == (whole, start) and cut_of(record) == TOTAL:
            yield record
