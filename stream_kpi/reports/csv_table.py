"""The report as CSV, a row a value, for spreadsheets and programs (pure)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Final

from stream_kpi.kpis.record import KpiRecord, cut_text, timestamp, variant_text
from stream_kpi.kpis.rows import Kpi
from stream_kpi.reports.content import Line, Report

COLUMNS: Final = (
    "period", "start", "end", "at", "area", "kpi", "title", "unit", "clock", "currency", "variant", "window",
    "window_start", "window_end", "cut", "value", "samples", "target", "verdict", "before", "change", "judgement",
)  # fmt: skip
"""``change`` is value less before, in the unit. Values and samples are those of the records, unrounded."""


def csv_table(report: Report) -> str:
    """A header, every line of the report, then every cell of its tables.

    Text from events stands only after ``dimension=``, so that no spreadsheet takes it for a formula.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    period = report.period
    head = (period.kind.value, *map(timestamp, (period.start_ms, period.end_ms, period.at_ms)))
    for line in report.lines:
        writer.writerow((*head, *_of_row(line.row), *_of_record(line.record), *_judged(line)))
    for row, record in _cells(report):
        writer.writerow((*head, *_of_row(row), *_of_record(record), *([None] * 5)))
    return out.getvalue()


def _cells(report: Report) -> Iterator[tuple[Kpi, KpiRecord]]:
    for table in report.tables:
        for member in table.members:
            for row, record in zip(table.columns, member.records, strict=True):
                if record is not None:
                    yield row, record


def _of_row(row: Kpi) -> tuple[str | None, ...]:
    return row.area.value, row.id, row.title, row.unit, row.clock


def _of_record(record: KpiRecord | None) -> tuple[str | float | None, ...]:
    if record is None:
        return (None,) * 8
    window = record.window
    return (
        record.currency,
        variant_text(record),
        window.kind,
        window.start,
        window.end,
        cut_text(record),
        record.value,
        record.samples,
    )


def _judged(line: Line) -> tuple[str | float | None, ...]:
    change, before = line.change, None if line.before is None else line.before.value
    if change is None:
        return line.row.target, line.verdict, before, None, None
    return line.row.target, line.verdict, before, change.difference, change.judgement
