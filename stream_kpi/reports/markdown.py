"""The report as Markdown: headings and tables, for a wiki, a chat or a mail (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from stream_kpi.reports import phrases
from stream_kpi.reports.content import CutTable, Line, Report, Volumes, window_name
from stream_kpi.reports.wording import printable, recorded, target

_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]()#+.!|~$:@-])")
_COLUMNS: Final = ("KPI", "Value", "Target", "Verdict", "Before", "Change", "Samples", "Span")
_VERDICTS: Final = {"reached": "reached", "missed": "**missed**"}


def markdown(report: Report) -> str:
    """The whole document. Text from events is escaped: neither Markdown nor HTML in it takes effect."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield from (f"# {phrases.title(report)}", "", phrases.subtitle(report), "")
    for note in report.notes:
        yield f"- {note}"
    if report.notes:
        yield ""
    yield from (f"**{phrases.score(report)}**", "")
    for volumes in report.volumes:
        yield from _volumes(volumes)
    yield from _missed(report.judged("missed"))
    for section in report.sections:
        yield from (f"## {section.title}", "")
        yield from _rows(_COLUMNS, (_cells(line, report) for line in section.lines))
    for table in report.tables:
        yield from _table(table)


def _missed(lines: Sequence[Line]) -> Iterator[str]:
    if not lines:
        return
    yield from ("## Targets missed, and what to do", "")
    for row, of_row in phrases.by_row(lines):
        shown = " ".join(f"**{one.title}**: {recorded(one.record, row)}, target {target(row)}." for one in of_row)
        yield f"- {shown} {row.advice}"
    yield ""


def _volumes(volumes: Volumes) -> Iterator[str]:
    yield from (f"## {volumes.title}", "")
    names = [name for name, _ in volumes.series]
    by_label = zip(volumes.labels, *(counts for _, counts in volumes.series), strict=True)
    yield from _rows(["", *names], ([label, *(f"{count:,}" for count in counts)] for label, *counts in by_label))


def _cells(line: Line, report: Report) -> list[str]:
    change = line.change
    shown = ""
    if change is not None:
        judgement = f", {change.judgement}" if change.judgement else ""
        shown = phrases.difference(change, line.row, phrases.currency_of(line)) + judgement
    return [
        line.title,
        recorded(line.record, line.row),
        target(line.row),
        _VERDICTS.get(line.verdict or "", ""),
        "" if line.before is None else recorded(line.before, line.row),
        shown,
        phrases.samples(line.record),
        window_name(line.record, report),
    ]


def _table(table: CutTable) -> Iterator[str]:
    yield from (f"## {table.title}", "")
    if not table.members:
        yield from (phrases.empty_table(table), "")
        return
    yield from _rows(
        [table.dimension.capitalize(), *(row.title for row in table.columns)],
        (
            [
                escaped(member.name),
                *(phrases.member_cell(record, row) for record, row in zip(member.records, table.columns, strict=True)),
            ]
            for member in table.members[: phrases.SHOWN_MEMBERS]
        ),
    )
    if more := phrases.left_out(table):
        yield from (more, "")


def _rows(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|---|{'---:|' * (len(heads) - 1)}"
    for cells in rows:
        yield f"| {' | '.join(cells)} |"
    yield ""


def escaped(text: str) -> str:
    """A text that came with events, to be read as it is."""
    entities = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", entities)
