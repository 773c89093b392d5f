"""Local hours, days and months on epoch milliseconds (pure).

Windows follow a configured IANA zone, everything else is UTC. Each grid is a partition of the time line: a floor is
the greatest start at or before an instant, and a window runs from one start to the next - over a day of 23 or 25
hours, a midnight that the clocks skip or show twice, and a zone that is 30 or 45 minutes off.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from stream_kpi.calendars.offsets import clock_change_ms, utc_offset_ms

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

FIVE_MINUTES_MS = 300_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.date()


def floor_5m(time_ms: int) -> int:
    """The start of the five minutes that an instant lies in. The same in every zone."""
    return time_ms - time_ms % FIVE_MINUTES_MS


def floor_1h(time_ms: int, zone: ZoneInfo) -> int:
    """The start of the local hour that an instant lies in. Clocks that move by less than an hour cut one short."""
    starts = _hour_starts(zone, time_ms // HOUR_MS)
    return starts[bisect_right(starts, time_ms) - 1]


def floor_day(time_ms: int, zone: ZoneInfo) -> int:
    """The start of the local day that an instant lies in."""
    starts = _day_starts(zone, time_ms // DAY_MS)
    return starts[bisect_right(starts, time_ms) - 1]


def next_day(time_ms: int, zone: ZoneInfo) -> int:
    """The start of the local day after the one that an instant lies in."""
    starts = _day_starts(zone, time_ms // DAY_MS)
    return starts[bisect_right(starts, time_ms)]


def floor_month(time_ms: int, zone: ZoneInfo) -> int:
    """The start of the local month that an instant lies in."""
    starts = _month_starts(zone, time_ms // DAY_MS)
    return starts[bisect_right(starts, time_ms) - 1]


def next_month(time_ms: int, zone: ZoneInfo) -> int:
    """The start of the local month after the one that an instant lies in."""
    starts = _month_starts(zone, time_ms // DAY_MS)
    return starts[bisect_right(starts, time_ms)]


@lru_cache(maxsize=4096)
def _hour_starts(zone: ZoneInfo, utc_hour: int) -> tuple[int, ...]:
    """The starts of the local hours that a UTC hour touches, ascending."""
    first_ms = utc_hour * HOUR_MS
    starts = [_uncached_hour_start(first_ms + HOUR_MS - 1, zone)]
    while starts[-1] > first_ms:
        starts.append(_uncached_hour_start(starts[-1] - 1, zone))
    return tuple(reversed(starts))


def _uncached_hour_start(time_ms: int, zone: ZoneInfo) -> int:
    offset_ms = utc_offset_ms(time_ms, zone)
    start_ms = time_ms - (time_ms + offset_ms) % HOUR_MS
    if utc_offset_ms(start_ms, zone) == offset_ms:
        return start_ms
    return clock_change_ms(start_ms, time_ms, zone)


@lru_cache(maxsize=4096)
def _day_starts(zone: ZoneInfo, utc_day: int) -> tuple[int, ...]:
    """The starts of the local days around a UTC day, ascending: one at least before it, one after it."""
    day = _EPOCH_DAY + timedelta(days=utc_day)
    return tuple(sorted({_date_start(day + timedelta(days=n), zone) for n in range(-2, 4)}))


@lru_cache(maxsize=4096)
def _month_starts(zone: ZoneInfo, utc_day: int) -> tuple[int, ...]:
    """The starts of the local months around a UTC day, ascending: one at least before it, one after it."""
    day = _EPOCH_DAY + timedelta(days=utc_day)
    month = day.year * 12 + day.month - 1
    firsts = (date(m // 12, m % 12 + 1, 1) for m in range(month - 1, month + 3))
    return tuple(sorted({_date_start(first, zone) for first in firsts}))


def _date_start(day: date, zone: ZoneInfo) -> int:
    """The first instant at which the local date is ``day`` or later."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    start_ms = _epoch_ms(midnight)
    later_ms = _epoch_ms(midnight.replace(fold=1))
    if later_ms < start_ms:  # the clocks skip this midnight: the day starts where they move
        return clock_change_ms(later_ms, start_ms, zone)
    return start_ms


def _epoch_ms(local: datetime) -> int:
    return (local.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1)
