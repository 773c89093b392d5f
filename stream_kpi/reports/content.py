"""What a report says, before it is put into a format (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from stream_kpi.kpis.record import KpiRecord, class_of, variant_text
from stream_kpi.kpis.rows import Kpi
from stream_kpi.reports.period import Period

Verdict = Literal["reached", "missed"]
Judgement = Literal["better", "worse"]


class Change(NamedTuple):
    """How a value differs from the period before."""

    difference: float
    """The value less the one before, in the unit."""
    share: float | None
    """The difference by the value before; None where that is 0, or either is below 0."""
    judgement: Judgement | None
    """None where neither way is good, or nothing has changed."""


class Line(NamedTuple):
    """One KPI: in one currency, or of one class, where it has several."""

    row: Kpi
    record: KpiRecord | None
    """None: there is no record of it."""
    before: KpiRecord | None
    """The period before."""
    course: tuple[float | None, ...]
    """The values inside the period, day by day, of a day hour by hour; empty where it has none so short."""

    @property
    def title(self) -> str:
        """The row's title and what tells the line from the row's others."""
        if self.record is None:
            return self.row.title
        of_class = (class_of(self.record) or "").replace("_", " ")
        parts = [part for part in (of_class, variant_text(self.record), self.record.currency) if part]
        return f"{self.row.title}: {', '.join(parts)}" if parts else self.row.title

    @property
    def value(self) -> float | None:
        """The value; None without samples."""
        return None if self.record is None else self.record.value

    @property
    def verdict(self) -> Verdict | None:
        """Whether the target is reached; None without a value, a target or a good way."""
        target, value = self.row.target, self.value
        if value is None or target is None or self.row.direction == "none":
            return None
        return "reached" if (value >= target if self.row.direction == "up" else value <= target) else "missed"

    @property
    def change(self) -> Change | None:
        """Against the period before; None where either has no value."""
        value, before = self.value, None if self.before is None else self.before.value
        if value is None or before is None:
            return None
        difference = value - before
        share = difference / before if before > 0 and value >= 0 else None
        if not difference or self.row.direction == "none":
            return Change(difference, share, None)
        return Change(difference, share, "better" if (difference > 0) == (self.row.direction == "up") else "worse")


class Section(NamedTuple):
    """The KPIs of one area."""

    title: str
    lines: tuple[Line, ...]


class Volumes(NamedTuple):
    """Counts side by side, for a chart."""

    title: str
    labels: tuple[str, ...]
    series: tuple[tuple[str, tuple[int, ...]], ...]
    """A name, and a count a label."""


class Member(NamedTuple):
    """A channel, a category or an agent, with a record a column."""

    name: str
    records: tuple[KpiRecord | None, ...]


class CutTable(NamedTuple):
    """KPIs by one dimension."""

    title: str
    dimension: str
    columns: tuple[Kpi, ...]
    members: tuple[Member, ...]


class Report(NamedTuple):
    """The whole."""

    period: Period
    live: bool
    """Whether its values are those of a worker's live windows."""
    sections: tuple[Section, ...]
    volumes: tuple[Volumes, ...]
    tables: tuple[CutTable, ...]
    notes: tuple[str, ...]
    """What a reader has to know to read it rightly."""
    compared: bool
    """Whether there is anything of the period before."""

    @property
    def lines(self) -> list[Line]:
        """Of all sections."""
        return [line for section in self.sections for line in section.lines]

    def judged(self, verdict: Verdict) -> list[Line]:
        """The lines whose target is reached, or missed."""
        return [line for line in self.lines if line.verdict == verdict]


def window_name(record: KpiRecord | None, report: Report) -> str:
    """The span that a record is of, as the report names it; empty without a record."""
    if record is None:
        return ""
    kind = record.window.kind
    if kind == "instant":
        return "now" if report.live else "at end"
    if kind == "today" and report.live:
        return "today"
    if kind == "rolling:7d" and report.period.kind == "week" and not report.live:
        return "week"
    return _WINDOW_NAMES.get(kind, kind)


_WINDOW_NAMES = {
    "today": "day",
    "tumbling:1d": "day",
    "month": "month",
    "rolling:24h": "last 24 h",
    "rolling:7d": "last 7 d",
    "rolling:30d": "last 30 d",
}


def shown_columns(row_ids: Sequence[str], rows: Sequence[Kpi], dimension: str) -> tuple[Kpi, ...]:
    """Those of the rows that the catalogue has by the dimension, on the calendar clock, in the order of the ids."""
    known = {row.id: row for row in rows if dimension in row.cuts}
    return tuple(known[kpi] for kpi in row_ids if kpi in known)
