"""A zone's offset from UTC and the instants at which it changes, on epoch milliseconds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

DAY_MS = 86_400_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def zone_info(name: str) -> ZoneInfo:
    """The zone of an IANA name. Raises ValueError that says what is allowed."""
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:  # a KeyError is ZoneInfoNotFoundError
        raise ValueError("must be an IANA time zone, such as Europe/Berlin") from error


def utc_offset_ms(time_ms: int, zone: ZoneInfo) -> int:
    """How far the zone's clocks are ahead of UTC at an instant of the years 1 to 9999."""
    local = datetime.fromtimestamp(time_ms // 1000, zone)
    return (local.replace(tzinfo=UTC) - _EPOCH) // timedelta(milliseconds=1) - (time_ms // 1000 * 1000)


def clock_change_ms(before_ms: int, after_ms: int, zone: ZoneInfo) -> int:
    """The instant in ``(before_ms, after_ms]`` from which the offset is that of ``after_ms``. Zones change on whole
    seconds."""
    low_s, high_s = before_ms // 1000, after_ms // 1000
    offset = utc_offset_ms(after_ms, zone)
    while high_s - low_s > 1:
        middle_s = (low_s + high_s) // 2
        if utc_offset_ms(middle_s * 1000, zone) == offset:
            high_s = middle_s
        else:
            low_s = middle_s
    return high_s * 1000


def offset_runs(from_ms: int, to_ms: int, zone: ZoneInfo) -> Iterator[tuple[int, int, int]]:
    """Cut ``[from_ms, to_ms)`` where the clocks change: ``(start_ms, end_ms, offset_ms)``, ascending, without gaps."""
    start_ms, offset = from_ms, utc_offset_ms(from_ms, zone)
    # A step of a day misses no change: none of the zones has changed twice within two days since 1970 (tzdata 2026f).
    for day_ms in range(from_ms, to_ms, DAY_MS):
        next_ms = min(day_ms + DAY_MS, to_ms)
        next_offset = utc_offset_ms(next_ms, zone)
        if next_offset != offset:
            change_ms = clock_change_ms(day_ms, next_ms, zone)
            yield start_ms, change_ms, offset
            start_ms, offset = change_ms, next_offset
    if start_ms < to_ms:
        yield start_ms, to_ms, offset
