"""Requester wait, agent work, on-hold and illegitimate pause: seconds inside windows, by hand."""

from __future__ import annotations

import pytest

from stream_kpi.kpis.record import KpiRecord
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures.histogram import Stats
from tests.row_kit import assigned, at, merged, only, rows, solved, wrote
from tests.shard_kit import DAY_MS, created, event, status

DAY = 24 * 60
CLOCKS = ["requester_wait_time", "agent_work_time", "on_hold_time", "illegitimate_pause_time"]
STORY = [
    created("A", at(0)),
    status("A", at(10), "on_hold"),
    status("A", at(25), "open"),
    status("A", at(30), "pending"),
    status("A", at(70), "open"),
    solved("A", 75),
    status("A", at(90), "closed"),
]
"""Waits 0-30 and 70-75, of which it is on hold 10-25."""


def minutes(record: KpiRecord) -> tuple[float, int | None]:
    """Value in minutes, and samples."""
    assert record.value is not None
    return record.value / 60, record.samples


@pytest.mark.parametrize(("kpi", "ran"), [*zip(CLOCKS, [35, 20, 15, 0], strict=True)])
def test_the_status_says_which_clocks_run_and_all_stop_at_solved(kpi: str, ran: float) -> None:
    record = only(kpi, STORY, minute=3 * DAY)
    assert minutes(record) == (ran, 1 if ran else 0)
    assert record.clock == "calendar"


def test_stats_are_count_sum_and_mean_only() -> None:
    lines = [*STORY, created("B", at(0)), solved("B", 5)]
    record = only("agent_work_time", lines, minute=100)
    assert record.value == 25 * 60
    assert record.stats == Stats(count=2, sum=25 * 60, mean=750)
    assert (record.stats.p50, record.stats.max) == (None, None)


def test_time_is_split_over_the_windows_it_ran_in_and_a_window_without_any_has_0() -> None:
    hours = rows("requester_wait_time", STORY, "tumbling:1h", minute=180)
    assert [minutes(record) for record in hours if not record.cut] == [(30, 1), (5, 1), (0, 0), (0, 0)]
    assert hours[-1].stats is None
    fives = rows("agent_work_time", STORY, "tumbling:5m", minute=45)
    spans = [minutes(record) for record in fives if not record.cut]
    assert spans == [(5, 1), (5, 1), (0, 0), (0, 0), (0, 0), (5, 1), (0, 0), (0, 0), (0, 0), (0, 0)]


@pytest.mark.parametrize("window", ["total", "rolling:1h", "today", "tumbling:1d", "month"])
def test_what_runs_counts_up_to_now_even_where_the_window_ends_later(window: str) -> None:
    assert minutes(only("requester_wait_time", [created("A", at(0))], window, minute=40)) == (40, 1)


def test_a_rolling_window_counts_what_began_before_it_what_runs_and_each_ticket_once() -> None:
    lines = [
        created("began before", at(0)),
        solved("began before", 70),
        created("twice", at(65)),
        status("twice", at(70), "pending"),
        status("twice", at(75), "open"),
        status("twice", at(80), "pending"),
        created("runs", at(85)),
        created("over before", at(1)),
        solved("over before", 2),
    ]
    assert minutes(only("requester_wait_time", lines, "rolling:1h", minute=120)) == (10 + 10 + 35, 3)


def test_a_ticket_that_runs_again_counts_once_in_every_window() -> None:
    lines = [created("A", at(0))]
    for minute in (1, 3, 64, 25 * 60):
        lines += [status("A", at(minute), "pending"), status("A", at(minute + 1), "open")]
    lines.append(solved("A", 26 * 60))
    for window, samples in (("tumbling:1d", 2), ("month", 1), ("total", 1), ("rolling:7d", 1)):
        totals = [record for record in rows("agent_work_time", lines, window, minute=2 * DAY) if not record.cut]
        assert sum(record.samples or 0 for record in totals) == samples, window
        assert {record.samples for record in totals} <= {0, 1}


def test_a_run_that_ends_where_a_window_starts_is_not_in_it() -> None:
    lines = [created("A", at(58)), solved("A", 60)]
    hours = [minutes(r) for r in rows("requester_wait_time", lines, "tumbling:1h", minute=100) if not r.cut]
    assert hours == [(2, 1), (0, 0)]


def test_the_agent_assigned_while_it_runs_is_credited_and_the_total_counts_the_ticket_once() -> None:
    lines = [created("A", at(0)), assigned("A", 10, "ann"), assigned("A", 25, "bob"), assigned("A", 30, "ann")]
    by_agent = {agent: minutes(only("agent_work_time", lines, minute=40, agent=agent)) for agent in ("ann", "bob")}
    assert by_agent == {"ann": (25, 1), "bob": (5, 1)}
    assert minutes(only("agent_work_time", lines, minute=40, agent="unknown")) == (10, 1)
    assert minutes(only("agent_work_time", lines, minute=40)) == (40, 1)


def test_a_clock_that_runs_for_no_time_has_not_run() -> None:
    lines = [created("A", at(0)), assigned("A", 0, "ann"), status("A", at(5), "on_hold"), status("A", at(5), "open")]
    agents = {r.cut["agent"] for r in rows("requester_wait_time", lines, minute=40) if "agent" in r.cut and r.samples}
    assert agents == {"ann"}


def test_an_update_moves_what_runs_to_the_new_cut_from_then_on() -> None:
    moved = event("ticket.updated", "A", at(10), "u", category="sales")
    lines = [created("A", at(0), category="bug"), moved, solved("A", 15)]
    assert minutes(only("requester_wait_time", lines, category="bug")) == (10, 1)
    assert minutes(only("requester_wait_time", lines, category="sales")) == (5, 1)
    assert minutes(only("requester_wait_time", lines)) == (15, 1)
    assert minutes(only("requester_wait_time", lines, channel="email")) == (15, 1)


def test_a_late_event_corrects_the_windows_of_the_past() -> None:
    late = [created("A", at(0)), solved("A", 130), status("A", at(30), "pending")]
    hours = [minutes(r) for r in rows("requester_wait_time", late, "tumbling:1h", minute=180) if not r.cut]
    assert hours == [(30, 1), (0, 0), (0, 0), (0, 0)]


def test_spam_and_the_source_of_a_merge_leave_every_clock() -> None:
    lines = [created("A", at(0)), created("B", at(0)), status("A", at(20), "spam"), merged("B", 30)]
    assert minutes(only("requester_wait_time", lines)) == (0, 0)
    assert minutes(only("requester_wait_time", [*lines, status("A", at(40), "open")])) == (40, 1)


def test_a_pause_runs_against_the_rules_from_the_customers_message_to_an_answer_or_another_status() -> None:
    lines = [
        created("A", at(0)),
        status("A", at(10), "pending"),
        wrote("A", 20),
        wrote("A", 25),
        wrote("A", 30, "agent", author_id="ann"),
        wrote("A", 40),
        wrote("A", 41, "bot"),
        status("A", at(45), "open"),
        wrote("A", 50),
    ]
    assert minutes(only("illegitimate_pause_time", lines)) == (15, 1)


def test_a_message_that_came_before_the_pause_does_not_make_it_illegitimate() -> None:
    lines = [created("A", at(0)), wrote("A", 5), status("A", at(10), "pending")]
    assert minutes(only("illegitimate_pause_time", lines)) == (0, 0)


def test_a_status_that_opens_the_ticket_at_the_instant_of_the_message_leaves_no_pause() -> None:
    lines = [created("A", at(0)), status("A", at(10), "pending"), wrote("A", 20), status("A", at(20), "open")]
    assert minutes(only("illegitimate_pause_time", lines)) == (0, 0)


def test_the_status_table_is_an_option() -> None:
    options = Options(
        requester_wait_statuses=frozenset({"pending"}),
        agent_work_statuses=frozenset({"open", "on_hold"}),
        on_hold_statuses=frozenset(),
    )
    ran = [minutes(only(kpi, STORY, minute=100, options=options)) for kpi in CLOCKS]
    assert ran == [(40, 1), (25, 1), (0, 0), (0, 0)]


@pytest.mark.parametrize("kpi", CLOCKS)
def test_without_tickets_the_time_is_0_with_no_samples(kpi: str) -> None:
    record = only(kpi, [], "today")
    assert (record.value, record.samples, record.stats) == (0, 0, None)


def test_tickets_of_before_2020_have_their_time_too() -> None:
    start_ms = at(0) - 4000 * DAY_MS
    lines = [created("A", start_ms), event("ticket.status", "A", start_ms + 60_000, "s", status="solved")]
    assert minutes(only("requester_wait_time", lines)) == (1, 1)
