"""Selections of schedules for properties."""

from __future__ import annotations

from stream_kpi.calendars.opening_hours import Intervals
from stream_kpi.calendars.schedule import ALWAYS, Schedule
from stream_kpi.calendars.selection import Selection


def every_day(number: int, name: str, zone: str, *hours: tuple[int, int]) -> Schedule:
    """A schedule with the same hours, in minutes after midnight, on every day but Sunday."""
    intervals: Intervals = hours
    return Schedule(name, zone, (*(intervals,) * 6, ()), number=number)


OFFICE = every_day(1, "office", "Europe/Berlin", (540, 720), (780, 1_020))
NIGHT = every_day(2, "night", "Asia/Kolkata", (0, 300), (1_320, 1_440))

ALWAYS_OPEN = Selection(ALWAYS, {}, {}, {})


BY_DIMENSION = Selection(
    ALWAYS,
    by_group={"x": OFFICE, "y": NIGHT, "billing": OFFICE, "technical": NIGHT},
    by_channel={"x": NIGHT, "social": NIGHT},
    by_brand={"y": OFFICE, "acme": OFFICE},
)
"""By values of the dimensions that the stories draw, and of the simulator's; all others are open always."""
