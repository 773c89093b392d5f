"""Opening hours as the wall clock shows them: intervals of one local day, and how they are written."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise

DAY_MINUTES = 1440

Interval = tuple[int, int]
"""``(start, end)`` in minutes after local midnight, open in ``[start, end)``. An end of 1440 is the next midnight."""
Intervals = tuple[Interval, ...]
"""One day's hours: ascending, none overlaps another. ``()``: closed all day."""

_INTERVAL = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def interval_text(interval: Interval) -> str:
    """``09:00-17:00``."""
    return "-".join(f"{minute // 60:02d}:{minute % 60:02d}" for minute in interval)


def parse_interval(text: str) -> Interval:
    """Read ``09:00-17:00``. Raises ValueError that says what is allowed."""
    match = _INTERVAL.fullmatch(text)
    if match is None:
        raise ValueError("must be HH:MM-HH:MM, such as 09:00-17:00; 24:00 is the midnight that ends the day")
    start_hour, start_minute, end_hour, end_minute = map(int, match.groups())
    interval = (start_hour * 60 + start_minute, end_hour * 60 + end_minute)
    check_intervals((interval,))
    return interval


def parse_special_day(text: str) -> tuple[date, Intervals]:
    """Read ``2026-12-25`` (closed) or ``2026-12-24 09:00-12:00`` (open so long; more intervals after more spaces).

    Raises ValueError that says what is allowed.
    """
    day_text, *interval_texts = text.split() or [""]
    try:
        if _DATE.fullmatch(day_text) is None:
            raise ValueError
        day = date.fromisoformat(day_text)
    except ValueError:
        message = "must be a date, such as 2026-12-25, or one with its hours, such as 2026-12-24 09:00-12:00"
        raise ValueError(message) from None
    intervals = tuple(sorted(map(parse_interval, interval_texts)))
    check_intervals(intervals)
    return day, intervals


def check_intervals(intervals: Intervals) -> None:
    """Raise ValueError that says what is allowed, unless these can be one day's hours."""
    for start, end in intervals:
        if not 0 <= start < end <= DAY_MINUTES:
            raise ValueError(
                "must end after it starts, and by 24:00; hours past midnight are two intervals, "
                "one to 24:00 and one from 00:00 of the next day"
            )
    for one, other in pairwise(intervals):
        if other[0] < one[1]:
            message = f"must not overlap and must ascend: {interval_text(one)}, {interval_text(other)}"
            raise ValueError(message)
