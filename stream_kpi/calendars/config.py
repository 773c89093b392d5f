"""Schedules as the settings' TOML file describes them.

[[schedule]]
name = "support"
zone = "Europe/Berlin"
monday = ["09:00-12:00", "13:00-17:00"]         # to sunday; a day that is left out is closed
holidays = ["2026-12-31", "2026-12-24 09:00-12:00"]  # closed; open so long
country = "DE"                                  # its public holidays are closed too
subdivision = "BY"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from stream_kpi.calendars.offsets import zone_info
from stream_kpi.calendars.opening_hours import Intervals, check_intervals, parse_interval, parse_special_day
from stream_kpi.calendars.public_holidays import check_country, check_subdivision
from stream_kpi.calendars.schedule import Schedule
from stream_kpi.errors import UserError
from stream_kpi.tables import Table

CALENDAR = "calendar"
BUSINESS = "business"
"""Clocks of ``[[sla]]`` policies (lifecycles.sla.config), beside the schedules by their names."""
MOST_SCHEDULES = 1_000
"""What runs on a schedule is kept under its number, for which there is so much room."""
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_KEYS = ("name", "zone", *_WEEKDAYS, "holidays", "country", "subdivision")


def read_schedules(tables: Sequence[Mapping[str, object]]) -> dict[str, Schedule]:
    """Return the schedules that the ``[[schedule]]`` tables describe, by name.

    Raises UserError: one line for each wrong key, ``schedule.<name>.<key> = value: what is allowed``; a schedule
    without a name goes by its position, from 0.
    """
    if len(tables) > MOST_SCHEDULES:
        raise UserError(f"schedule = {len(tables)} tables: must be at most {MOST_SCHEDULES}")
    schedules: dict[str, Schedule] = {}
    complaints: list[str] = []
    for position, content in enumerate(tables):
        table = Table(content, f"schedule.{content.get('name') or position}")
        schedule = _schedule(table, position + 1)
        if schedule is not None and schedule.name in schedules:
            table.refuse("name", schedule.name, "another schedule has this name")
        elif schedule is not None:
            schedules[schedule.name] = schedule
        complaints += table.complaints
    if complaints:
        raise UserError("\n".join(complaints))
    return schedules


def _schedule(table: Table, number: int) -> Schedule | None:
    """The schedule of a table; None if anything in it is refused."""
    for key in table.content:
        if key not in _KEYS:
            table.refuse(key, table.content[key], f"there is no such key; must be one of {', '.join(_KEYS)}")
    name = table.required("name", _name)
    zone = table.required("zone", lambda text: zone_info(text).key)
    weekly = tuple(_weekday(table, key) for key in _WEEKDAYS)
    holidays = _holidays(table)
    country = table.optional("country", _country)
    subdivision = table.optional("subdivision", lambda text: _subdivision(country, text))
    if name is None or zone is None or table.complaints:
        return None
    if not any((*weekly, *holidays.values())):
        table.refuse("monday", [], 'some day must have hours, such as monday = ["09:00-17:00"]')
        return None
    return Schedule(name, zone, weekly, holidays, country, subdivision, number)


def _name(text: str) -> str:
    if not text.strip():
        raise ValueError("must be a name")
    if text in (CALENDAR, BUSINESS):
        raise ValueError("must be another name: [[sla]] clocks have this one")
    return text


def _weekday(table: Table, key: str) -> Intervals:
    intervals = tuple(sorted(table.items(key, parse_interval)))
    try:
        check_intervals(intervals)
    except ValueError as error:
        table.refuse(key, table.content[key], str(error))
    return intervals


def _holidays(table: Table) -> dict[date, Intervals]:
    holidays: dict[date, Intervals] = {}
    for day, intervals in table.items("holidays", parse_special_day):
        if day in holidays:
            table.refuse("holidays", day, "must not be given twice; several intervals follow one date")
        holidays[day] = intervals
    return holidays


def _country(text: str) -> str:
    check_country(text)
    return text


def _subdivision(country: str | None, text: str) -> str:
    if country is None:
        raise ValueError("must come with a known country")
    check_subdivision(country, text)
    return text
