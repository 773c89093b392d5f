"""Business time agrees with a walk over the minutes, on a clock of the zone on the wall."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import cache
from typing import Protocol
from zoneinfo import ZoneInfo

import holidays
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stream_kpi.calendars.opening_hours import Intervals
from stream_kpi.calendars.schedule import ALWAYS, Schedule
from stream_kpi.calendars.timeline import Timeline

MINUTE_MS = 60_000
DAY_MS = 86_400_000

CLOCK_CHANGES = [
    ("UTC", "2026-06-01T00:00:00+00:00"),
    ("Europe/Berlin", "2026-03-29T01:00:00+00:00"),
    ("Europe/Berlin", "2026-10-25T01:00:00+00:00"),
    ("America/New_York", "2026-03-08T07:00:00+00:00"),
    ("America/New_York", "2026-11-01T06:00:00+00:00"),
    ("America/St_Johns", "2010-11-07T02:31:00+00:00"),  # 00:01 goes back to 23:01 of the day before
    ("America/Sao_Paulo", "2018-11-04T03:00:00+00:00"),  # skips midnight
    ("America/Havana", "2025-11-02T05:00:00+00:00"),  # shows it twice
    ("Asia/Kolkata", "2026-08-15T00:00:00+00:00"),  # half an hour off
    ("Asia/Kathmandu", "2026-08-15T00:00:00+00:00"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00+00:00"),  # moves by half an hour
    ("Australia/Lord_Howe", "2026-10-03T15:30:00+00:00"),
    ("Pacific/Apia", "2011-12-30T10:00:00+00:00"),  # leaves a date out
    ("Africa/Casablanca", "2026-02-15T02:00:00+00:00"),
]
COUNTRIES = {"Europe/Berlin": "DE", "America/New_York": "US", "Australia/Lord_Howe": "AU"}


class BusinessClock(Protocol):
    def elapsed_ms(self, start_ms: int, end_ms: int) -> int: ...

    def deadline_ms(self, start_ms: int, target_ms: int) -> int: ...


IsOpen = Callable[[int], bool]


def shows_open_hour(schedule: Schedule) -> IsOpen:
    """Whether a clock on the wall shows an open hour in the minute that starts at an instant."""
    zone = ZoneInfo(schedule.zone)

    @cache
    def hours(day: date) -> Intervals:
        if day in schedule.holidays:
            return schedule.holidays[day]
        if schedule.country and day in holidays.country_holidays(schedule.country):
            return ()
        return schedule.weekly[day.weekday()]

    def is_open(minute_ms: int) -> bool:
        shown = datetime.fromtimestamp(minute_ms // 1000, zone)
        minute = shown.hour * 60 + shown.minute
        return any(start <= minute < end for start, end in hours(shown.date()))

    return is_open


def walk_elapsed_ms(is_open: IsOpen, start_ms: int, end_ms: int) -> int:
    elapsed_ms = 0
    for minute_ms in range(start_ms - start_ms % MINUTE_MS, end_ms, MINUTE_MS):
        if is_open(minute_ms):
            elapsed_ms += min(minute_ms + MINUTE_MS, end_ms) - max(minute_ms, start_ms)
    return elapsed_ms


def walk_deadline_ms(is_open: IsOpen, start_ms: int, target_ms: int) -> int:
    left_ms = target_ms
    minute_ms = start_ms - start_ms % MINUTE_MS
    now_ms = start_ms
    while left_ms:
        if is_open(minute_ms):
            passed_ms = min(minute_ms + MINUTE_MS - now_ms, left_ms)
            left_ms -= passed_ms
            now_ms += passed_ms
        if left_ms:
            minute_ms += MINUTE_MS
            now_ms = minute_ms
    return now_ms


edges = st.sampled_from([0, 1, 60, 90, 120, 150, 180, 540, 720, 1020, 1380, 1440]) | st.integers(0, 1440)


@st.composite
def hours(draw: st.DrawFn) -> Intervals:
    minutes = sorted(draw(st.lists(edges, unique=True, max_size=6)))
    return tuple(zip(minutes[::2], minutes[1::2], strict=False))


@st.composite
def schedules_near(draw: st.DrawFn, zone: str, day: date) -> Schedule:
    weekly = draw(st.lists(hours(), min_size=7, max_size=7).filter(any))
    special_days = st.integers(-5, 8).map(lambda n: day + timedelta(days=n))
    special = draw(st.dictionaries(special_days, hours(), max_size=3))
    country = draw(st.sampled_from([None, COUNTRIES.get(zone)]))
    return Schedule("drawn", zone, tuple(weekly), special, country)


@st.composite
def places(draw: st.DrawFn) -> tuple[str, int]:
    """A zone, and an instant within days of a change of its clocks."""
    zone, change = draw(st.sampled_from(CLOCK_CHANGES))
    change_ms = int(datetime.fromisoformat(change).timestamp() * 1000)
    return zone, change_ms + draw(st.integers(-3 * DAY_MS, DAY_MS))


def local_date(time_ms: int, zone: str) -> date:
    return datetime.fromtimestamp(time_ms // 1000, ZoneInfo(zone)).date()


@st.composite
def one_schedule(draw: st.DrawFn) -> tuple[Schedule, IsOpen, int]:
    zone, start_ms = draw(places())
    schedule = draw(schedules_near(zone, local_date(start_ms, zone)))
    return schedule, shows_open_hour(schedule), start_ms


@st.composite
def several_schedules(draw: st.DrawFn) -> tuple[Timeline, IsOpen, int]:
    """Schedules of several zones, one after another, that change on whole minutes: so the walk tells which applies."""
    zone, start_ms = draw(places())
    other_zone, _ = draw(st.sampled_from(CLOCK_CHANGES))
    day = local_date(start_ms, zone)
    schedules = st.sampled_from([zone, other_zone]).flatmap(lambda name: schedules_near(name, day)) | st.just(ALWAYS)
    first_minute = start_ms // MINUTE_MS
    minutes = sorted(draw(st.lists(st.integers(first_minute - 1440, first_minute + 6 * 1440), min_size=1, max_size=4)))
    changes = tuple((minute * MINUTE_MS, draw(schedules)) for minute in minutes)
    parts = [shows_open_hour(schedule) for _, schedule in changes]

    def is_open(minute_ms: int) -> bool:
        return parts[max(bisect_right(minutes, minute_ms // MINUTE_MS) - 1, 0)](minute_ms)

    return Timeline(changes), is_open, start_ms


clocks: st.SearchStrategy[tuple[BusinessClock, IsOpen, int]] = one_schedule() | several_schedules()
lengths = st.integers(0, 5 * DAY_MS)
targets = st.integers(1, 60 * 3_600_000)


@settings(max_examples=100, deadline=None)
@given(clocks, lengths)
def test_elapsed_is_what_a_walk_over_the_minutes_counts(
    clock_at: tuple[BusinessClock, IsOpen, int], length_ms: int
) -> None:
    clock, is_open, start_ms = clock_at
    end_ms = start_ms + length_ms
    assert clock.elapsed_ms(start_ms, end_ms) == walk_elapsed_ms(is_open, start_ms, end_ms)


@settings(max_examples=100, deadline=None)
@given(clocks, lengths, st.floats(0, 1))
def test_a_deadline_is_where_a_walk_over_the_minutes_has_counted_the_target(
    clock_at: tuple[BusinessClock, IsOpen, int], length_ms: int, share: float
) -> None:
    clock, is_open, start_ms = clock_at
    target_ms = int(walk_elapsed_ms(is_open, start_ms, start_ms + length_ms) * share)
    assume(target_ms)
    assert clock.deadline_ms(start_ms, target_ms) == walk_deadline_ms(is_open, start_ms, target_ms)


@settings(max_examples=100, deadline=None)
@given(clocks, targets)
def test_the_target_has_elapsed_at_the_deadline_and_not_a_millisecond_sooner(
    clock_at: tuple[BusinessClock, IsOpen, int], target_ms: int
) -> None:
    clock, _, start_ms = clock_at
    deadline_ms = clock.deadline_ms(start_ms, target_ms)
    assert clock.elapsed_ms(start_ms, deadline_ms) == target_ms
    assert clock.elapsed_ms(start_ms, deadline_ms - 1) == target_ms - 1


@settings(max_examples=100, deadline=None)
@given(clocks, lengths, lengths)
def test_elapsed_is_additive_over_any_split_and_never_falls(
    clock_at: tuple[BusinessClock, IsOpen, int], one_ms: int, other_ms: int
) -> None:
    clock, _, start_ms = clock_at
    middle_ms, end_ms = start_ms + one_ms, start_ms + one_ms + other_ms
    first_ms, second_ms = clock.elapsed_ms(start_ms, middle_ms), clock.elapsed_ms(middle_ms, end_ms)
    assert clock.elapsed_ms(start_ms, end_ms) == first_ms + second_ms
    assert 0 <= first_ms <= one_ms
    assert 0 <= second_ms <= other_ms


@settings(max_examples=100, deadline=None)
@given(clocks, targets, targets)
def test_a_deadline_is_additive_over_any_split_of_its_target(
    clock_at: tuple[BusinessClock, IsOpen, int], one_ms: int, other_ms: int
) -> None:
    clock, _, start_ms = clock_at
    first_ms = clock.deadline_ms(start_ms, one_ms)
    assert start_ms < first_ms < clock.deadline_ms(start_ms, one_ms + other_ms)
    assert clock.deadline_ms(start_ms, one_ms + other_ms) == clock.deadline_ms(first_ms, other_ms)


@settings(max_examples=100, deadline=None)
@given(one_schedule(), lengths)
def test_the_difference_of_two_readings_is_the_open_time_between(
    schedule_at: tuple[Schedule, IsOpen, int], length_ms: int
) -> None:
    schedule, is_open, start_ms = schedule_at
    end_ms = start_ms + length_ms
    assert schedule.reading_ms(end_ms) - schedule.reading_ms(start_ms) == walk_elapsed_ms(is_open, start_ms, end_ms)


@settings(max_examples=50, deadline=None)
@given(one_schedule(), st.lists(st.integers(-1_000 * DAY_MS, 1_000 * DAY_MS), min_size=2, max_size=8))
def test_an_answer_does_not_depend_on_what_was_asked_before(
    schedule_at: tuple[Schedule, IsOpen, int], away_ms: list[int]
) -> None:
    schedule, _, start_ms = schedule_at
    ends_ms = [start_ms + ms for ms in away_ms]
    for end_ms in ends_ms:
        fresh = Schedule(schedule.name, schedule.zone, schedule.weekly, schedule.holidays, schedule.country)
        assert schedule.elapsed_ms(start_ms, end_ms) == fresh.elapsed_ms(start_ms, end_ms)
        assert schedule.elapsed_ms(end_ms, start_ms) == fresh.elapsed_ms(end_ms, start_ms)
        assert schedule.deadline_ms(end_ms, DAY_MS) == fresh.deadline_ms(end_ms, DAY_MS)
