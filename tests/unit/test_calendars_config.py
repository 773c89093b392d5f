from __future__ import annotations

import tomllib
from datetime import date
from typing import Any

import pytest

from stream_kpi.calendars.config import MOST_SCHEDULES, read_schedules
from stream_kpi.calendars.schedule import Schedule
from stream_kpi.errors import UserError

GOOD = """
[[schedule]]
name = "support"
zone = "Europe/Berlin"
monday = ["13:00-17:00", "09:00-12:00"]
saturday = ["00:00-24:00"]
sunday = []
holidays = ["2026-12-25", "2026-12-24 09:00-12:00", "2026-12-31 13:00-14:00 09:00-10:00"]
country = "DE"
subdivision = "BY"

[[schedule]]
name = "night"
zone = "UTC"
friday = ["22:00-24:00"]
"""


def table(**changed: Any) -> dict[str, Any]:
    return {"name": "support", "zone": "UTC", "monday": ["09:00-17:00"], **changed}


def complaints(*tables: dict[str, Any]) -> list[str]:
    with pytest.raises(UserError) as raised:
        read_schedules(tables)
    return str(raised.value).split("\n")


def test_tables_become_schedules_by_name() -> None:
    schedules = read_schedules(tomllib.loads(GOOD)["schedule"])
    assert schedules == {
        "support": Schedule(
            "support",
            "Europe/Berlin",
            (((540, 720), (780, 1020)), (), (), (), (), ((0, 1440),), ()),
            {
                date(2026, 12, 25): (),
                date(2026, 12, 24): ((540, 720),),
                date(2026, 12, 31): ((540, 600), (780, 840)),
            },
            "DE",
            "BY",
            number=1,
        ),
        "night": Schedule("night", "UTC", ((), (), (), (), ((1320, 1440),), (), ()), number=2),
    }


def test_no_tables_are_no_schedules() -> None:
    assert read_schedules([]) == {}


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"zone": "Mars/Base"}, "schedule.support.zone = Mars/Base: must be an IANA time zone"),
        ({"zone": 1}, "schedule.support.zone = 1: must be a text, in quotes"),
        ({"monday": "09:00-17:00"}, "schedule.support.monday = 09:00-17:00: must be a list of texts, in brackets"),
        ({"monday": ["9-17"]}, "schedule.support.monday[0] = 9-17: must be HH:MM-HH:MM, such as 09:00-17:00"),
        ({"monday": ["09:00-25:00"]}, "schedule.support.monday[0] = 09:00-25:00: must be HH:MM-HH:MM"),
        ({"monday": ["09:00-24:01"]}, "schedule.support.monday[0] = 09:00-24:01: must end after it starts, and by 24"),
        ({"monday": ["24:00-24:00"]}, "schedule.support.monday[0] = 24:00-24:00: must be HH:MM-HH:MM"),
        ({"monday": ["09:00-10:00", "22:00-06:00"]}, "schedule.support.monday[1] = 22:00-06:00: must end after"),
        ({"monday": ["09:00-09:00"]}, "schedule.support.monday[0] = 09:00-09:00: must end after it starts"),
        ({"monday": [540]}, "schedule.support.monday[0] = 540: must be a text"),
        (
            {"monday": ["09:00-12:00", "11:00-13:00"]},
            "schedule.support.monday = ['09:00-12:00', '11:00-13:00']: must not overlap and must ascend: 09:00-12:00",
        ),
        ({"holidays": ["2026-02-30"]}, "schedule.support.holidays[0] = 2026-02-30: must be a date, such as 2026-12-25"),
        ({"holidays": ["20261225"]}, "schedule.support.holidays[0] = 20261225: must be a date"),
        ({"holidays": [""]}, "schedule.support.holidays[0] = : must be a date"),
        ({"holidays": ["2026-12-24 9-12"]}, "schedule.support.holidays[0] = 2026-12-24 9-12: must be HH:MM-HH:MM"),
        (
            {"holidays": ["2026-12-24 09:00-12:00 10:00-13:00"]},
            "schedule.support.holidays[0] = 2026-12-24 09:00-12:00 10:00-13:00: must not overlap",
        ),
        (
            {"holidays": ["2026-12-24", "2026-12-24 09:00-12:00"]},
            "schedule.support.holidays = 2026-12-24: must not be given twice",
        ),
        ({"country": "Germany"}, "schedule.support.country = Germany: must be an ISO 3166-1 code"),
        ({"country": "DE", "subdivision": "Bavaria"}, "schedule.support.subdivision = Bavaria: must be one of BB, BE,"),
        ({"subdivision": "BY"}, "schedule.support.subdivision = BY: must come with a known country"),
        ({"mondays": []}, "schedule.support.mondays = []: there is no such key; must be one of name, zone, monday,"),
        ({"monday": []}, "schedule.support.monday = []: some day must have hours"),
    ],
)
def test_a_wrong_table_is_refused_with_key_value_and_what_is_allowed(changed: dict[str, Any], complaint: str) -> None:
    (line,) = complaints(table(**changed))
    assert line.startswith(complaint)


def test_a_schedule_without_a_name_goes_by_its_position() -> None:
    nameless = {"zone": "UTC", "monday": ["09:00-17:00"]}
    assert complaints(table(), nameless) == ["schedule.1.name = : must be a name"]


def test_a_schedule_without_a_zone_is_refused() -> None:
    (line,) = complaints({"name": "support", "monday": ["09:00-17:00"]})
    assert line.startswith("schedule.support.zone = : must be an IANA time zone")


def test_more_schedules_than_there_are_numbers_for_are_refused() -> None:
    tables = [table(name=f"s{n}") for n in range(MOST_SCHEDULES)]
    assert read_schedules(tables)["s999"].number == MOST_SCHEDULES == 1_000
    assert complaints(*tables, table()) == ["schedule = 1001 tables: must be at most 1000"]


def test_two_schedules_cannot_have_one_name() -> None:
    assert complaints(table(), table()) == ["schedule.support.name = support: another schedule has this name"]


@pytest.mark.parametrize("name", ["calendar", "business"])
def test_no_schedule_has_the_name_of_another_clock_of_service_levels(name: str) -> None:
    (line,) = complaints(table(name=name))
    assert line == f"schedule.{name}.name = {name}: must be another name: [[sla]] clocks have this one"


def test_every_wrong_key_of_every_table_is_named() -> None:
    lines = complaints(table(zone="x", monday=["x"], holidays=["x"], country="x"), table(name="other", zone="y"))
    assert [line.split(" = ")[0] for line in lines] == [
        "schedule.support.zone",
        "schedule.support.monday[0]",
        "schedule.support.holidays[0]",
        "schedule.support.country",
        "schedule.other.zone",
    ]


def test_a_schedule_may_open_on_special_dates_only() -> None:
    schedules = read_schedules([{"name": "fair", "zone": "UTC", "holidays": ["2026-12-24 09:00-12:00"]}])
    assert schedules["fair"].elapsed_ms(0, 2_000_000_000_000) == 3 * 3_600_000
