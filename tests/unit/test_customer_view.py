"""Rows that need a customer's whole view, from short stories: confirmed first contacts, chats, the last NPS answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from stream_kpi.kpis.record import KpiRecord
from stream_kpi.lifecycles.options import Options
from stream_kpi.lifecycles.survey import nps_rating
from tests.row_kit import at, merged, only, rows, solved, wrote
from tests.shard_kit import created, event

HOUR, DAY = 60, 24 * 60
WEEK_LATER = 8 * DAY


def ticket(subject: str, minute: float, customer: str = "mia", category: str | None = "bill") -> bytes:
    return created(subject, at(minute), customer_id=customer, category=category)


def status(subject: str, minute: float, name: str) -> bytes:
    return event("ticket.status", subject, at(minute), f"{subject}/{name}/{minute}", status=name)


def updated(subject: str, minute: float, **data: Any) -> bytes:
    return event("ticket.updated", subject, at(minute), f"{subject}/updated/{minute}", **data)


def fcr(*lines: bytes, minute: float = WEEK_LATER, window: str = "total", **more: Any) -> tuple[Any, Any, float | None]:
    """Numerator, denominator, value."""
    record = only("fcr_confirmed", lines, window, minute, **more)
    return record.numerator, record.denominator, record.value


SOLVED_AT_ONCE = (ticket("T", 0), solved("T", 30))


def test_a_first_contact_is_confirmed_seven_days_after_the_solve() -> None:
    decided = 30 + 7 * DAY
    assert fcr(*SOLVED_AT_ONCE, minute=decided - 1) == (0, 0, None)
    assert fcr(*SOLVED_AT_ONCE, minute=decided) == (1, 1, 1.0)


def test_one_of_two_solves_that_the_customer_came_back_to_within_the_window_is_a_half() -> None:
    lines = (*SOLVED_AT_ONCE, ticket("U", 2 * DAY), solved("U", 2 * DAY + 5))
    assert fcr(*lines, minute=10 * DAY) == (1, 2, 0.5)


@pytest.mark.parametrize(
    ("minute", "confirmed"), [(29, 1), (30, 1), (30.001, 0), (30 + 7 * DAY, 0), (30.001 + 7 * DAY, 1)]
)
def test_a_new_ticket_counts_after_the_solve_and_up_to_the_end_of_the_window(minute: float, confirmed: int) -> None:
    assert fcr(*SOLVED_AT_ONCE, ticket("U", minute), minute=9 * DAY)[0] == confirmed


def test_only_a_ticket_of_the_same_customer_and_category_counts_as_coming_back() -> None:
    others = (ticket("U", DAY, "tom"), ticket("V", DAY, "mia", "login"), ticket("W", DAY, "mia", None))
    assert fcr(*SOLVED_AT_ONCE, *others) == (1, 1, 1.0)
    assert fcr(*SOLVED_AT_ONCE, *others, options=Options(fcr_same_category=False)) == (0, 1, 0.0)


def test_tickets_without_a_category_are_of_one_category() -> None:
    assert fcr(ticket("T", 0, category=None), solved("T", 30), ticket("U", DAY, category=None)) == (0, 1, 0.0)


def test_the_solved_tickets_category_is_that_at_its_solve_and_the_new_ones_that_at_its_creation() -> None:
    lines = (ticket("T", 0, category="other"), updated("T", 10, category="bill"), solved("T", 30))
    again = ticket("U", DAY)
    assert fcr(*lines, updated("T", 50, category="login"), again, updated("U", DAY + 1, category="login"))[0] == 0


def test_a_reopen_within_the_window_takes_the_first_contact_back_and_a_later_one_does_not() -> None:
    assert fcr(*SOLVED_AT_ONCE, status("T", 7 * DAY + 30, "open"))[0] == 0
    assert fcr(*SOLVED_AT_ONCE, status("T", 7 * DAY + 31, "open"))[0] == 1


def test_what_was_no_first_contact_at_the_solve_is_never_confirmed_but_counts_below_the_line() -> None:
    reply = wrote("T", 10, "agent", author_id="ann", public=True)
    assert fcr(ticket("T", 0), reply, wrote("T", 20), solved("T", 30)) == (0, 1, 0.0)


def test_a_solve_by_no_human_is_in_neither_side() -> None:
    assert fcr(ticket("T", 0), solved("T", 30, actor="automation")) == (0, 0, None)


@pytest.mark.parametrize("removal", [merged("U", 2 * DAY), status("U", 2 * DAY, "spam")], ids=["merged", "spam"])
def test_a_ticket_that_leaves_every_count_is_no_coming_back(removal: bytes) -> None:
    assert fcr(*SOLVED_AT_ONCE, ticket("U", DAY), removal) == (1, 1, 1.0)


def test_a_solved_ticket_that_turns_out_to_be_spam_is_in_neither_side() -> None:
    assert fcr(*SOLVED_AT_ONCE, status("T", 9 * DAY, "spam"), minute=10 * DAY) == (0, 0, None)


def test_a_ticket_that_goes_to_another_customer_is_a_contact_of_that_one() -> None:
    lines = (*SOLVED_AT_ONCE, ticket("U", DAY), ticket("A", 0, "tom"), solved("A", 20))
    assert fcr(*lines) == (1, 2, 0.5)
    assert fcr(*lines, updated("U", 2 * DAY, customer_id="tom")) == (1, 2, 0.5)
    assert fcr(*lines, updated("U", 2 * DAY, customer_id=None)) == (2, 2, 1.0)


def test_the_windows_length_is_an_option() -> None:
    lines = (*SOLVED_AT_ONCE, ticket("U", 2 * DAY))
    assert fcr(*lines, minute=30 + DAY, options=Options(fcr_window_ms=DAY * 60_000)) == (1, 1, 1.0)


def test_a_solve_counts_in_its_own_windows_and_cuts() -> None:
    assert only("fcr_confirmed", SOLVED_AT_ONCE, minute=WEEK_LATER, category="bill").value == 1
    assert only("fcr_confirmed", SOLVED_AT_ONCE, minute=WEEK_LATER, agent="ann").value == 1
    assert fcr(*SOLVED_AT_ONCE, window="rolling:7d") == (1, 1, 1.0)


# Chats


def chat(subject: str, minute: float, customer: str | None = "mia") -> list[bytes]:
    data = {"queue": "sales"} if customer is None else {"queue": "sales", "customer_id": customer}
    accepted = event("chat.accepted", subject, at(minute + 1), f"{subject}/accepted", agent_id="ann")
    return [event("chat.queued", subject, at(minute), f"{subject}/queued", **data), accepted]


def ended(subject: str, minute: float, *, resolved: bool | None = True) -> bytes:
    data: dict[str, Any] = {"by": "agent"} if resolved is None else {"by": "agent", "resolved": resolved}
    return event("chat.ended", subject, at(minute), f"{subject}/ended", **data)


def chat_fcr(*lines: bytes, minute: float = 3 * DAY, **cut: str) -> tuple[Any, Any, float | None]:
    record = only("chat_fcr", lines, "total", minute, None, **cut)
    return record.numerator, record.denominator, record.value


def test_a_resolved_chat_is_decided_24_hours_after_its_end() -> None:
    lines = (*chat("C", 0), ended("C", 10))
    assert chat_fcr(*lines, minute=9 + DAY) == (0, 0, None)
    assert chat_fcr(*lines, minute=10 + DAY) == (1, 1, 1.0)
    assert chat_fcr(*lines, agent="ann") == (1, 1, 1.0)


@pytest.mark.parametrize(("minute", "enough"), [(9, 1), (10, 1), (10.001, 0), (10 + DAY, 0), (10.001 + DAY, 1)])
def test_a_new_chat_of_the_customer_within_24_hours_of_the_end_says_that_it_was_not_enough(
    minute: float, enough: int
) -> None:
    assert chat_fcr(*chat("C", 0), ended("C", 10), *chat("D", minute))[0] == enough


def test_a_transferred_chat_is_no_first_contact_and_one_not_resolved_is_in_neither_side() -> None:
    transferred = event("chat.transferred", "C", at(5), "C/transferred", to_agent="bob")
    assert chat_fcr(*chat("C", 0), transferred, ended("C", 10)) == (0, 1, 0.0)
    assert chat_fcr(*chat("C", 0), ended("C", 10, resolved=False)) == (0, 0, None)
    assert chat_fcr(*chat("C", 0), ended("C", 10, resolved=None)) == (0, 0, None)


def test_chats_of_nobody_known_have_nothing_to_do_with_each_other() -> None:
    lines = (*chat("C", 0, None), ended("C", 10), *chat("D", 20, None), ended("D", 30))
    assert chat_fcr(*lines) == (2, 2, 1.0)


def test_a_ticket_is_no_new_chat_and_a_chat_no_new_ticket() -> None:
    lines = (*chat("C", 0), ended("C", 10), *SOLVED_AT_ONCE, *chat("D", 3 * DAY))
    assert chat_fcr(*lines) == (1, 1, 1.0)
    assert fcr(*lines) == (1, 1, 1.0)


# NPS


def answered(customer: str, minute: float, score: float, survey: str | None = None, **data: Any) -> bytes:
    survey = survey or f"{customer}/{minute}"
    scale = {"scale_min": 0, "scale_max": 10} | data
    uid = f"{survey}/{minute}/{score}"
    return event(
        "survey.answered",
        customer,
        at(minute),
        uid,
        survey_id=survey,
        kind="nps",
        customer_id=customer,
        score=score,
        **scale,
    )


def nps(
    lines: Iterable[bytes], minute: float = HOUR, window: str = "total", **cut: str
) -> tuple[float | None, int | None]:
    record: KpiRecord = only("nps", lines, window, minute, None, **cut)
    return record.value, record.samples


def test_nps_is_the_percentage_of_9_and_10_less_that_of_0_to_6() -> None:
    scores = [10, 9, 9, 8, 7, 6, 0, 10, 9, 7]
    lines = [answered(f"c{n}", n, score) for n, score in enumerate(scores)]
    assert nps(lines) == (100 * (5 - 2) / 10, 10)


def test_without_answers_there_is_no_score() -> None:
    assert nps([]) == (None, 0)


def test_only_the_last_answer_of_each_customer_in_the_window_counts() -> None:
    lines = [answered("mia", 0, 10), answered("mia", 40 * DAY, 3), answered("tom", 41 * DAY, 9)]
    assert nps(lines, 41 * DAY) == (0, 2)
    assert nps(lines, 41 * DAY, "rolling:90d") == (0, 2)
    assert nps(lines, 129 * DAY, "rolling:90d") == (0, 2)
    assert nps(lines, 130 * DAY + HOUR, "rolling:90d") == (100, 1)
    assert nps(lines, 132 * DAY, "rolling:90d") == (None, 0)


def test_each_month_has_the_last_answers_in_it() -> None:
    lines = [answered("mia", 0, 10), answered("mia", DAY, 2), answered("mia", 40 * DAY, 9)]
    records = [only("nps", lines, "rolling:30d", minute) for minute in (0, DAY, 40 * DAY)]
    assert [record.value for record in records] == [100, -100, 100]
    march, april = (record for record in rows("nps", lines, "month", 40 * DAY) if not record.cut)
    assert (march.value, april.value) == (-100, 100)


def test_a_rerating_replaces_the_rating_where_the_first_answer_counts() -> None:
    lines = [answered("mia", 0, 2, "s1"), answered("mia", 5, 7, "s2"), answered("mia", 9, 10, "s1")]
    assert nps(lines) == (0, 1), "the second survey is the later one"
    assert nps([lines[0], lines[2]]) == (100, 1)


def test_an_answer_that_comes_late_changes_nothing_where_a_later_one_is_known() -> None:
    lines = [answered("mia", 0, 2), answered("mia", 5, 10)]
    assert nps(lines) == nps(reversed(lines)) == (100, 1)


def test_answers_count_under_their_own_channel_and_plan() -> None:
    lines = [answered("mia", 0, 10, channel="email", plan="pro"), answered("tom", 1, 0, channel="app")]
    assert nps(lines, channel="email") == (100, 1)
    assert nps(lines, plan="unknown") == (-100, 1)


def test_what_a_customer_answers_about_a_ticket_or_chat_is_the_customers_answer_too() -> None:
    survey = {"survey_id": "s", "kind": "nps", "score": 10, "scale_min": 0, "scale_max": 10}
    lines = [
        answered("mia", 0, 0),
        ticket("T", 1),
        event("ticket.survey_answered", "T", at(5), "a1", **survey),
        *chat("C", 2, "tom"),
        event("chat.survey_answered", "C", at(6), "a2", **{**survey, "score": 6}),
    ]
    assert nps(lines) == (0, 2)
    assert nps(lines, channel="email") == (100, 1)
    assert nps([*lines, merged("T", 10)]) == (-100, 2), "of a ticket that counts nowhere, no answer does"


@pytest.mark.parametrize(("score", "top", "rating"), [(9, 10, 1), (8.9, 10, 0), (7, 10, 0), (6.9, 10, -1), (4, 4, 1)])
def test_other_scales_are_mapped_to_0_to_10(score: float, top: float, rating: int) -> None:
    assert nps_rating(score, 0, top) == rating
