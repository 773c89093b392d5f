from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from stream_kpi.calendars.open_time import NeverOpenError
from stream_kpi.calendars.opening_hours import Intervals
from stream_kpi.calendars.schedule import ALWAYS, Schedule
from stream_kpi.calendars.selection import Selection

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
NINE_TO_FIVE: Intervals = ((540, 1020),)
ALL_DAY: Intervals = ((0, 1440),)


def office(zone: str = "Europe/Berlin", **special: Any) -> Schedule:
    """Monday to Friday, 9 to 17."""
    return Schedule("office", zone, (*(NINE_TO_FIVE,) * 5, (), ()), **special)


def daily(hours: Intervals, zone: str = "Europe/Berlin", **special: Any) -> Schedule:
    return Schedule("daily", zone, (hours,) * 7, **special)


def at(text: str, zone: str = "Europe/Berlin") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("created", "target_h", "due"),
    [
        ("2026-11-20T16:30", 1, "2026-11-23T09:30"),  # Friday to Monday (chatwoot PR 13392)
        ("2026-11-18T10:00", 2, "2026-11-18T12:00"),
        ("2026-11-18T07:00", 2, "2026-11-18T11:00"),
        ("2026-11-20T16:55", 24, "2026-11-25T16:55"),  # three working days, not one (intercom)
    ],
)
def test_an_office_s_deadline_counts_its_hours_only(created: str, target_h: int, due: str) -> None:
    assert office().deadline_ms(at(created), target_h * HOUR_MS) == at(due)
    assert office().elapsed_ms(at(created), at(due)) == target_h * HOUR_MS


def test_a_deadline_passes_over_holidays() -> None:  # zammad 390: open on 10, 12, 14 and 15 November
    closed: dict[date, Intervals] = {date(2026, 11, 11): (), date(2026, 11, 13): ()}
    schedule = daily(((540, 1260),), holidays=closed)
    assert schedule.deadline_ms(at("2026-11-09T23:00"), 48 * HOUR_MS) == at("2026-11-15T21:00")


def test_a_target_is_reached_when_the_office_closes_not_when_it_opens_again() -> None:
    assert office().deadline_ms(at("2026-11-20T09:00"), 8 * HOUR_MS) == at("2026-11-20T17:00")


def test_a_target_of_zero_is_reached_at_the_start_even_while_closed() -> None:
    assert office().deadline_ms(at("2026-11-21T12:00"), 0) == at("2026-11-21T12:00")


def test_nothing_elapses_when_the_end_is_not_after_the_start() -> None:
    noon = at("2026-11-20T12:00")
    for schedule in (office(), ALWAYS):
        assert schedule.elapsed_ms(noon, noon) == 0
        assert schedule.elapsed_ms(noon, noon - HOUR_MS) == 0


def test_a_day_may_have_several_intervals() -> None:
    schedule = daily(((540, 720), (780, 1020)))
    assert schedule.elapsed_ms(at("2026-11-20T11:30"), at("2026-11-20T13:30")) == HOUR_MS
    assert schedule.deadline_ms(at("2026-11-20T11:30"), HOUR_MS) == at("2026-11-20T13:30")


def test_a_half_day_is_open_for_its_own_hours() -> None:
    schedule = office(holidays={date(2026, 12, 24): ((540, 720),), date(2026, 12, 25): ()})
    assert schedule.elapsed_ms(at("2026-12-24T00:00"), at("2026-12-28T00:00")) == 3 * HOUR_MS


def test_a_special_date_can_open_a_weekend_s_day() -> None:
    schedule = office(holidays={date(2026, 11, 21): ((600, 720),)})
    assert schedule.elapsed_ms(at("2026-11-21T00:00"), at("2026-11-22T00:00")) == 2 * HOUR_MS


def test_24x7_is_plain_subtraction_at_any_time() -> None:
    year_1, year_3000 = -62_000_000_000_000, 32_500_000_000_000
    assert ALWAYS.elapsed_ms(year_1, year_3000) == year_3000 - year_1
    assert ALWAYS.deadline_ms(year_1, 5) == year_1 + 5
    assert daily(ALL_DAY).elapsed_ms(year_1, year_3000) == year_3000 - year_1


def test_24x7_with_a_holiday_is_closed_on_it() -> None:
    schedule = daily(ALL_DAY, holidays={date(2026, 12, 25): ()})
    assert schedule.elapsed_ms(at("2026-12-24T12:00"), at("2026-12-26T12:00")) == DAY_MS


@pytest.mark.parametrize(
    ("zone", "day", "hours", "elapsed_h"),
    [
        ("Europe/Berlin", "2026-03-29", NINE_TO_FIVE, 8),
        ("Europe/Berlin", "2026-10-25", NINE_TO_FIVE, 8),
        ("Europe/Berlin", "2026-03-29", ALL_DAY, 23),
        ("Europe/Berlin", "2026-10-25", ALL_DAY, 25),
        ("Europe/Berlin", "2026-03-29", ((120, 180),), 0),  # skipped
        ("Europe/Berlin", "2026-10-25", ((120, 180),), 2),  # shown twice
        ("Europe/Berlin", "2026-03-29", ((60, 150),), 1),
        ("Europe/Berlin", "2026-03-29", ((150, 240),), 1),
        ("Europe/Berlin", "2026-10-25", ((60, 150),), 2),  # 1:00-2:30, and 2:00-2:30 again
        ("America/New_York", "2026-11-01", ((60, 90),), 1),
        ("America/Sao_Paulo", "2018-11-04", ((0, 120),), 1),  # no midnight
        ("America/Havana", "2025-11-02", ((0, 60),), 2),  # two midnights
        ("Australia/Lord_Howe", "2026-04-05", ALL_DAY, 24.5),
        ("Asia/Kathmandu", "2026-04-05", ALL_DAY, 24),
    ],
)
def test_a_day_whose_clocks_change_is_open_while_they_show_an_open_hour(
    zone: str, day: str, hours: Intervals, elapsed_h: float
) -> None:
    open_on: dict[date, Intervals] = {date.fromisoformat(day): hours}
    schedule = Schedule("one day", zone, ((),) * 7, open_on)
    noon = at(f"{day}T12:00", zone)
    assert schedule.elapsed_ms(noon - 2 * DAY_MS, noon + 2 * DAY_MS) == elapsed_h * HOUR_MS


def test_a_date_that_a_zone_left_out_is_never_open() -> None:
    open_on: dict[date, Intervals] = {date(2011, 12, 30): ALL_DAY}
    schedule = Schedule("left out", "Pacific/Apia", ((),) * 7, open_on)
    assert schedule.elapsed_ms(at("2011-12-27T00:00", "UTC"), at("2012-01-03T00:00", "UTC")) == 0


@pytest.mark.parametrize(
    ("country", "subdivision", "day", "closed"),
    [
        ("DE", None, "2026-10-03", True),
        ("DE", None, "2026-01-06", False),
        ("DE", "BY", "2026-01-06", True),  # Epiphany: Bavaria's, not Berlin's
        ("DE", "BE", "2026-01-06", False),
        ("US", None, "2021-12-31", True),  # in place of 1 January 2022, a Saturday
        ("US", None, "2022-12-31", False),
    ],
)
def test_a_country_s_public_holidays_are_closed(country: str, subdivision: str | None, day: str, closed: bool) -> None:
    schedule = daily(NINE_TO_FIVE, country=country, subdivision=subdivision)
    elapsed_ms = schedule.elapsed_ms(at(f"{day}T00:00"), at(f"{day}T23:59"))
    assert elapsed_ms == (0 if closed else 8 * HOUR_MS)


def test_a_special_date_overrules_the_country_s_holiday() -> None:
    schedule = office(country="DE", holidays={date(2026, 12, 25): ((600, 660),)})
    assert schedule.elapsed_ms(at("2026-12-25T00:00"), at("2026-12-26T00:00")) == HOUR_MS


def test_a_schedule_that_never_opens_again_has_no_deadline() -> None:
    schedule = Schedule("event", "Europe/Berlin", ((),) * 7, {date(2026, 11, 21): NINE_TO_FIVE})
    opens, closes = at("2026-11-21T09:00"), at("2026-11-21T17:00")
    assert schedule.deadline_ms(at("2026-11-01T00:00"), 8 * HOUR_MS) == closes
    with pytest.raises(NeverOpenError, match="never pass"):
        schedule.deadline_ms(opens + 1, 8 * HOUR_MS)
    with pytest.raises(NeverOpenError, match="never pass"):
        schedule.deadline_ms(closes, 1)


def test_before_1970_and_after_2199_a_schedule_is_closed() -> None:
    schedule = daily(NINE_TO_FIVE, "UTC")
    epoch, year_2200 = at("1970-01-01T00:00", "UTC"), at("2200-01-01T00:00", "UTC")
    assert schedule.elapsed_ms(-62_000_000_000_000, epoch + DAY_MS) == 8 * HOUR_MS
    assert schedule.elapsed_ms(year_2200 - DAY_MS, year_2200 + 400 * DAY_MS) == 8 * HOUR_MS
    assert schedule.deadline_ms(-62_000_000_000_000, HOUR_MS) == epoch + 10 * HOUR_MS
    with pytest.raises(NeverOpenError):
        schedule.deadline_ms(year_2200 - 8 * HOUR_MS, HOUR_MS + 1)


def test_a_schedule_is_immutable_and_equal_by_what_it_says() -> None:
    special: dict[date, Intervals] = {date(2026, 12, 25): ()}
    schedule = office(holidays=special)
    assert (schedule, hash(schedule)) == (office(holidays=special), hash(office(holidays=special)))
    special[date(2026, 12, 31)] = ()
    assert date(2026, 12, 31) not in schedule.holidays
    assert schedule != office(holidays=special)
    with pytest.raises(FrozenInstanceError):
        schedule.zone = "UTC"  # type: ignore[misc]
    with pytest.raises(TypeError):
        schedule.holidays[date(2026, 12, 31)] = ()  # type: ignore[index]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"weekly": (NINE_TO_FIVE,) * 5}, "a week has 7 days"),
        ({"weekly": (((540, 540),),) * 7}, "must end after it starts"),
        ({"weekly": (((540, 1441),),) * 7}, "by 24:00"),
        ({"weekly": (((540, 720), (700, 800)),) * 7}, "must not overlap"),
        ({"weekly": (((780, 1020), (540, 720)),) * 7}, "must ascend"),
        ({"holidays": {date(2026, 12, 24): ((720, 540),)}}, "must end after it starts"),
        ({"zone": "Europe/Atlantis"}, "IANA time zone"),
        ({"zone": "../etc/passwd"}, "IANA time zone"),
        ({"country": "XX"}, "ISO 3166-1"),
        ({"country": "HolidayBase"}, "ISO 3166-1"),
        ({"country": "DE", "subdivision": "XX"}, "must be one of BB, BE, BW, BY"),
        ({"country": "VA", "subdivision": "XX"}, "VA has no subdivisions"),
    ],
)
def test_a_schedule_that_makes_no_sense_cannot_be_made(changed: dict[str, Any], message: str) -> None:
    arguments: dict[str, Any] = {"name": "wrong", "zone": "UTC", "weekly": (NINE_TO_FIVE,) * 7}
    with pytest.raises(ValueError, match=message):
        Schedule(**{**arguments, **changed})


@pytest.mark.parametrize(
    ("time", "opening"),
    [
        ("2026-11-20T09:00", "2026-11-20T09:00"),
        ("2026-11-20T16:59", "2026-11-20T16:59"),
        ("2026-11-20T17:00", "2026-11-23T09:00"),  # over the weekend
        ("2026-11-23T08:00", "2026-11-23T09:00"),
    ],
)
def test_an_office_opens_at_once_or_when_its_hours_begin(time: str, opening: str) -> None:
    assert office().opening_ms(at(time)) == at(opening)
    assert ALWAYS.opening_ms(at(time)) == at(time)


def test_what_has_closed_for_good_does_not_open_again() -> None:
    fair = Schedule("fair", "UTC", ((),) * 7, {date(2026, 11, 21): NINE_TO_FIVE})
    assert fair.opening_ms(at("2026-11-20T12:00")) == at("2026-11-21T09:00", "UTC")
    with pytest.raises(NeverOpenError):
        fair.opening_ms(at("2026-11-21T17:00", "UTC"))


def test_a_reading_counts_open_hours_from_2020_on() -> None:
    schedule = daily(((540, 1020),), "UTC")
    assert schedule.reading_ms(at("2020-01-03T10:00", "UTC")) == 17 * HOUR_MS
    assert schedule.reading_ms(at("2019-12-31T16:00", "UTC")) == -HOUR_MS


def test_two_schedules_of_one_selection_have_two_numbers() -> None:
    with pytest.raises(ValueError, match="must differ in their numbers"):
        Selection(ALWAYS, {"day": office()}, {}, {})
    day, night = office(number=1), daily(((0, 300),), number=2)
    selection = Selection(ALWAYS, {"day": day, "early": day}, {"phone": night}, {"acme": day})
    assert selection.by_number == {0: ALWAYS, 1: day, 2: night}


def test_hours_are_found_by_local_date() -> None:
    instant = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)  # Saturday in Berlin
    start_ms = int(instant.timestamp() * 1000)
    saturdays = Schedule("weekend", "Europe/Berlin", (*((),) * 5, ALL_DAY, ()))
    assert saturdays.elapsed_ms(start_ms, start_ms + HOUR_MS) == HOUR_MS
    assert saturdays.hours_on(date(2026, 11, 21)) == ALL_DAY
