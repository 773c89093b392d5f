"""The report of the running period from live records: the window of each KPI, and what it is compared with."""

from __future__ import annotations

import msgspec

from stream_kpi.compute import Computation
from stream_kpi.kpis.catalogue import catalogue, live_rows
from stream_kpi.kpis.record import KpiRecord, timestamp
from stream_kpi.lifecycles.options import Options
from stream_kpi.reports.build import build
from stream_kpi.reports.content import Report, window_name
from stream_kpi.reports.live import latest_ms, read_live
from stream_kpi.reports.markdown import markdown
from stream_kpi.reports.period import PeriodKind, period_at
from stream_kpi.windows.kinds import parse
from tests.report_kit import STORY, at, line_of

NOW_MS = at("03-03 12:00")
WINDOWS = ("total", "today", "rolling:24h", "rolling:7d", "rolling:30d", "tumbling:1h", "tumbling:1d", "month")
DIMENSIONS = ("channel", "category", "agent")


def published() -> list[KpiRecord]:
    """What a worker has in the values topic on Tuesday at noon, but for the short windows."""
    records: list[KpiRecord] = []
    for window in WINDOWS:
        computation = Computation(Options(), parse(window), NOW_MS)
        for line in STORY:
            computation.take(line)
        rows = live_rows(window) + (live_rows("instant") if window == "total" else ())
        records += computation.records(rows, DIMENSIONS)
    # A worker evaluates a window that is running as of now, not as of its end.
    return [msgspec.structs.replace(record, as_of=timestamp(NOW_MS)) for record in records]


RECORDS = published()


def live(kind: PeriodKind) -> Report:
    period = period_at(kind, NOW_MS, Options().zone_info)
    return build(period, catalogue(), read_live(RECORDS, catalogue(), period), live=True)


def spans(report: Report, *kpis: str) -> list[str]:
    return [window_name(line_of(report, kpi).record, report) for kpi in kpis]


def test_each_kpi_is_shown_in_the_live_window_nearest_to_the_period() -> None:
    assert latest_ms(RECORDS) == NOW_MS
    kpis = ("ticket_backlog", "first_response_time", "churn_rate", "reopen_rate")
    assert spans(live(PeriodKind.DAY), *kpis) == ["now", "today", "today", "last 30 d"]
    assert spans(live(PeriodKind.WEEK), *kpis) == ["now", "last 7 d", "last 7 d", "last 30 d"]
    assert spans(live(PeriodKind.MONTH), *kpis) == ["now", "last 7 d", "month", "month"]


def test_every_row_has_one_line_of_one_window() -> None:
    for kind in PeriodKind:
        lines = [line for line in live(kind).lines if line.row.id == "first_response_time"]
        assert [line.value is not None for line in lines] == [True]


def test_means_and_ratios_of_today_are_compared_with_yesterday_sums_are_not() -> None:
    today = live(PeriodKind.DAY)
    response, volume = line_of(today, "first_response_time"), line_of(today, "ticket_volume")
    assert response.before is not None
    assert (response.value, response.before.value) == (3_600.0, 21_600.0)
    assert (volume.value, volume.before) == (2, None)
    assert line_of(live(PeriodKind.WEEK), "first_response_time").before is None


def test_a_day_has_its_hours_and_a_week_its_days() -> None:
    (by_hour,) = [one for one in live(PeriodKind.DAY).volumes if one.title == "Volume by hour of the day"]
    assert {hour: n for hour, n in enumerate(by_hour.series[0][1]) if n} == {9: 2}
    (by_day,) = live(PeriodKind.WEEK).volumes
    assert by_day.series[0][1] == (0, 0, 0, 0, 0, 1, 2)


def test_tables_are_of_the_same_windows() -> None:
    channels, categories, agents = live(PeriodKind.DAY).tables
    assert [member.name for member in channels.members] == ["email", "web"]
    assert [member.name for member in categories.members] == ["<script>alert(1)</script>", "billing"]
    assert [member.name for member in agents.members] == ["ann", "bob"]


def test_without_records_every_kpi_is_not_known() -> None:
    period = period_at(PeriodKind.DAY, NOW_MS, Options().zone_info)
    report = build(period, catalogue(), read_live([], catalogue(), period), live=True)
    assert latest_ms([]) is None
    assert {line.record for line in report.lines} == {None}
    assert "| Tickets created | not known |" in markdown(report)
