"""The span that a report is about, and the one before it that it is compared with (pure)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import reduce
from typing import NamedTuple
from zoneinfo import ZoneInfo

from stream_kpi.windows.zones import floor_day, floor_month, next_day, next_month

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS_OF_WEEK = 7


class PeriodKind(StrEnum):
    """How long the span is."""

    DAY = "day"
    """A local day."""
    WEEK = "week"
    """Seven local days, the last of which is the one reported on: whatever day a week begins with."""
    MONTH = "month"
    """A local calendar month."""


class Period(NamedTuple):
    """``[start_ms, end_ms)`` as it stands at ``at_ms``, which lies in it. Epoch milliseconds."""

    kind: PeriodKind
    start_ms: int
    end_ms: int
    at_ms: int
    zone: ZoneInfo

    @property
    def over(self) -> bool:
        """Whether all of it has passed."""
        return self.at_ms >= self.end_ms - 1

    @property
    def before(self) -> Period:
        """The period before, as it stood when as much of it had passed as has passed of this one."""
        earlier = period_at(self.kind, self.start_ms - 1, self.zone)
        if self.over:
            return earlier
        return earlier._replace(at_ms=min(earlier.start_ms + self.at_ms - self.start_ms, earlier.end_ms - 1))

    @property
    def first_day(self) -> date:
        """Its first local day."""
        return local_time(self.start_ms, self.zone).date()

    @property
    def last_day(self) -> date:
        """Its last local day."""
        return local_time(self.end_ms - 1, self.zone).date()

    @property
    def name(self) -> str:
        """The span for people: ``Monday 2 March 2026``, ``2 to 8 March 2026``, ``March 2026``."""
        first, last = self.first_day, self.last_day
        if self.kind is PeriodKind.MONTH:
            return f"{first:%B %Y}"
        if self.kind is PeriodKind.DAY:
            return f"{first:%A} {_day(first)} {first:%Y}"
        if first.month == last.month:
            return f"{first.day} to {_day(last)} {last:%Y}"
        year = "" if first.year == last.year else f" {first:%Y}"
        return f"{_day(first)}{year} to {_day(last)} {last:%Y}"


def period_at(kind: PeriodKind, at_ms: int, zone: ZoneInfo) -> Period:
    """The period of a kind that an instant lies in; of a week it lies in the last day."""
    if kind is PeriodKind.MONTH:
        return Period(kind, floor_month(at_ms, zone), next_month(at_ms, zone), at_ms, zone)
    days = _DAYS_OF_WEEK if kind is PeriodKind.WEEK else 1
    start_ms = reduce(lambda day_ms, _: floor_day(day_ms - 1, zone), range(days - 1), floor_day(at_ms, zone))
    return Period(kind, start_ms, next_day(at_ms, zone), at_ms, zone)


def reported_ms(at_ms: int, zone: ZoneInfo) -> int:
    """The instant that a report asked for at ``at_ms`` stands at: at midnight it is about what has just ended, not
    about a day that has no more than begun."""
    return at_ms - 1 if floor_day(at_ms, zone) == at_ms else at_ms


def local_time(time_ms: int, zone: ZoneInfo) -> datetime:
    """An instant in the zone."""
    return (_EPOCH + timedelta(milliseconds=time_ms)).astimezone(zone)


def _day(day: date) -> str:
    return f"{day.day} {day:%B}"
