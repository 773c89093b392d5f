"""A report from the records of its period (pure)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from stream_kpi.events.times import event_time_ms
from stream_kpi.kpis.catalogue import on_clocks
from stream_kpi.kpis.record import KpiRecord, class_of, cut_of, variant_text
from stream_kpi.kpis.rows import Area, Kpi
from stream_kpi.reports.content import CutTable, Line, Member, Report, Section, Volumes, shown_columns
from stream_kpi.reports.period import Period, PeriodKind, local_time
from stream_kpi.reports.readings import TABLES, VOLUME_ROWS, Readings, step_of
from stream_kpi.windows.zones import floor_day

_THIRTY_DAYS_MS: Final = 30 * 86_400_000

Identity = tuple[str, str | None, str | None, str | None, str]
"""KPI, clock, currency, class, variant: what tells the totals of one window apart."""

_AREA_TITLES: Final = {
    Area.TICKETS: "Tickets",
    Area.CONTACTS: "Contacts",
    Area.CHATS: "Chats and calls",
    Area.AGENTS: "Agents",
    Area.SURVEYS: "Satisfaction",
    Area.REVENUE: "Customers and revenue",
    Area.COSTS: "Costs",
    Area.ENGAGEMENT: "Engagement",
    Area.SOCIAL: "Social media",
}


def build(
    period: Period,
    rows: Sequence[Kpi],
    readings: Readings,
    *,
    business: bool = False,
    live: bool = False,
    notes: Iterable[str] = (),
) -> Report:
    """The report of a period: every row in the order given, also those without a record. ``business``: rows that have
    both clocks have a line on each."""
    return Report(
        period=period,
        live=live,
        sections=tuple(_sections(on_clocks(rows, business=business), readings, period)),
        volumes=tuple(_volumes(rows, readings, period)),
        tables=tuple(_table(dimension, rows, readings.cuts) for dimension in TABLES),
        notes=tuple(notes),
        compared=bool(readings.before),
    )


def coverage_notes(period: Period, first_ms: int | None) -> Iterator[str]:
    """What is to be said when the events do not cover the period and the one before."""
    before, zone = period.before, period.zone
    if first_ms is None or first_ms > period.at_ms:
        yield "There are no events up to the end of this period."
    elif first_ms > before.at_ms:
        yield f"The events begin on {local_time(first_ms, zone):%Y-%m-%d %H:%M}: there is no period before to compare."
    elif floor_day(first_ms, zone) > before.start_ms:
        yield (
            f"The events begin on {local_time(first_ms, zone):%Y-%m-%d %H:%M}, inside the period before: "
            "changes are against less than a whole period."
        )
    elif period.kind is not PeriodKind.MONTH and first_ms > before.at_ms - _THIRTY_DAYS_MS:
        yield (
            f"The events begin on {local_time(first_ms, zone):%Y-%m-%d %H:%M}: changes of values of the last 30 d are "
            "against less than 30 d."
        )
    if not period.over:
        at = f"{local_time(period.at_ms, zone):%Y-%m-%d %H:%M}"
        compared = first_ms is not None and first_ms <= before.at_ms
        yield f"The period is reported up to {at}{', and compared with as much of the one before' if compared else ''}."


def identity(record: KpiRecord) -> Identity:
    """What tells the record from the others of its window's totals."""
    return record.kpi, record.clock, record.currency, class_of(record), variant_text(record)


def _sections(rows: Iterable[Kpi], readings: Readings, period: Period) -> Iterator[Section]:
    current: defaultdict[tuple[str, str | None], list[KpiRecord]] = defaultdict(list)
    for record in readings.current:
        current[record.kpi, record.clock].append(record)
    before = {identity(record): record for record in readings.before}
    course = _courses(readings.inside, period)
    by_area: defaultdict[Area, list[Line]] = defaultdict(list)
    for row in rows:
        found = current.get((row.id, row.clock), ())
        lines_of_area = by_area[row.area]
        lines_of_area += [Line(row, one, before.get(identity(one)), course.get(identity(one), ())) for one in found]
        if not found:
            lines_of_area.append(Line(row, None, None, ()))
    for area, lines in by_area.items():
        yield Section(_AREA_TITLES.get(area, area.value.capitalize()), tuple(lines))


def _courses(inside: Iterable[KpiRecord], period: Period) -> dict[Identity, tuple[float | None, ...]]:
    """The values of the windows inside the period, a place for each window, by identity."""
    starts = _starts(period)
    places = {start_ms: place for place, start_ms in enumerate(starts)}
    found: dict[Identity, list[float | None]] = {}
    for record in inside:
        place = places.get(_start_ms(record))
        if place is not None:
            found.setdefault(identity(record), [None] * len(starts))[place] = record.value
    return {key: tuple(values) for key, values in found.items()}


def _starts(period: Period) -> list[int]:
    """The starts of the windows that the period is divided into, up to its ``at_ms``."""
    step, starts = step_of(period.kind), [period.start_ms]
    while (start_ms := step.end_of(starts[-1], period.zone)) <= period.at_ms:
        starts.append(start_ms)
    return starts


def _start_ms(record: KpiRecord) -> int:
    return -1 if record.window.start is None else event_time_ms(record.window.start)


def _volumes(rows: Sequence[Kpi], readings: Readings, period: Period) -> Iterator[Volumes]:
    shown = [row for row in rows if row.id in VOLUME_ROWS]
    if period.kind is not PeriodKind.DAY:
        starts = _starts(period)
        labels = tuple(f"{local.day} {local:%b}" for local in (local_time(start, period.zone) for start in starts))
        yield Volumes("Volume by day", labels, _counted(shown, readings.inside, {s: n for n, s in enumerate(starts)}))
    if readings.hours:
        starts_ms = {_start_ms(record) for record in readings.hours}
        inside = [start_ms for start_ms in starts_ms if period.start_ms <= start_ms < period.end_ms]
        hours = {start_ms: local_time(start_ms, period.zone).hour for start_ms in inside}
        labels = tuple(f"{hour:02d}" for hour in range(24))
        yield Volumes("Volume by hour of the day", labels, _counted(shown, readings.hours, hours, len(labels)))


def _counted(
    rows: Iterable[Kpi], records: Sequence[KpiRecord], places: dict[int, int], size: int | None = None
) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Each row's counts, added up by the place of their window's start."""
    counts: Counter[tuple[str, int]] = Counter()
    for record in records:
        place = places.get(_start_ms(record))
        if place is not None:
            counts[record.kpi, place] += int(record.value or 0)
    length = len(places) if size is None else size
    return tuple((row.title, tuple(counts[row.id, place] for place in range(length))) for row in rows)


def _table(dimension: str, rows: Sequence[Kpi], records: Iterable[KpiRecord]) -> CutTable:
    """Channels and categories from the busiest down; agents by name, for a report is no ranking of people. Who has
    nothing but zeros is left out."""
    columns = shown_columns(TABLES[dimension], rows, dimension)
    found: defaultdict[str, dict[str, KpiRecord]] = defaultdict(dict)
    for record in records:
        name, *value = cut_of(record) or ("",)
        calendar = record.clock != "business"
        if name == dimension and calendar and class_of(record) is None:
            found[value[0]].setdefault(record.kpi, record)
    members = [
        Member(name, tuple(by_kpi.get(column.id) for column in columns))
        for name, by_kpi in found.items()
        if any(by_kpi[column.id].value for column in columns if column.id in by_kpi)
    ]
    if dimension == "agent":
        members.sort(key=lambda member: member.name)
    else:
        members.sort(key=lambda member: (-_volume(member), member.name))
    return CutTable(f"By {dimension}", dimension, columns, tuple(members))


def _volume(member: Member) -> float:
    first = member.records[0]
    return 0 if first is None or first.value is None else first.value
