"""Requester wait, agent work and on-hold time on the business clock, by hand. Stories are of the first week of March
2026, whose Monday is the 2nd; the office is open from 09:00 to 17:00 in UTC, but for Wednesday, a holiday."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from stream_kpi.calendars.schedule import Schedule
from stream_kpi.calendars.selection import Selection
from stream_kpi.kpis.record import KpiRecord
from stream_kpi.lifecycles.entity import Entity
from stream_kpi.lifecycles.facts import CutSets
from stream_kpi.lifecycles.options import Options
from stream_kpi.lifecycles.ticket.business_runs import OPENING_DUE
from stream_kpi.lifecycles.ticket.events import Created
from stream_kpi.lifecycles.ticket.fold import TicketFold
from stream_kpi.measures.histogram import Stats
from tests.row_kit import assigned, at, merged, rows, solved
from tests.shard_kit import created, event, status
from tests.sla_kit import OFFICE, options_of

MON, TUE, WED, THU = 0, 24, 48, 72
CLOCKS = ("requester_wait_time", "agent_work_time", "on_hold_time")
HOURS = f"""{OFFICE}
[[schedule]]
name = "evening"
zone = "UTC"
monday = ["16:00-22:00"]
tuesday = ["16:00-22:00"]

[[schedule]]
name = "fair"
zone = "UTC"
holidays = ["2026-03-02 09:00-12:00"]
"""
OPTIONS = options_of(HOURS, {"evening": "evening", "fair": "fair"}, default="office")


def minute(hour: float) -> float:
    """Of an hour of the week, as the stories' kit counts."""
    return (hour - 10) * 60


def when(hour: float) -> int:
    return at(minute(hour))


def of_clock(
    kpi: str,
    lines: Iterable[bytes],
    hour: float,
    window: str = "total",
    clock: str = "business",
    options: Options = OPTIONS,
    cut: dict[str, str] | None = None,
) -> list[KpiRecord]:
    """The records of a cut, by default the total's, as of an hour of the week."""
    found = rows(kpi, lines, window, minute(hour), options)
    return [record for record in found if record.clock == clock and record.cut == (cut or {})]


def hours(record: KpiRecord) -> tuple[float, int | None]:
    """Value in hours, and samples."""
    assert record.value is not None
    return record.value / 3_600, record.samples


def ran(kpi: str, lines: Iterable[bytes], hour: float, window: str = "total", **cut: str) -> tuple[float, int | None]:
    """The value in hours and the samples of the one record on the business clock."""
    (record,) = of_clock(kpi, lines, hour, window, cut=cut)
    return hours(record)


def moved(subject: str, hour: float, **changes: str) -> bytes:
    return event("ticket.updated", subject, when(hour), f"{subject}/updated/{hour}", **changes)


@pytest.mark.parametrize(
    ("now", "open_h"),
    [
        (MON + 16, 0),
        (MON + 16.5, 0.5),
        (MON + 17, 1),
        (MON + 20, 1),
        (TUE + 8, 1),
        (TUE + 9, 1),
        (TUE + 12, 4),
        (WED + 12, 9),
        (THU + 10, 10),
    ],
)
def test_what_runs_counts_its_open_hours_up_to_any_now_with_no_event_between(now: float, open_h: float) -> None:
    assert ran("requester_wait_time", [created("A", when(MON + 16))], now) == (open_h, 1)


def test_the_calendar_clock_counts_all_hours_beside_it_and_comes_first() -> None:
    found = rows("agent_work_time", [created("A", when(MON + 16))], minute=minute(TUE + 10), options=OPTIONS)
    totals = [record for record in found if not record.cut]
    assert [record.clock for record in totals] == ["calendar", "business"]
    assert [hours(record) for record in totals] == [(18, 1), (2, 1)]


def test_stats_are_count_sum_and_mean_only() -> None:
    lines = [created("A", when(MON + 16)), created("B", when(MON + 18)), solved("B", minute(TUE + 12))]
    (record,) = of_clock("agent_work_time", lines, TUE + 10)
    assert record.stats == Stats(count=2, sum=3 * 3_600, mean=1.5 * 3_600)


def test_time_is_split_over_the_windows_it_ran_in_and_closed_ones_have_neither_time_nor_samples() -> None:
    lines = [created("A", when(MON + 16.5)), solved("A", minute(TUE + 9.5))]
    found = of_clock("requester_wait_time", lines, TUE + 11, "tumbling:1h")
    assert [hours(record) for record in found] == [(0.5, 1), *[(0, 0)] * 16, (0.5, 1), (0, 0), (0, 0)]
    assert [hours(record) for record in of_clock("requester_wait_time", lines, TUE + 11, "tumbling:1d")] == [
        (0.5, 1),
        (0.5, 1),
    ]


@pytest.mark.parametrize(
    ("window", "now", "expected"),
    [
        ("rolling:1h", MON + 20, (0, 0)),
        ("rolling:4h", MON + 20, (1, 1)),
        ("rolling:1h", TUE + 8.5, (0, 0)),
        ("rolling:1h", TUE + 9.25, (0.25, 1)),
        ("rolling:24h", TUE + 9.25, (1.25, 1)),
        ("today", TUE + 8.5, (0, 0)),
        ("today", TUE + 9, (0, 1)),
        ("tumbling:1d", WED + 12, (0, 0)),
        ("month", WED + 12, (9, 1)),
    ],
)
def test_a_ticket_that_runs_on_is_a_sample_of_the_windows_in_which_its_schedule_is_open(
    window: str, now: float, expected: tuple[float, int]
) -> None:
    found = of_clock("requester_wait_time", [created("A", when(MON + 16))], now, window)
    assert hours(found[-1]) == expected


def test_a_clock_that_ran_only_while_the_office_was_closed_has_no_sample() -> None:
    lines = [created("A", when(MON + 18)), solved("A", minute(MON + 20))]
    (record,) = of_clock("requester_wait_time", lines, TUE + 12)
    assert (record.value, record.samples, record.stats) == (0, 0, None)
    assert hours(*of_clock("requester_wait_time", lines, TUE + 12, clock="calendar")) == (2, 1)


def test_a_ticket_of_the_night_begins_to_wait_when_the_office_opens() -> None:
    lines = [created("A", when(MON + 23))]
    assert ran("requester_wait_time", lines, TUE + 8.75) == (0, 0)
    assert ran("requester_wait_time", lines, TUE + 9) == (0, 1)
    assert ran("requester_wait_time", lines, TUE + 10) == (1, 1)


def test_the_status_says_which_clocks_run() -> None:
    lines = [
        *(created("A", when(MON + 16)), status("A", when(MON + 16.5), "on_hold"), status("A", when(MON + 18), "open")),
        *(status("A", when(TUE + 10), "pending"), status("A", when(TUE + 11), "open"), solved("A", minute(TUE + 12))),
    ]
    # 16:00 to 16:30, on hold to 17:00, 09:00 to 10:00, 11:00 to 12:00
    assert [ran(kpi, lines, THU + 12) for kpi in CLOCKS] == [(3, 1), (2.5, 1), (0.5, 1)]


def test_each_schedule_counts_over_the_time_it_applied() -> None:
    lines = [created("A", when(MON + 10), group="day"), moved("A", MON + 12, group="evening")]
    # The office's 10:00 to 12:00, the evening's 16:00 to 18:00.
    assert ran("requester_wait_time", lines, MON + 15) == (2, 1)
    assert ran("requester_wait_time", lines, MON + 18) == (4, 1)
    assert ran("requester_wait_time", lines, MON + 18, group="day") == (2, 1)
    assert ran("requester_wait_time", lines, MON + 18, group="evening") == (2, 1)
    back = [*lines, moved("A", MON + 19, group="day")]
    assert ran("requester_wait_time", back, TUE + 10) == (6, 1)
    assert ran("requester_wait_time", back, TUE + 10, "today") == (1, 1)


def test_tickets_on_several_schedules_add_up() -> None:
    lines = [created("A", when(MON + 10), group="day"), created("B", when(MON + 10), group="evening")]
    assert ran("agent_work_time", lines, MON + 18) == (7 + 2, 2)
    # At 18:00 the office is closed: of the trailing hour, B alone is a sample.
    assert ran("agent_work_time", lines, MON + 18.5, "rolling:1h") == (1, 1)


def test_the_agent_assigned_while_it_runs_is_credited_also_when_that_changes_at_night() -> None:
    lines = [created("A", when(MON + 15)), assigned("A", minute(MON + 16), "ann")]
    lines.append(assigned("A", minute(MON + 20), "bob"))
    assert ran("agent_work_time", lines, TUE + 12, agent="unknown") == (1, 1)
    assert ran("agent_work_time", lines, TUE + 12, agent="ann") == (1, 1)
    assert ran("agent_work_time", lines, TUE + 12, agent="bob") == (3, 1)
    assert ran("agent_work_time", lines, TUE + 12) == (5, 1)


def test_a_ticket_that_runs_again_counts_once_in_every_window() -> None:
    lines = [created("A", when(MON + 10))]
    for hour in (MON + 11, MON + 19, TUE + 11):
        lines += [status("A", when(hour), "pending"), status("A", when(hour + 0.5), "open")]
    lines.append(solved("A", minute(TUE + 20)))
    for window, samples in (("tumbling:1d", 2), ("month", 1), ("total", 1), ("rolling:7d", 1)):
        found = [record.samples for record in of_clock("agent_work_time", lines, THU + 12, window)]
        assert sum(one or 0 for one in found) == samples, window


def test_a_late_event_corrects_the_windows_of_the_past() -> None:
    story = [created("A", when(MON + 10)), solved("A", minute(TUE + 12))]
    late = status("A", when(MON + 15), "pending")
    days = [hours(record) for record in of_clock("requester_wait_time", story, WED, "tumbling:1d")]
    assert days == [(7, 1), (3, 1), (0, 0)]
    days = [hours(record) for record in of_clock("requester_wait_time", [*story, late], WED, "tumbling:1d")]
    assert days == [(5, 1), (0, 0), (0, 0)]


def test_a_change_of_schedule_that_comes_late_restates_what_was_counted() -> None:
    story = [created("A", when(MON + 10)), solved("A", minute(MON + 17))]
    assert ran("requester_wait_time", story, TUE) == (7, 1)
    assert ran("requester_wait_time", [*story, moved("A", MON + 12, group="evening")], TUE) == (3, 1)


def test_spam_and_the_source_of_a_merge_leave_the_business_clock_too() -> None:
    lines = [created("A", when(MON + 10)), created("B", when(MON + 10))]
    lines += [status("A", when(MON + 12), "spam"), merged("B", minute(MON + 13))]
    assert ran("requester_wait_time", lines, TUE + 12) == (0, 0)
    assert ran("requester_wait_time", [*lines, status("A", when(MON + 14), "open")], TUE + 12) == (2 + 3 + 3, 1)


def test_what_opens_no_more_runs_no_more() -> None:
    lines = [created("A", when(MON + 11), group="fair"), created("B", when(MON + 13), group="fair")]
    assert ran("requester_wait_time", lines, THU + 12) == (1, 1)
    assert ran("requester_wait_time", [*lines, solved("A", minute(WED)), solved("B", minute(WED))], THU + 12) == (1, 1)


def test_tickets_of_before_2020_have_their_time_too() -> None:
    lines = [created("A", when(MON + 10 - 24 * 7 * 400)), solved("A", minute(TUE + 10 - 24 * 7 * 400))]
    assert ran("requester_wait_time", lines, MON + 10) == (8, 1)


@pytest.mark.parametrize("kpi", CLOCKS)
def test_without_tickets_the_time_is_0_with_no_samples(kpi: str) -> None:
    (record,) = of_clock(kpi, [], MON + 12, "today")
    assert (record.value, record.samples, record.stats) == (0, 0, None)


def test_a_ticket_without_a_schedule_among_those_that_have_one_is_open_always() -> None:
    options = options_of(HOURS, {"evening": "evening"})
    lines = [created("A", when(MON + 10)), created("B", when(MON + 10), group="evening")]
    (record,) = of_clock("requester_wait_time", lines, TUE + 10, options=options)
    assert hours(record) == (24 + 6, 2)


@pytest.mark.parametrize("kpi", CLOCKS)
def test_where_no_schedule_is_selected_there_is_the_calendar_clock_only(kpi: str) -> None:
    found = rows(kpi, [created("A", when(MON + 10))], minute=minute(TUE))
    assert {record.clock for record in found} == {"calendar"}


def test_illegitimate_pauses_have_the_calendar_clock_only() -> None:
    found = rows("illegitimate_pause_time", [created("A", when(MON + 10))], minute=minute(TUE), options=OPTIONS)
    assert {record.clock for record in found} == {"calendar"}


def test_a_ticket_waits_for_one_opening_at_most_and_then_for_none() -> None:
    office = Schedule("office", "UTC", (((540, 1_020),),) * 7, number=1)
    options = Options(schedules=Selection(office, {}, {}, {}))
    entity = Entity(lambda: TicketFold(CutSets(), options))
    entity.apply(Created(when(MON + 20), "c", "email", None, None, None, None, "customer"), when(MON + 20))
    assert entity.fold.due[OPENING_DUE] == when(TUE + 9)
    entity.advance(when(TUE + 9))
    for hour in range(TUE + 9, THU + 24):
        entity.advance(when(hour))
        assert OPENING_DUE not in entity.fold.due
