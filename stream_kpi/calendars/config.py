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

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TypeVar

from stream_kpi.calendars.offsets import zone_info
from stream_kpi.calendars.opening_hours import Intervals, check_intervals, parse_interval, parse_special_day
from stream_kpi.calendars.public_holidays import check_country, check_subdivision
from stream_kpi.calendars.schedule import Schedule
from stream_kpi.errors import UserError

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_KEYS = ("name", "zone", *_WEEKDAYS, "holidays", "country", "subdivision")

_Read = TypeVar("_Read")


def read_schedules(tables: Sequence[Mapping[str, object]]) -> dict[str, Schedule]:
    """Return the schedules that the ``[[schedule]]`` tables describe, by name.

    Raises UserError: one line for each wrong key, ``schedule.<name>.<key> = value: what is allowed``; a schedule
    without a name goes by its position, from 0.
    """
    schedules: dict[str, Schedule] = {}
    complaints: list[str] = []
    for position, content in enumerate(tables):
        table = _Table(content, position)
        schedule = _schedule(table)
        if schedule is not None and schedule.name in schedules:
            table.refuse("name", schedule.name, "another schedule has this name")
        elif schedule is not None:
            schedules[schedule.name] = schedule
        complaints += table.complaints
    if complaints:
        raise UserError("\n".join(complaints))
    return schedules


class _Table:
    """One ``[[schedule]]`` table and what is wrong with it."""

    def __init__(self, content: Mapping[str, object], position: int) -> None:
        self.content = content
        self.complaints: list[str] = []
        self._label = f"schedule.{content.get('name') or position}"

    def refuse(self, key: str, value: object, allowed: str) -> None:
        """Note that a key's value is not what is allowed."""
        self.complaints.append(f"{self._label}.{key} = {value}: {allowed}")

    def read(self, key: str, value: object, parse: Callable[[str], _Read]) -> _Read | None:
        """What a text says; None if it is refused: no text, or ``parse`` raises ValueError."""
        if not isinstance(value, str):
            self.refuse(key, value, "must be a text, in quotes")
            return None
        try:
            return parse(value)
        except ValueError as error:
            self.refuse(key, value, str(error))
            return None

    def required(self, key: str, parse: Callable[[str], _Read]) -> _Read | None:
        """What the text of a key says that must be there."""
        return self.read(key, self.content.get(key, ""), parse)

    def optional(self, key: str, parse: Callable[[str], _Read]) -> _Read | None:
        """What the text of a key says that may be left out."""
        return self.read(key, self.content[key], parse) if key in self.content else None

    def items(self, key: str, parse: Callable[[str], _Read]) -> list[_Read]:
        """What the texts of a list say, those left out that are refused."""
        texts = self.content.get(key, [])
        if not isinstance(texts, list):
            self.refuse(key, texts, "must be a list of texts, in brackets")
            return []
        read = [self.read(f"{key}[{position}]", text, parse) for position, text in enumerate(texts)]
        return [item for item in read if item is not None]


def _schedule(table: _Table) -> Schedule | None:
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
    return Schedule(name, zone, weekly, holidays, country, subdivision)


def _name(text: str) -> str:
    if not text.strip():
        raise ValueError("must be a name")
    return text


def _weekday(table: _Table, key: str) -> Intervals:
    intervals = tuple(sorted(table.items(key, parse_interval)))
    try:
        check_intervals(intervals)
    except ValueError as error:
        table.refuse(key, table.content[key], str(error))
    return intervals


def _holidays(table: _Table) -> dict[date, Intervals]:
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
