"""Sentences and cells that the page and the Markdown have in common (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from stream_kpi.kpis.record import KpiRecord
from stream_kpi.kpis.rows import Kpi
from stream_kpi.reports.content import Change, CutTable, Line, Report
from stream_kpi.reports.period import local_time
from stream_kpi.reports.wording import NO_SAMPLES, amount, signed

SHOWN_MEMBERS: Final = 50
"""Channels, categories, agents that a table for people shows; the CSV has all."""


def title(report: Report) -> str:
    """The report's heading."""
    return f"Service report: {report.period.name}"


def subtitle(report: Report) -> str:
    """Where it stands: the zone, the moment, and what it is compared with."""
    period = report.period
    at = f"{local_time(period.at_ms, period.zone):%Y-%m-%d %H:%M}"
    source = "live values of a worker" if report.live else "computed from files of events"
    before = f"; before is {period.before.name}" if report.compared else ""
    return f"As of {at} ({period.zone.key}); {source}{before}."


def score(report: Report) -> str:
    """How many targets are reached."""
    reached, missed = len(report.judged("reached")), len(report.judged("missed"))
    if not reached + missed:
        return "No KPI with a target has samples."
    return f"{reached} of {reached + missed} targets reached, {missed} missed."


def by_row(lines: Iterable[Line]) -> list[tuple[Kpi, list[Line]]]:
    """The lines that have a row, and so its advice, in common."""
    found: dict[tuple[str, str | None], tuple[Kpi, list[Line]]] = {}
    for line in lines:
        found.setdefault((line.row.id, line.row.clock), (line.row, []))[1].append(line)
    return list(found.values())


def samples(record: KpiRecord | None) -> str:
    """How many samples a record has; empty where they are not counted."""
    return "" if record is None or record.samples is None else f"{record.samples:,}"


def difference(change: Change, row: Kpi, currency: str | None) -> str:
    """By how much it has changed: ratios in percentage points, scores in points of theirs, the rest in percent."""
    if not change.difference:
        return "unchanged"
    if row.unit == "ratio":
        return signed(change.difference, f"{_visible(100 * abs(change.difference))} points")
    if change.share is None or row.unit in {"score", "points"}:
        return signed(change.difference, amount(abs(change.difference), row, currency))
    return signed(change.share, f"{_visible(100 * abs(change.share))} %")


def _visible(percent: float) -> str:
    """With one digit, or as many as it takes to be more than 0."""
    return f"{percent:,.1f}" if percent >= 0.05 else f"{percent:.1g}"


def currency_of(line: Line) -> str | None:
    """The currency of a line of money."""
    return None if line.record is None else line.record.currency


def member_cell(record: KpiRecord | None, row: Kpi) -> str:
    """A value in a table of categories or agents; a dash without samples."""
    return "\N{EN DASH}" if record is None or record.value is None else amount(record.value, row, record.currency)


def empty_table(table: CutTable) -> str:
    """What stands in place of a table without members."""
    return f"Nothing happened by {table.dimension}: {NO_SAMPLES}."


def left_out(table: CutTable) -> str:
    """How many members a table does not show; empty if it shows all."""
    more = len(table.members) - SHOWN_MEMBERS
    return f"{more:,} more are in the CSV." if more > 0 else ""
