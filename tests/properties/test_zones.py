from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_kpi.windows.zones import (
    DAY_MS,
    HOUR_MS,
    floor_1h,
    floor_5m,
    floor_day,
    floor_month,
    next_day,
    next_month,
)

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",  # 30 min off; until 2011 its clocks moved at 00:01, so that midnight came twice
    "America/Sao_Paulo",  # skipped midnight
    "America/Havana",  # showed it twice
    "Asia/Kathmandu",  # 45 min off
    "Australia/Lord_Howe",  # moves by 30 min
    "Pacific/Apia",  # left out 30 December 2011
    "Africa/Casablanca",
]
zones = st.sampled_from(ZONES).map(ZoneInfo)
instants = st.integers(0, 2_400_000_000_000)


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def local(time_ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(time_ms // 1000, zone).replace(tzinfo=None)


@given(instants)
def test_five_minutes_are_those_of_the_clock(time_ms: int) -> None:
    start = datetime.fromtimestamp(floor_5m(time_ms) // 1000, UTC)
    assert (start.minute % 5, start.second) == (0, 0)
    assert 0 <= time_ms - floor_5m(time_ms) < 300_000


@given(instants, instants, zones)
def test_floors_are_idempotent_and_keep_the_order(one: int, other: int, zone: ZoneInfo) -> None:
    for floor in (floor_1h, floor_day, floor_month):
        assert floor(one, zone) <= one
        assert floor(floor(one, zone), zone) == floor(one, zone)
        assert (floor(min(one, other), zone)) <= floor(max(one, other), zone)


@given(instants, zones)
def test_days_and_months_are_a_partition_of_time(time_ms: int, zone: ZoneInfo) -> None:
    for floor, following in ((floor_day, next_day), (floor_month, next_month)):
        start, end = floor(time_ms, zone), following(time_ms, zone)
        assert start <= time_ms < end
        assert floor(end, zone) == end
        assert floor(end - 1, zone) == start
        assert following(start, zone) == end
        assert following(end - 1, zone) == end


@given(instants, zones)
def test_a_day_starts_where_the_local_date_first_reaches_it(time_ms: int, zone: ZoneInfo) -> None:
    start = floor_day(time_ms, zone)
    assert local(start, zone).date() > local(start - 1000, zone).date()
    assert floor_month(time_ms, zone) == floor_month(start, zone)
    assert floor_day(floor_month(time_ms, zone), zone) == floor_month(time_ms, zone)
    assert local(floor_month(time_ms, zone), zone).day == 1


@given(instants, zones)
def test_an_hour_starts_on_the_local_hour_or_where_the_clocks_move(time_ms: int, zone: ZoneInfo) -> None:
    start = floor_1h(time_ms, zone)
    assert time_ms - start < HOUR_MS
    before = datetime.fromtimestamp(start // 1000 - 1, zone).utcoffset()
    after = datetime.fromtimestamp(start // 1000, zone).utcoffset()
    assert local(start, zone).minute == 0 or before != after


@pytest.mark.parametrize(
    ("zone", "at", "start", "hours"),
    [
        ("Europe/Berlin", "2026-03-29T10:00:00+02:00", "2026-03-29T00:00:00+01:00", 23),
        ("Europe/Berlin", "2026-10-25T10:00:00+01:00", "2026-10-25T00:00:00+02:00", 25),
        ("Europe/Berlin", "2026-06-01T00:00:00+02:00", "2026-06-01T00:00:00+02:00", 24),
        ("America/Sao_Paulo", "2018-11-04T12:00:00-02:00", "2018-11-04T01:00:00-02:00", 23),
        ("America/Havana", "2025-11-02T12:00:00-05:00", "2025-11-02T00:00:00-04:00", 25),
        ("Australia/Lord_Howe", "2026-04-05T12:00:00+10:30", "2026-04-05T00:00:00+11:00", 24.5),
        ("Pacific/Apia", "2011-12-29T12:00:00-10:00", "2011-12-29T00:00:00-10:00", 24),
        # 00:01 on the 7th went back to 23:01 on the 6th: what came after midnight once is the 7th.
        ("America/St_Johns", "2010-11-06T23:30:00-03:30", "2010-11-07T00:00:00-02:30", 25),
    ],
)
def test_a_day_has_as_many_hours_as_the_clocks_give_it(zone: str, at: str, start: str, hours: float) -> None:
    info = ZoneInfo(zone)
    assert floor_day(ms(at), info) == ms(start)
    assert next_day(ms(at), info) == ms(start) + int(hours * HOUR_MS)


@pytest.mark.parametrize(
    ("zone", "at", "start"),
    [
        ("Asia/Kathmandu", "2026-01-01T10:59:59+05:45", "2026-01-01T10:00:00+05:45"),
        ("Asia/Kolkata", "2026-01-01T10:00:00+05:30", "2026-01-01T10:00:00+05:30"),
        ("Europe/Berlin", "2026-10-25T02:30:00+01:00", "2026-10-25T02:00:00+01:00"),
        # 02:00 goes back to 01:30 at 15:00 UTC: the half hour that is shown again is a window of its own.
        ("Australia/Lord_Howe", "2026-04-05T01:45:00+10:30", "2026-04-05T01:30:00+10:30"),
        ("Australia/Lord_Howe", "2026-04-05T01:45:00+11:00", "2026-04-05T01:00:00+11:00"),
        ("Australia/Lord_Howe", "2026-04-05T02:45:00+10:30", "2026-04-05T02:00:00+10:30"),
    ],
)
def test_hours_are_local_ones(zone: str, at: str, start: str) -> None:
    assert floor_1h(ms(at), ZoneInfo(zone)) == ms(start)


def test_a_month_runs_from_local_midnight_to_local_midnight() -> None:
    zone = ZoneInfo("America/New_York")
    at = ms("2026-03-31T23:59:59-04:00")
    assert floor_month(at, zone) == ms("2026-03-01T00:00:00-05:00")
    assert next_month(at, zone) == ms("2026-04-01T00:00:00-04:00")


@given(st.integers(0, 20_000), zones)
def test_every_instant_of_a_year_of_days_falls_on_one_start(day: int, zone: ZoneInfo) -> None:
    starts = [floor_day(day * DAY_MS, zone)]
    while len(starts) < 5:
        starts.append(next_day(starts[-1], zone))
    for hour in range(72):
        at = day * DAY_MS + hour * HOUR_MS
        assert floor_day(at, zone) == starts[bisect_right(starts, at) - 1]
