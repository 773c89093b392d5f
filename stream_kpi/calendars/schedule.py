"""A schedule: when a team works, on the clock of its zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from stream_kpi.calendars.offsets import zone_info
from stream_kpi.calendars.open_time import OpenTime
from stream_kpi.calendars.opening_hours import DAY_MINUTES, Intervals, check_intervals
from stream_kpi.calendars.public_holidays import check_country, check_subdivision, public_holidays

READ_SINCE_MS = 1_577_836_800_000
"""2020-01-01T00:00:00Z: readings count from here, so that sums of them stay small, and the years before need not be
worked out."""
_OPEN_ALL_WEEK: tuple[Intervals, ...] = (((0, DAY_MINUTES),),) * 7


@dataclass(frozen=True, slots=True)
class Schedule:
    """Opening hours by weekday in one zone, with holidays. Immutable; all instants are epoch milliseconds.

    It is open at an instant when the zone's clocks show a date and a time of day within that date's hours: those that
    ``holidays`` gives the date; else none if it is a public holiday of the country; else those of its weekday. On
    days whose clocks change, a skipped hour is never open and a repeated one counts twice. Before 1970 and after 2199
    it is closed, unless it is open always.

    Raises ValueError when a zone or country is unknown, when there are not seven days, or when intervals of a day
    overlap, do not ascend or exceed the day.
    """

    name: str
    zone: str
    """IANA time zone."""
    weekly: tuple[Intervals, ...]
    """The hours of Monday to Sunday, in minutes after local midnight."""
    holidays: Mapping[date, Intervals] = field(default_factory=dict, hash=False)
    """The hours of special dates: ``()`` is closed all day."""
    country: str | None = None
    """ISO 3166-1 code: its public holidays are closed."""
    subdivision: str | None = None
    """Code of the country's state or province that has holidays of its own."""
    number: int = 0
    """Tells it from the others of the settings, which count from 1. Part of the state format: what runs on a schedule
    is kept under its number."""
    _open_time: OpenTime | None = field(init=False, repr=False, compare=False)
    """None: open always."""

    def __post_init__(self) -> None:
        if len(self.weekly) != 7:
            raise ValueError(f"a week has 7 days, not {len(self.weekly)}")
        for intervals in (*self.weekly, *self.holidays.values()):
            check_intervals(intervals)
        if self.country is not None:
            check_country(self.country)
            if self.subdivision is not None:
                check_subdivision(self.country, self.subdivision)
        always = self.weekly == _OPEN_ALL_WEEK and not self.holidays and self.country is None
        open_time = OpenTime(zone_info(self.zone), self.hours_on)
        object.__setattr__(self, "holidays", MappingProxyType(dict(self.holidays)))
        object.__setattr__(self, "_open_time", None if always else open_time)

    def hours_on(self, day: date) -> Intervals:
        """The hours of a local date."""
        special = self.holidays.get(day)
        if special is not None:
            return special
        if self.country is not None and day in public_holidays(self.country, self.subdivision, day.year):
            return ()
        return self.weekly[day.weekday()]

    def elapsed_ms(self, start_ms: int, end_ms: int) -> int:
        """Open time in ``[start_ms, end_ms)``, in milliseconds; 0 when the end is not after the start."""
        if end_ms <= start_ms:
            return 0
        if self._open_time is None:
            return end_ms - start_ms
        return self._open_time.at(end_ms) - self._open_time.at(start_ms)

    def reading_ms(self, time_ms: int) -> int:
        """Open time up to an instant since :data:`READ_SINCE_MS`, negative before it. The difference of two readings is
        the open time between: so what many have run for is a sum of readings."""
        if time_ms < READ_SINCE_MS:
            return -self.elapsed_ms(time_ms, READ_SINCE_MS)
        return self.elapsed_ms(READ_SINCE_MS, time_ms)

    def opening_ms(self, time_ms: int) -> int:
        """The first open instant that is not before another. Raises NeverOpenError when there is none."""
        return self.deadline_ms(time_ms, 1) - 1

    def deadline_ms(self, start_ms: int, target_ms: int) -> int:
        """The first instant at which the open time since the start reaches the target.

        A target of 0 is reached at the start itself. Raises NeverOpenError when so much open time never comes.
        """
        if target_ms <= 0:
            return start_ms
        if self._open_time is None:
            return start_ms + target_ms
        return self._open_time.after(start_ms, target_ms)


ALWAYS = Schedule("24x7", "UTC", _OPEN_ALL_WEEK)
"""Open always: business time is calendar time. What has no schedule has this one."""
