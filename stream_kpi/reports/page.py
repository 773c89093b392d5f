"""The report as one HTML page that needs nothing beside it (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from stream_kpi.kpis.record import KpiRecord
from stream_kpi.reports import phrases
from stream_kpi.reports.charts import bars, sparkline
from stream_kpi.reports.content import CutTable, Line, Report, Section, Volumes, window_name
from stream_kpi.reports.page_style import STYLE
from stream_kpi.reports.wording import NO_SAMPLES, printable, recorded, target

_HEADLINES: Final = (
    "ticket_volume",
    "first_response_time",
    "resolution_time_full",
    "service_level",
    "csat",
)
"""The KPIs whose figures stand at the top, after how many targets are reached: people take in few at once."""
_COLUMNS: Final = ("KPI", "Value", "Target", "Before", "Change", "Course", "Samples", "Span")
_WHOLE_ROWS: Final = 12
_VERDICTS: Final = {
    "reached": '<span class="good">\N{CHECK MARK}<span class="hidden"> reached:</span></span>',
    "missed": '<span class="bad">\N{BALLOT X}<span class="hidden"> missed:</span></span>',
}
_ARROWS: Final = {True: "\N{BLACK UP-POINTING TRIANGLE}", False: "\N{BLACK DOWN-POINTING TRIANGLE}"}


def html_page(report: Report) -> str:
    """The whole document. Text from events is escaped wherever it stands."""
    heading = escape(phrases.title(report))
    parts = [
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{heading}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>",
        f'<header>\n<h1>{heading}</h1>\n<p class="soft">{escape(phrases.subtitle(report))}</p>',
        _notes(report.notes),
        f"</header>\n{_tiles(report)}",
        _charts(report.volumes),
        _missed(report.judged("missed")),
        *(_section(section, report) for section in report.sections),
        *(_table(table) for table in report.tables),
        "</main>\n</body>\n</html>",
    ]
    return "\n".join(part for part in parts if part) + "\n"


def _notes(notes: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f'<ul class="notes">{items}</ul>' if items else ""


def _tiles(report: Report) -> str:
    reached, missed = len(report.judged("reached")), len(report.judged("missed"))
    judged = reached + missed
    tiles = [_tile("Targets reached", f"{reached} of {judged}" if judged else NO_SAMPLES, f"{missed} missed")]
    for headline in _HEADLINES:
        line = next((line for line in report.lines if line.row.id == headline), None)
        if line is not None:
            below = "<br>".join(filter(None, (_target(line), _change(line))))
            tiles.append(_tile(line.title, recorded(line.record, line.row), below))
    return f'<section class="tiles" aria-label="Headlines">{"".join(tiles)}</section>'


def _tile(title: str, figure: str, below: str) -> str:
    none = " none" if figure == NO_SAMPLES else ""
    shown = f'<div class="figure{none}">{escape(figure)}</div>'
    return f'<div class="tile"><h3>{escape(title)}</h3>{shown}<p>{below}</p></div>'


def _missed(lines: Iterable[Line]) -> str:
    items = [
        f"<li>{'<br>'.join(_short(line) for line in of_row)} {escape(row.advice)}</li>"
        for row, of_row in phrases.by_row(lines)
    ]
    if not items:
        return ""
    return f'<section>\n<h2>Targets missed, and what to do</h2>\n<ul class="missed">{"".join(items)}</ul>\n</section>'


def _short(line: Line) -> str:
    shown, wanted = escape(recorded(line.record, line.row)), escape(target(line.row))
    return f"<strong>{escape(line.title)}</strong>: {shown}, target {wanted}."


def _charts(volumes: Iterable[Volumes]) -> str:
    figures = "".join(
        f"<figure><figcaption>{escape(one.title)}{_key(one)}</figcaption>{bars(one)}</figure>" for one in volumes
    )
    return f'<section>\n<h2>Volume</h2>\n<div class="charts">{figures}</div>\n</section>'


def _key(volumes: Volumes) -> str:
    return "".join(
        f'<span class="key"><i class="series{number}"></i>{escape(name)}</span>'
        for number, (name, _) in enumerate(volumes.series)
    )


def _section(section: Section, report: Report) -> str:
    body = "\n".join(_row(line, report) for line in section.lines)
    return (
        f'{_opened(section.lines)}\n<h2>{escape(section.title)}</h2>\n<table class="kpis">\n'
        f"<thead><tr>{_heads(_COLUMNS)}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody>\n</table>\n</section>"
    )


def _row(line: Line, report: Report) -> str:
    row, record = line.row, line.record
    shown = recorded(record, row)
    course = ", ".join("none" if value is None else f"{value:,.4g}" for value in line.course)
    before = "" if line.before is None else recorded(line.before, row)
    cells = [
        f'<td class="{"value" if line.value is not None else "none"}">{_unbroken(shown)}</td>',
        f"<td>{_target(line)}</td>",
        f"<td>{_unbroken(before)}</td>",
        f"<td>{_change(line)}</td>",
        f"<td>{sparkline(line.course, f'{line.title}: {course}')}</td>",
        f"<td>{escape(phrases.samples(record))}</td>",
        f"<td>{escape(window_name(record, report))}</td>",
    ]
    return f'<tr><th scope="row" title="{escape(row.definition)}">{escape(line.title)}</th>{"".join(cells)}</tr>'


def _target(line: Line) -> str:
    text = target(line.row)
    verdict = _VERDICTS.get(line.verdict or "", "")
    return f'<span class="nowrap">{verdict} {escape(text)}</span>' if text else ""


def _change(line: Line) -> str:
    change = line.change
    if change is None:
        return ""
    text = _unbroken(phrases.difference(change, line.row, phrases.currency_of(line)))
    if change.judgement is None:
        return text
    colour = "good" if change.judgement == "better" else "bad"
    return f'<span class="{colour}">{_ARROWS[change.difference > 0]} {text}, {change.judgement}</span>'


def _table(table: CutTable) -> str:
    heading = f"<h2>{escape(table.title)}</h2>"
    if not table.members:
        return f'<section>\n{heading}\n<p class="soft">{escape(phrases.empty_table(table))}</p>\n</section>'
    body = "\n".join(
        f'<tr><th scope="row"><bdi>{escape(printable(member.name))}</bdi></th>'
        + "".join(
            f"<td>{_unbroken(phrases.member_cell(record, row))}{_sampled(record)}</td>"
            for record, row in zip(member.records, table.columns, strict=True)
        )
        + "</tr>"
        for member in table.members[: phrases.SHOWN_MEMBERS]
    )
    heads = _heads([escape(table.dimension.capitalize()), *(escape(row.title) for row in table.columns)])
    caption = f"Small figures are samples. {phrases.left_out(table)}".strip()
    return (
        f'{_opened(table.members)}\n{heading}\n<table class="members">\n<caption>{escape(caption)}</caption>\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</section>"
    )


def _sampled(record: KpiRecord | None) -> str:
    """The samples below a value, where they are not the value itself."""
    if record is None or record.value is None or record.samples == record.value:
        return ""
    return f"<br><small>{escape(phrases.samples(record))}</small>"


def _opened(rows: Sequence[object]) -> str:
    """A section's start; what is short is not divided between two pages."""
    return '<section class="whole">' if len(rows) <= _WHOLE_ROWS else "<section>"


def _unbroken(text: str) -> str:
    """A value or so, escaped, that no line ends in."""
    return f'<span class="nowrap">{escape(text)}</span>' if " " in text else escape(text)


def _heads(cells: Iterable[str]) -> str:
    return "".join(f'<th scope="col">{cell}</th>' for cell in cells)
