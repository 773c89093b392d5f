"""What a report says: spans, values, verdicts, changes, tables; figures worked out by hand from tests/report_kit.py."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from stream_kpi.lifecycles.options import Options
from stream_kpi.reports.content import Change, Report, window_name
from stream_kpi.reports.period import PeriodKind, local_time, period_at, reported_ms
from tests.report_kit import MONDAY, STORY, at, line_of, reported, solved
from tests.shard_kit import created, event

UTC, BERLIN = ZoneInfo("UTC"), ZoneInfo("Europe/Berlin")
DAY, WEEK, MONTH = PeriodKind.DAY, PeriodKind.WEEK, PeriodKind.MONTH


@pytest.fixture(scope="module")
def tuesday() -> Report:
    return reported(DAY, "03-04 00:00")


@pytest.mark.parametrize(
    ("kind", "moment", "zone", "start", "end", "name"),
    [
        (DAY, "03-03 12:00", UTC, "2026-03-03 00:00", "2026-03-04 00:00", "Tuesday 3 March 2026"),
        (WEEK, "03-08 12:00", UTC, "2026-03-02 00:00", "2026-03-09 00:00", "2 to 8 March 2026"),
        (WEEK, "03-03 12:00", UTC, "2026-02-25 00:00", "2026-03-04 00:00", "25 February to 3 March 2026"),
        (WEEK, "01-02 12:00", UTC, "2025-12-27 00:00", "2026-01-03 00:00", "27 December 2025 to 2 January 2026"),
        (MONTH, "03-03 12:00", UTC, "2026-03-01 00:00", "2026-04-01 00:00", "March 2026"),
        (DAY, "03-03 23:30", BERLIN, "2026-03-04 00:00", "2026-03-05 00:00", "Wednesday 4 March 2026"),
        # The clocks go forward on 29 March: a week of 167 hours still starts and ends at midnight.
        (WEEK, "04-01 12:00", BERLIN, "2026-03-26 00:00", "2026-04-02 00:00", "26 March to 1 April 2026"),
    ],
)
def test_a_period_is_whole_local_days_and_holds_the_moment(
    kind: PeriodKind, moment: str, zone: ZoneInfo, start: str, end: str, name: str
) -> None:
    period = period_at(kind, at(moment), zone)
    bounds = [f"{local_time(ms, zone):%Y-%m-%d %H:%M}" for ms in (period.start_ms, period.end_ms)]
    assert (bounds, period.name) == ([start, end], name)
    assert period.start_ms <= at(moment) < period.end_ms


def test_at_midnight_a_report_is_about_what_has_just_ended() -> None:
    period = period_at(MONTH, reported_ms(at("04-01 00:00"), UTC), UTC)
    assert (period.name, period.over) == ("March 2026", True)
    assert reported_ms(at("04-01 00:01"), UTC) == at("04-01 00:01")


def test_a_finished_period_is_compared_with_all_of_the_one_before_whatever_their_lengths() -> None:
    before = period_at(MONTH, reported_ms(at("04-01 00:00"), UTC), UTC).before
    assert (before.name, before.over) == ("February 2026", True)


def test_a_running_period_is_compared_with_as_much_of_the_one_before() -> None:
    before = period_at(DAY, at("03-03 09:15"), UTC).before
    assert (before.start_ms, before.at_ms) == (at("03-02 00:00"), at("03-02 09:15"))
    # On 30 March all of February lies in as much of it.
    before = period_at(MONTH, at("03-30 12:00"), UTC).before
    assert (before.name, before.over) == ("February 2026", True)


def test_each_kpi_has_its_value_in_the_period_and_in_the_one_before(tuesday: Report) -> None:
    found = {
        kpi: (line.value, line.before and line.before.value)
        for kpi in ("ticket_volume", "first_response_time", "resolution_time_full", "csat", "chat_volume")
        if (line := line_of(tuesday, kpi))
    }
    assert found == {
        "ticket_volume": (2, 1),
        "first_response_time": (3_600.0, 21_600.0),
        "resolution_time_full": (3_600.0, 25_200.0),
        "csat": (1.0, 0.0),
        "chat_volume": (0, 1),
    }


def test_a_target_is_reached_or_missed_by_the_rows_direction(tuesday: Report) -> None:
    monday = reported(DAY, "03-03 00:00")
    assert line_of(monday, "first_response_time").verdict == "missed", "6 h, of at most 4"
    assert line_of(tuesday, "first_response_time").verdict == "reached"
    assert line_of(monday, "csat").verdict == "missed"
    assert line_of(tuesday, "csat").verdict == "reached"
    assert line_of(tuesday, "service_level").verdict is None, "no samples, no verdict"
    assert line_of(tuesday, "ticket_volume").verdict is None, "no target"
    assert line_of(tuesday, "csat") in tuesday.judged("reached")


def test_a_change_is_better_or_worse_by_the_rows_direction(tuesday: Report) -> None:
    assert line_of(tuesday, "first_response_time").change == Change(-18_000.0, -18_000 / 21_600, "better")
    assert line_of(tuesday, "csat").change == Change(1.0, None, "better")
    assert line_of(tuesday, "ticket_backlog").change == Change(1, None, "worse")
    assert line_of(tuesday, "ticket_volume").change == Change(1, 1.0, None), "more tickets are neither"
    assert line_of(tuesday, "chat_volume").change == Change(-1, -1.0, None)
    assert line_of(tuesday, "service_level").change is None, "no samples"


def test_the_course_is_the_hours_of_a_day_and_the_days_of_a_week(tuesday: Report) -> None:
    hours = line_of(tuesday, "first_response_time").course
    assert {hour: value for hour, value in enumerate(hours) if value is not None} == {9: 1_800.0, 11: 5_400.0}
    assert len(hours) == 24
    days = line_of(reported(WEEK, "03-04 00:00"), "ticket_volume").course
    assert days == (0, 0, 0, 0, 0, 1, 2)


def test_volumes_are_by_day_and_by_local_hour() -> None:
    by_day, by_hour = reported(WEEK, "03-04 00:00", options=Options(zone="Europe/Berlin")).volumes
    # Midnight in UTC is one o'clock in Berlin: the week ends with 4 March, which has begun.
    assert by_day.labels == ("26 Feb", "27 Feb", "28 Feb", "1 Mar", "2 Mar", "3 Mar", "4 Mar")
    assert by_day.series == (
        ("Tickets created", (0, 0, 0, 0, 1, 2, 0)),
        ("Chats and calls queued", (0, 0, 0, 0, 1, 0, 0)),
    )
    (_, tickets), (_, chats) = by_hour.series
    assert {hour: count for hour, count in enumerate(tickets) if count} == {10: 3}
    assert {hour: count for hour, count in enumerate(chats) if count} == {11: 1}


def test_a_day_has_no_chart_by_day(tuesday: Report) -> None:
    assert [volumes.title for volumes in tuesday.volumes] == ["Volume by hour of the day"]


def test_a_week_adds_up_its_days_and_means_are_over_all_its_samples() -> None:
    week = reported(WEEK, "03-04 00:00")
    assert line_of(week, "ticket_volume").value == 3
    assert line_of(week, "first_response_time").value == pytest.approx((6 + 0.5 + 1.5) * 3_600 / 3)
    assert line_of(week, "csat").value == 0.5


def test_kpis_that_mean_little_in_a_day_are_of_30_days_and_say_so(tuesday: Report) -> None:
    spans = {
        kpi: window_name(line_of(tuesday, kpi).record, tuesday)
        for kpi in ("csat", "churn_rate", "grr", "ticket_backlog")
    }
    assert spans == {"csat": "day", "churn_rate": "day", "grr": "last 30 d", "ticket_backlog": "at end"}
    month = reported(MONTH, "03-04 00:00")
    assert window_name(line_of(month, "grr").record, month) == "month"


def test_customers_of_a_month_are_lost_in_it() -> None:
    def paid(customer: str, when: str, state: str) -> bytes:
        items = [{"item_id": "i", "plan": "pro", "unit_amount": 100_00, "quantity": 1, "interval": "month"}]
        data = {
            "customer_id": customer,
            "subscription_id": customer,
            "status": state,
            "currency": "EUR",
            "items": items,
        }
        return event("subscription.changed", customer, at(when), f"{customer}/{state}", **data)

    lines = [
        *(paid(name, "02-10 10:00", "active") for name in ("c1", "c2", "c3", "c4")),
        paid("c1", "03-10 10:00", "canceled"),
    ]
    month = reported(MONTH, "04-01 00:00", lines)
    churn = line_of(month, "churn_rate")
    assert (churn.value, churn.verdict) == (0.25, "missed")
    assert line_of(month, "mrr").title == "Monthly recurring revenue (MRR): EUR"
    assert line_of(month, "mrr").value == 300


def test_categories_stand_from_the_busiest_down_and_agents_by_name() -> None:
    channels, categories, agents = reported(WEEK, "03-04 00:00").tables
    assert [member.name for member in channels.members] == ["email", "chat", "web"]
    assert [member.name for member in categories.members] == ["billing", "<script>alert(1)</script>"]
    assert [member.name for member in agents.members] == ["ann", "bob"]
    responses = dict(zip((row.id for row in agents.columns), agents.members[0].records, strict=True))
    record = responses["first_response_time"]
    assert record is not None
    assert (record.value, record.samples) == ((21_600 + 1_800) / 2, 2)


def test_what_happens_after_the_period_does_not_change_it() -> None:
    later = [*STORY, solved("C", at("03-05 10:00")), created("D", at("03-05 09:00"))]
    assert reported(DAY, "03-04 00:00", later) == reported(DAY, "03-04 00:00")


def test_a_period_without_events_has_zeros_and_says_that_there_are_no_samples() -> None:
    quiet = reported(DAY, "03-06 00:00")
    assert (line_of(quiet, "ticket_volume").value, line_of(quiet, "ticket_backlog").value) == (0, 1)
    assert line_of(quiet, "first_response_time").value is None
    assert quiet.notes == (
        "The events begin on 2026-03-02 09:00: changes of values of the last 30 d are against less than 30 d.",
    )


def test_before_the_first_event_there_is_nothing_and_the_report_says_so() -> None:
    nothing = reported(WEEK, "02-01 00:00")
    assert nothing.notes == ("There are no events up to the end of this period.",)
    assert {line.value for line in nothing.lines} <= {0, None}
    assert not nothing.compared
    assert all(line.change is None for line in nothing.lines)
    assert [table.members for table in nothing.tables] == [(), (), ()]


def test_notes_say_what_the_events_do_not_cover() -> None:
    assert reported(DAY, "03-03 00:00", MONDAY).notes == (
        "The events begin on 2026-03-02 09:00: there is no period before to compare.",
    )
    assert reported(MONTH, "03-31 12:00").notes == (
        "The events begin on 2026-03-02 09:00: there is no period before to compare.",
        "The period is reported up to 2026-03-31 12:00.",
    )
    assert reported(WEEK, "03-09 12:00").notes == (
        "The events begin on 2026-03-02 09:00, inside the period before: changes are against less than a whole period.",
        "The period is reported up to 2026-03-09 12:00, and compared with as much of the one before.",
    )


def test_every_row_of_the_catalogue_has_a_line() -> None:
    from stream_kpi.kpis.catalogue import catalogue

    assert {line.row.id for line in reported(MONTH, "03-04 00:00").lines} == {row.id for row in catalogue()}
