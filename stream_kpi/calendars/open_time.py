"""Open time of one schedule, added up over the time line so that a look-up is a bisection."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from datetime import date
from zoneinfo import ZoneInfo

from stream_kpi.calendars.offsets import DAY_MS, offset_runs
from stream_kpi.calendars.opening_hours import Intervals

FIRST_MS = 0
END_MS = 7_258_118_400_000
"""2200-01-01. What comes before 1970 or after 2199 is a wrong clock's: closed, so that one event's time `0001-01-01`
does not cost the working out of two thousand years."""

_MINUTE_MS = 60_000
_LEAST_GROWTH_MS = 64 * DAY_MS
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()

HoursOn = Callable[[date], Intervals]


class NeverOpenError(Exception):
    """A target that cannot be reached: too little open time comes after its start (until 2199)."""


class OpenTime:
    """The open intervals of a span of days, and the open time at each of their starts and ends.

    The span is that of the instants asked for. It at least doubles when it grows, so that it is worked out once.
    """

    def __init__(self, zone: ZoneInfo, hours_on: HoursOn) -> None:
        self._zone = zone
        self._hours_on = hours_on
        # The span [from, to]; this one contains nothing.
        self._from_ms = END_MS
        self._to_ms = FIRST_MS
        self._starts_ms: list[int] = []
        self._sums_ms = [0]
        """Open time at the start of the first interval and at the end of each. Its zero is where the span began to
        grow: only differences mean something."""

    def at(self, time_ms: int) -> int:
        """Open time up to an instant. Only the difference of two of these means something."""
        if not self._from_ms <= time_ms <= self._to_ms:
            time_ms = min(max(time_ms, FIRST_MS), END_MS)
            self._cover(time_ms)
        begun = bisect_right(self._starts_ms, time_ms)
        if not begun:
            return self._sums_ms[0]
        still_open = self._sums_ms[begun - 1] + time_ms - self._starts_ms[begun - 1]
        return min(still_open, self._sums_ms[begun])

    def after(self, start_ms: int, open_ms: int) -> int:
        """The first instant by which so much (more than 0) has been open since the start.

        Raises NeverOpenError when there is none.
        """
        wanted_ms = self.at(start_ms) + open_ms
        while self._sums_ms[-1] < wanted_ms:
            if self._to_ms == END_MS:
                raise NeverOpenError(f"{open_ms} ms of open time never pass after {start_ms} (epoch milliseconds)")
            self._cover(self._to_ms + 1)
        last = bisect_left(self._sums_ms, wanted_ms) - 1
        return self._starts_ms[last] + wanted_ms - self._sums_ms[last]

    def _cover(self, time_ms: int) -> None:
        """Grow the span so that it contains the instant."""
        if self._from_ms > self._to_ms:
            self._from_ms = self._to_ms = time_ms - time_ms % DAY_MS
        growth_ms = max(self._to_ms - self._from_ms, _LEAST_GROWTH_MS)
        if time_ms < self._from_ms:
            self._prepend(max(min(time_ms - time_ms % DAY_MS, self._from_ms - growth_ms), FIRST_MS))
        elif time_ms > self._to_ms:
            self._append(min(max(time_ms + -time_ms % DAY_MS, self._to_ms + growth_ms), END_MS))

    def _prepend(self, from_ms: int) -> None:
        intervals = list(open_intervals(self._zone, self._hours_on, from_ms, self._from_ms))
        sum_ms = self._sums_ms[0] - sum(end_ms - start_ms for start_ms, end_ms in intervals)
        sums_ms = []
        for start_ms, end_ms in intervals:
            sums_ms.append(sum_ms)
            sum_ms += end_ms - start_ms
        self._starts_ms[:0] = [start_ms for start_ms, _ in intervals]
        self._sums_ms[:0] = sums_ms
        self._from_ms = from_ms

    def _append(self, to_ms: int) -> None:
        for start_ms, end_ms in open_intervals(self._zone, self._hours_on, self._to_ms, to_ms):
            self._starts_ms.append(start_ms)
            self._sums_ms.append(self._sums_ms[-1] + end_ms - start_ms)
        self._to_ms = to_ms


def open_intervals(zone: ZoneInfo, hours_on: HoursOn, from_ms: int, to_ms: int) -> Iterator[tuple[int, int]]:
    """The intervals ``[start_ms, end_ms)`` of ``[from_ms, to_ms)`` in which a clock on the wall shows an open hour.

    Ascending; none is empty or overlaps another, some touch. An hour that the clocks skip never shows, one that they
    repeat shows twice.
    """
    for run_start_ms, run_end_ms, offset_ms in offset_runs(from_ms, to_ms, zone):
        first_day = (run_start_ms + offset_ms) // DAY_MS
        last_day = (run_end_ms - 1 + offset_ms) // DAY_MS
        for day in range(first_day, last_day + 1):
            midnight_ms = day * DAY_MS - offset_ms
            for start_minute, end_minute in hours_on(date.fromordinal(_EPOCH_ORDINAL + day)):
                start_ms = max(midnight_ms + start_minute * _MINUTE_MS, run_start_ms)
                end_ms = min(midnight_ms + end_minute * _MINUTE_MS, run_end_ms)
                if start_ms < end_ms:
                    yield start_ms, end_ms
