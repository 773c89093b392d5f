"""Net flow, days to clear, the cohort's resolution rate, transfers and touches, by hand."""

from __future__ import annotations

import pytest

from stream_kpi.lifecycles.options import Options
from tests.row_kit import assigned, at, merged, only, rows, solved, wrote
from tests.shard_kit import created, status

DAY = 24 * 60


# backlog_net_flow


def test_net_flow_adds_creations_and_reopens_and_subtracts_every_solve() -> None:
    lines = [created("A", at(0)), created("B", at(1)), solved("A", 5), status("A", at(10), "open"), solved("A", 15)]
    record = only("backlog_net_flow", lines)
    assert (record.value, record.samples) == (2 + 1 - 2, 5)
    hours = rows("backlog_net_flow", [*lines, solved("B", 70)], "tumbling:1h", minute=90)
    assert [record.value for record in hours if not record.cut] == [1, -1]


def test_net_flow_is_corrected_when_a_ticket_turns_out_to_be_spam_or_is_merged() -> None:
    lines = [created("A", at(0)), created("B", at(1)), solved("B", 2), status("A", at(5), "spam"), merged("B", 6)]
    record = only("backlog_net_flow", lines)
    assert (record.value, record.samples) == (0, 0)


def test_net_flow_counts_tickets_that_agents_created_whatever_the_option_says() -> None:
    lines = [created("A", at(0), created_by="agent")]
    for counted in (True, False):
        options = Options(include_agent_created=counted)
        assert only("backlog_net_flow", lines, options=options).value == 1
        assert only("ticket_volume", lines, options=options).value == int(counted)


def test_closing_a_solved_ticket_is_no_second_solve() -> None:
    lines = [created("A", at(0)), solved("A", 5), status("A", at(10), "closed")]
    assert only("backlog_net_flow", lines).value == 0


def test_net_flow_of_nothing_is_0() -> None:
    record = only("backlog_net_flow", [])
    assert (record.value, record.samples) == (0, 0)


# backlog_days_to_clear


def test_days_to_clear_are_open_tickets_by_first_solves_of_the_trailing_24_hours() -> None:
    lines = [created(f"T{n}", at(0)) for n in range(5)]
    lines += [solved("T0", 10), solved("T1", 20), status("T1", at(25), "open"), solved("T1", 26)]
    record = only("backlog_days_to_clear", lines)
    assert (record.value, record.numerator, record.denominator, record.samples) == (1.5, 3, 2, 2)
    assert record.unit == "days"


def test_a_solve_leaves_the_trailing_day_24_hours_after_it() -> None:
    lines = [created("A", at(0)), created("B", at(0)), solved("A", 10)]
    assert only("backlog_days_to_clear", lines, minute=10 + DAY - 0.001).value == 1
    record = only("backlog_days_to_clear", lines, minute=10 + DAY)
    assert (record.value, record.samples) == (None, 0)


def test_at_the_end_of_each_window_days_to_clear_are_those_of_then() -> None:
    lines = [created("A", at(0)), created("B", at(0)), solved("A", 10)]
    days = [r.value for r in rows("backlog_days_to_clear", lines, "tumbling:1h", minute=DAY + 70) if not r.cut]
    assert days == [*[1.0] * 24, None, None]


@pytest.mark.parametrize("window", ["rolling:5m", "rolling:24h", "rolling:7d", "today", "total"])
def test_in_every_window_that_ends_now_days_to_clear_are_those_of_now(window: str) -> None:
    lines = [created(name, at(minute)) for name, minute in (("A", 0), ("B", 10), ("C", 20))]
    lines += [solved("A", 30), solved("B", 40), status("B", at(45), "open")]
    record = only("backlog_days_to_clear", lines, window)
    assert (record.window.kind, record.value, record.samples) == (window, 2 / 2, 2)  # B C by A B
    late = only("backlog_days_to_clear", [*lines, solved("C", 25)], window)
    assert (late.value, late.samples) == (1 / 3, 3)
    assert only("backlog_days_to_clear", lines[:3], window).value is None


def test_a_reopen_moves_days_to_clear_and_a_merge_takes_the_solve_back() -> None:
    lines = [created("A", at(0)), created("B", at(0)), solved("A", 10), status("A", at(20), "open")]
    assert only("backlog_days_to_clear", lines).value == 2
    assert only("backlog_days_to_clear", [*lines, merged("A", 30)]).value is None


# resolution_rate_cohort


def test_of_those_created_in_the_window_the_share_that_is_solved_now_whenever_it_was() -> None:
    lines = [created("A", at(0)), created("B", at(10)), created("C", at(70)), solved("A", 100)]
    hours = rows("resolution_rate_cohort", lines, "tumbling:1h", minute=120)
    totals = [(record.value, record.numerator, record.denominator) for record in hours if not record.cut]
    assert totals == [(0.5, 1, 2), (0.0, 0, 1), (None, 0, 0)]


def test_a_reopen_takes_the_solved_ticket_back_and_spam_the_created_one() -> None:
    lines = [created("A", at(0)), created("B", at(0)), solved("A", 5), status("A", at(10), "open")]
    assert only("resolution_rate_cohort", lines).value == 0
    assert only("resolution_rate_cohort", [*lines, solved("A", 15)]).value == 0.5
    assert only("resolution_rate_cohort", [*lines, solved("A", 15), status("B", at(20), "spam")]).value == 1


def test_it_is_cut_by_the_dimensions_at_the_creation() -> None:
    lines = [created("A", at(0), category="bug"), solved("A", 5)]
    assert only("resolution_rate_cohort", lines, category="bug").value == 1


def test_by_agent_it_is_of_the_tickets_that_the_agent_solved_or_has_open() -> None:
    lines = [created(name, at(0)) for name in "ABCD"]
    lines += [assigned("A", 1, "ann"), assigned("B", 1, "bob"), assigned("B", 2, "ann"), assigned("C", 1, "bob")]
    lines += [solved("A", 5, "ann"), solved("C", 5, "ann")]
    cohort = {agent: only("resolution_rate_cohort", lines, agent=agent) for agent in ("ann", "bob", "unknown")}
    assert [(r.numerator, r.denominator) for r in cohort.values()] == [(2, 3), (0, 0), (0, 1)]
    assert only("resolution_rate_cohort", lines).value == 0.5


def test_tickets_that_the_volume_leaves_out_are_in_neither_part() -> None:
    lines = [created("A", at(0), created_by="agent"), solved("A", 5)]
    record = only("resolution_rate_cohort", lines, options=Options(include_agent_created=False))
    assert (record.value, record.numerator, record.denominator) == (None, 0, 0)


# transfers


def test_a_transfer_is_an_assignment_to_another_agent_than_the_one_before() -> None:
    lines = [created("A", at(0)), assigned("A", 1, "ann"), assigned("A", 2, "ann"), assigned("A", 3, None)]
    assert only("transfers", lines).value == 0
    lines += [assigned("A", 4, "ann"), assigned("A", 5, "bob"), assigned("A", 70, "ann")]
    assert only("transfers", lines, minute=80).value == 2
    hours = [record.value for record in rows("transfers", lines, "tumbling:1h", minute=80) if not record.cut]
    assert hours == [1, 1]


def test_a_transfer_counts_for_the_agent_and_the_group_it_goes_to() -> None:
    lines = [created("A", at(0), group="g1"), assigned("A", 1, "ann"), assigned("A", 5, "bob", group="g2")]
    assert only("transfers", lines, agent="bob").value == 1
    assert only("transfers", lines, group="g2").value == 1
    assert only("transfers", lines, group="g1").value == 0


def test_a_late_first_assignment_makes_the_next_one_a_transfer() -> None:
    lines = [created("A", at(0)), assigned("A", 5, "bob")]
    assert only("transfers", lines).value == 0
    assert only("transfers", [*lines, assigned("A", 1, "ann")]).value == 1


# touches


def test_touches_are_public_agent_messages_by_first_solve() -> None:
    lines = [
        created("A", at(0)),
        *(wrote("A", minute, "agent", author_id="ann") for minute in (1, 2, 3)),
        wrote("A", 4, "agent", author_id="ann", public=False),
        wrote("A", 5, "bot"),
        solved("A", 6),
        wrote("A", 7, "agent", author_id="ann"),
        created("B", at(0)),
        solved("B", 8, "bob"),
        created("open", at(0)),
        wrote("open", 9, "agent", author_id="ann"),
    ]
    record = only("touches", lines)
    assert (record.value, record.numerator, record.denominator, record.samples) == (1.5, 3, 2, 2)
    assert [only("touches", lines, agent=agent).value for agent in ("ann", "bob")] == [3, 0]


def test_messages_of_one_chat_session_are_one_touch() -> None:
    sessions = [wrote("A", minute, "agent", author_id="ann", session_id=f"s{minute // 5}") for minute in (1, 2, 6)]
    assert only("touches", [created("A", at(0)), *sessions, solved("A", 10)]).value == 2


def test_a_late_message_corrects_the_touches_and_a_second_solve_does_not() -> None:
    lines = [created("A", at(0)), wrote("A", 1, "agent"), solved("A", 10), status("A", at(20), "open")]
    again = [wrote("A", 25, "agent"), solved("A", 30)]
    assert only("touches", [*lines, *again]).value == 1
    assert only("touches", [*lines, *again, wrote("A", 5, "agent")]).value == 2


def test_without_a_solve_there_are_no_touches_to_speak_of() -> None:
    record = only("touches", [created("A", at(0)), wrote("A", 1, "agent")])
    assert (record.value, record.samples) == (None, 0)
