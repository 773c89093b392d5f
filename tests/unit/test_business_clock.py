"""Durations on the business clock, from the settings' text and events to records. Stories are of the first week of
March 2026, whose Monday is the 2nd; the office is open from 09:00 to 17:00 in UTC."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from stream_kpi.compute import Computation
from stream_kpi.kpis.record import KpiRecord, record_key
from stream_kpi.settings import load_settings
from stream_kpi.windows.kinds import parse
from tests.catalogue_kit import kpi_by_id
from tests.sla_kit import OFFICE

ON_BOTH_CLOCKS = ("first_response_time", "next_reply_time", "resolution_time_first", "resolution_time_full")

OFFICE_AND_LATE = f"""{OFFICE}
[[schedule]]
name = "late"
zone = "UTC"
monday = ["16:00-22:00"]
tuesday = ["16:00-22:00"]
"""
OFFICE_FOR_ALL = f'{OFFICE_AND_LATE}\n[schedules]\ndefault = "office"'

# Of ticket 941606 (dbt_zendesk, DECISIONLOG.md): its minutes of the week, as days of UTC.
TWO_SCHEDULES = """
[[schedule]]
name = "A"
zone = "UTC"
sunday = ["12:00-24:00"]
monday = ["00:00-02:00", "12:00-24:00"]
tuesday = ["00:00-02:00", "12:00-24:00"]
wednesday = ["00:00-02:00", "12:00-24:00"]
thursday = ["00:00-02:00"]

[[schedule]]
name = "B"
zone = "UTC"
monday = ["15:00-24:00"]
tuesday = ["00:00-00:30", "15:00-24:00"]
wednesday = ["00:00-00:30", "15:00-24:00"]
thursday = ["00:00-00:30"]

[schedules]
default = "A"
group = { escalations = "B" }
"""

Event = dict[str, Any]
_ids = count()


def event(time: str, kind: str, **data: Any) -> Event:
    """An event of the one ticket; ``time`` is a day of March 2026 and a time of day, or a whole RFC 3339 time."""
    head = {"specversion": "1.0", "id": f"e{next(_ids)}", "source": "/test", "type": f"ticket.{kind}", "subject": "T1"}
    return {**head, "time": time if "T" in time else f"2026-03-{time[:2]}T{time[3:]}:00Z", "data": data}


def created(time: str, **dimensions: str) -> Event:
    return event(time, "created", **{"channel": "email", "customer_id": "C1", **dimensions})


def customer_wrote(time: str) -> Event:
    return event(time, "message", author="customer")


def agent_wrote(time: str) -> Event:
    return event(time, "message", author="agent", author_id="ann")


def status(time: str, status: str) -> Event:
    return event(time, "status", status=status, actor="agent", actor_id="ann")


def records(
    folder: Path, settings: str, events: Iterable[Event], kpis: Iterable[str] = ON_BOTH_CLOCKS, window: str = "total"
) -> list[KpiRecord]:
    file = folder / "settings.toml"
    file.write_text(settings)
    computation = Computation(load_settings(file).options(), parse(window), None)
    for one in events:
        assert computation.take(json.dumps(one).encode()) is None
    return list(computation.records([kpi_by_id(kpi) for kpi in kpis], []))


def hours(folder: Path, settings: str, events: Iterable[Event], kpi: str) -> list[float | None]:
    """The values of the one KPI in hours: on the calendar clock, then on the business clock."""
    found = records(folder, settings, events, [kpi])
    assert [record.clock for record in found] == ["calendar", "business"]
    return [None if record.value is None else record.value / 3_600 for record in found]


def test_a_first_response_across_two_schedules_counts_each_over_the_time_that_it_applied(tmp_path: Path) -> None:
    story = [
        created("2020-09-29T17:01:38Z", group="support"),
        event("2020-09-30T19:01:25Z", "updated", group="escalations"),
        agent_wrote("2020-09-30T19:01:46Z"),
    ]
    calendar, business = hours(tmp_path, TWO_SCHEDULES, story, "first_response_time")
    assert calendar == pytest.approx(26.0022, abs=5e-5)
    assert business is not None
    assert business * 60 == pytest.approx(960.1333, abs=5e-5)


def test_a_ticket_that_came_on_friday_evening_has_waited_one_business_hour_on_monday_at_ten(tmp_path: Path) -> None:
    story = [created("06 20:00"), agent_wrote("09 10:00")]
    assert hours(tmp_path, OFFICE_FOR_ALL, story, "first_response_time") == [62, 1]


def test_a_holiday_has_no_business_hours(tmp_path: Path) -> None:
    story = [created("03 16:00"), agent_wrote("05 10:00")]
    assert hours(tmp_path, OFFICE_FOR_ALL, story, "first_response_time") == [42, 2]


def test_an_answer_before_the_office_opens_took_no_business_time_and_is_a_sample(tmp_path: Path) -> None:
    story = [created("02 06:00"), agent_wrote("02 08:00")]
    (_, business) = records(tmp_path, OFFICE_FOR_ALL, story, ["first_response_time"])
    assert (business.value, business.samples) == (0, 1)


def test_a_next_reply_counts_from_the_oldest_unanswered_message(tmp_path: Path) -> None:
    story = [
        *(created("02 09:00"), agent_wrote("02 09:30")),
        *(customer_wrote("02 16:00"), customer_wrote("03 08:00"), agent_wrote("03 11:00")),
    ]
    assert hours(tmp_path, OFFICE_FOR_ALL, story, "next_reply_time") == [19, 3]


def test_a_reopen_takes_the_full_resolution_back_on_both_clocks_whatever_schedule_applies_by_then(
    tmp_path: Path,
) -> None:
    settings = f'{OFFICE_FOR_ALL}\ngroup = {{ evening = "late" }}'
    solved = [created("02 10:00"), status("02 12:00", "solved")]
    assert hours(tmp_path, settings, solved, "resolution_time_full") == [2, 2]
    reopened = [*solved, event("02 14:00", "updated", group="evening"), status("02 15:00", "open")]
    assert hours(tmp_path, settings, reopened, "resolution_time_full") == [None, None]
    assert hours(tmp_path, settings, reopened, "resolution_time_first") == [2, 2]
    # The office's 10:00 to 14:00, the evening's 16:00 to 18:00.
    again = [*reopened, status("02 18:00", "solved")]
    assert hours(tmp_path, settings, again, "resolution_time_full") == [8, 6]
    assert hours(tmp_path, settings, again, "resolution_time_first") == [2, 2]


def test_a_change_of_schedule_that_comes_late_restates_what_was_counted(tmp_path: Path) -> None:
    settings = f'{OFFICE_FOR_ALL}\ngroup = {{ evening = "late" }}'
    story = [created("02 10:00"), status("02 17:00", "solved")]
    late = event("02 12:00", "assigned", agent_id="ann", group="evening")
    assert hours(tmp_path, settings, story, "resolution_time_full") == [7, 7]
    assert hours(tmp_path, settings, [*story, late], "resolution_time_full") == [7, 3]


def test_a_group_may_change_to_and_fro(tmp_path: Path) -> None:
    settings = f'{OFFICE_FOR_ALL}\ngroup = {{ evening = "late" }}'
    story = [
        *(created("02 10:00", group="day"), event("02 12:00", "updated", group="evening")),
        *(event("02 13:00", "updated", group="day"), event("02 14:00", "updated", group="evening")),
        agent_wrote("02 17:00"),
    ]
    assert hours(tmp_path, settings, story, "first_response_time") == [7, 4]


@pytest.mark.parametrize("removal", [event("03 12:00", "merged", into="T2"), status("03 12:00", "spam")])
def test_what_leaves_every_count_leaves_the_business_clock_too(tmp_path: Path, removal: Event) -> None:
    story = [created("02 10:00"), agent_wrote("02 12:00"), status("02 13:00", "solved"), removal]
    found = records(tmp_path, OFFICE_FOR_ALL, story)
    assert {(record.value, record.samples) for record in found} == {(None, 0)}


def test_without_samples_there_is_no_business_value(tmp_path: Path) -> None:
    found = records(tmp_path, OFFICE_FOR_ALL, [created("02 10:00")])
    assert [(record.kpi, record.clock) for record in found] == [
        (kpi, clock) for kpi in ON_BOTH_CLOCKS for clock in ("calendar", "business")
    ]
    assert {(record.value, record.samples, record.stats) for record in found} == {(None, 0, None)}


@pytest.mark.parametrize("settings", ["", OFFICE_AND_LATE, f"{OFFICE_AND_LATE}\n[schedules]"])
def test_where_no_schedule_is_selected_there_is_the_calendar_clock_only(tmp_path: Path, settings: str) -> None:
    found = records(tmp_path, settings, [created("02 10:00"), agent_wrote("02 12:00")])
    assert [record.clock for record in found] == ["calendar"] * 4


def test_a_ticket_that_has_no_schedule_among_those_that_have_is_open_always(tmp_path: Path) -> None:
    settings = f'{OFFICE_AND_LATE}\n[schedules]\nchannel = {{ phone = "office" }}'
    story = [created("06 20:00"), agent_wrote("09 10:00")]
    assert hours(tmp_path, settings, story, "first_response_time") == [62, 62]


@pytest.mark.parametrize(
    ("dimensions", "business_h"),
    [
        ({"channel": "phone", "brand": "acme", "group": "day"}, 8),
        ({"channel": "phone", "brand": "acme"}, 6),
        ({"channel": "email", "brand": "acme"}, 8),
        ({"channel": "email", "brand": "other"}, 24),
        ({"channel": "email"}, 24),
    ],
)
def test_the_group_decides_before_the_channel_the_channel_before_the_brand(
    tmp_path: Path, dimensions: dict[str, str], business_h: float
) -> None:
    settings = (
        f'{OFFICE_AND_LATE}\n[schedules]\ngroup = {{ day = "office" }}\nchannel = {{ phone = "late" }}\n'
        'brand = { acme = "office" }'
    )
    story = [created("02 09:00", **dimensions), agent_wrote("03 09:00")]
    assert hours(tmp_path, settings, story, "first_response_time") == [24, business_h]


def test_records_of_two_clocks_have_two_keys_and_the_calendars_comes_first(tmp_path: Path) -> None:
    found = records(tmp_path, OFFICE_FOR_ALL, [created("02 10:00"), agent_wrote("02 12:00")], ["first_response_time"])
    assert [record_key(record) for record in found] == [
        b"first_response_time|total||calendar||",
        b"first_response_time|total||business||",
    ]


def test_a_ticket_that_is_sent_to_and_fro_thousands_of_times_adds_up(tmp_path: Path) -> None:
    settings = f'{OFFICE_FOR_ALL}\ngroup = {{ evening = "late" }}'
    moves = [
        event(f"2026-03-02T{9 + n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d}Z", "updated", group=group)
        for n, group in enumerate(["evening", "day"] * 2_000)
    ]
    solves = [
        one
        for n in range(2_000)
        for one in (
            status(f"2026-03-03T10:{n // 60:02d}:{n % 60:02d}Z", "solved"),
            status(f"2026-03-03T10:{n // 60:02d}:{n % 60:02d}.500Z", "open"),
        )
    ]
    story = [created("02 09:00", group="day"), *moves, *solves, status("03 12:00", "solved")]
    # Every second second of the first 4,000 the group of the evening has it: 2,000 s less.
    calendar, business = hours(tmp_path, settings, story, "resolution_time_full")
    assert calendar == 27
    assert business == pytest.approx(11 - 2_000 / 3_600)
