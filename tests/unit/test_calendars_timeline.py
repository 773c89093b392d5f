from __future__ import annotations

from datetime import datetime

import pytest

from stream_kpi.calendars.open_time import NeverOpenError
from stream_kpi.calendars.opening_hours import Intervals
from stream_kpi.calendars.schedule import ALWAYS, Schedule
from stream_kpi.calendars.timeline import Timeline

HOUR_MS = 3_600_000


def at(text: str) -> int:
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp() * 1000)


def minutes_of_week(name: str, *opened: tuple[int, int]) -> Schedule:
    """A schedule in UTC from intervals in minutes after Sunday's midnight, some of which run into the next day."""
    weekly: list[Intervals] = []
    for day in (1, 2, 3, 4, 5, 6, 0):
        midnight = day * 1440
        clipped = ((max(start, midnight), min(end, midnight + 1440)) for start, end in opened)
        weekly.append(tuple((start - midnight, end - midnight) for start, end in clipped if start < end))
    return Schedule(name, "UTC", tuple(weekly))


# dbt_zendesk, DECISIONLOG.md
A = minutes_of_week("A", (720, 1560), (2160, 3000), (3600, 4440), (5040, 5880))
B = minutes_of_week("B", (2340, 2910), (3780, 4350), (5220, 5790))
CREATED, MOVED, REPLIED = at("2020-09-29T17:01:38"), at("2020-09-30T19:01:25"), at("2020-09-30T19:01:46")


def test_each_schedule_counts_over_the_time_that_it_applied() -> None:
    elapsed_ms = Timeline(((CREATED, A), (MOVED, B))).elapsed_ms(CREATED, REPLIED)
    assert elapsed_ms / 60_000 == pytest.approx(960.1333, abs=1e-4)


def test_the_last_schedule_alone_counts_the_whole_time() -> None:
    assert B.elapsed_ms(CREATED, REPLIED) / 60_000 == pytest.approx(690.1333, abs=1e-4)


def test_a_deadline_is_reached_under_the_schedule_that_applies_then() -> None:
    timeline = Timeline(((CREATED, A), (MOVED, B)))
    until_moved_ms = A.elapsed_ms(CREATED, MOVED)
    assert timeline.deadline_ms(CREATED, until_moved_ms) == MOVED
    assert timeline.deadline_ms(CREATED, until_moved_ms - 1) == MOVED - 1
    assert timeline.deadline_ms(CREATED, until_moved_ms + 21_000) == REPLIED
    # B closes at Thursday 00:30
    rest_ms = at("2020-10-01T00:30:00") - MOVED
    assert timeline.deadline_ms(CREATED, until_moved_ms + rest_ms) == at("2020-10-01T00:30:00")


def test_a_target_is_reached_when_a_schedule_closes_not_when_the_next_one_starts_to_apply() -> None:
    closes = at("2020-09-30T02:00:00")
    assert Timeline(((CREATED, A), (closes + HOUR_MS, B))).deadline_ms(CREATED, closes - CREATED) == closes


def test_a_target_of_zero_is_reached_at_the_start() -> None:
    assert Timeline(((CREATED, A), (MOVED, B))).deadline_ms(CREATED + 5, 0) == CREATED + 5


def test_nothing_elapses_when_the_end_is_not_after_the_start() -> None:
    timeline = Timeline(((CREATED, ALWAYS), (MOVED, A)))
    assert timeline.elapsed_ms(REPLIED, REPLIED) == 0
    assert timeline.elapsed_ms(REPLIED, CREATED) == 0


def test_the_first_schedule_applies_before_its_instant_too() -> None:
    assert Timeline(((CREATED, ALWAYS), (MOVED, A))).elapsed_ms(CREATED - HOUR_MS, CREATED) == HOUR_MS


def test_of_several_schedules_from_one_instant_the_last_applies() -> None:
    saturday = at("2020-10-03T12:00:00")
    timeline = Timeline(((CREATED, A), (MOVED, B), (MOVED, ALWAYS)))
    assert timeline.elapsed_ms(saturday, saturday + HOUR_MS) == HOUR_MS


def test_a_target_that_the_last_schedule_never_reaches_has_no_deadline() -> None:
    never = Schedule("never", "UTC", ((),) * 7)
    timeline = Timeline(((CREATED, ALWAYS), (MOVED, never)))
    assert timeline.deadline_ms(CREATED, MOVED - CREATED) == MOVED
    with pytest.raises(NeverOpenError):
        timeline.deadline_ms(CREATED, MOVED - CREATED + 1)


def test_a_timeline_has_a_schedule_and_ascends() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Timeline(())
    with pytest.raises(ValueError, match="ascend"):
        Timeline(((MOVED, A), (CREATED, B)))
