"""What starts, fulfils and cancels the service levels of tickets and chats, and which policy promises them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from stream_kpi.lifecycles.chat.events import Accepted, Ended, Left, Queued, Transferred
from stream_kpi.lifecycles.ticket.events import Merged
from stream_kpi.measures.registry import FIRST_RESPONSE, SLA_BREACH_SIZE, SLA_BREACHED, SLA_MET, SLA_RUNNING
from tests.sla_kit import Told, at, brief, chat, minute_of, options_of

REPLIES = """
[[sla]]
name = "p"
first_response = { other = "60m" }
next_reply = { other = "30m" }
periodic_update = { other = "10h" }
"""


def test_a_first_response_is_awaited_from_the_creation_and_fulfilled_by_the_first_public_human_message() -> None:
    ticket = Told(options_of(REPLIES))
    assert brief(ticket.created()) == [(0, "started")]
    assert ticket.wrote(10, "bot") == []
    assert brief(ticket.replied(20)) == [(20, "fulfilled"), (20, "started")]
    assert ticket.count(SLA_MET, cut=("agent", "ann")) == 1


def test_of_a_ticket_that_a_bot_created_it_is_awaited_from_the_first_customer_message() -> None:
    ticket = Told(options_of(REPLIES))
    assert ticket.created(by="bot") == []
    assert [(t.metric, minute_of(t.deadline_ms)) for t in ticket.wrote(5)] == [("first_response", 65)]


def test_of_a_ticket_that_an_agent_created_it_is_not_awaited() -> None:
    ticket = Told(options_of(REPLIES))
    ticket.created(by="agent")
    ticket.wrote(5)
    assert brief(ticket.replied(300)) == [(300, "started")]
    assert (ticket.count(SLA_MET), ticket.count(SLA_BREACHED)) == (0, 0)


def test_an_agents_opening_message_fulfils_nothing_where_the_second_comment_is_the_first_response() -> None:
    second = replace(
        options_of(REPLIES), first_response_agent_created="second_comment", first_response_start="creation"
    )
    ticket = Told(second)
    assert brief(ticket.created(by="agent")) == [(0, "started")]
    assert brief(ticket.replied(1), "first_response") == []
    assert (ticket.count(SLA_MET), ticket.count(FIRST_RESPONSE)) == (0, 0)
    assert brief(ticket.replied(50), "first_response") == [(50, "fulfilled")]
    assert (ticket.count(SLA_MET, cut=("metric", "first_response")), ticket.count(FIRST_RESPONSE)) == (1, 50 * 60_000)

    missed = Told(second)
    missed.created(by="agent")
    missed.replied(1)
    assert brief(missed.advance(70), "first_response") == [(60, "breached")]
    # The customer wrote before the opening message after all: that one is the response.
    assert brief(missed.wrote(0.5), "first_response") == [(60, "not breached"), (1, "fulfilled")]
    assert missed.count(FIRST_RESPONSE) == 60_000


def test_a_first_response_does_not_pause_in_pending() -> None:
    ticket = Told(options_of(REPLIES))
    ticket.created()
    assert ticket.status(10, "pending") == []
    assert brief(ticket.advance(60)) == [(60, "breached")]


def test_a_next_reply_is_awaited_from_the_oldest_unanswered_customer_message() -> None:
    ticket = Told(options_of(REPLIES))
    ticket.created()
    ticket.replied(10)
    assert brief(ticket.wrote(100), "next_reply") == [(100, "started")]
    assert ticket.wrote(120) == []
    assert brief(ticket.replied(140), "next_reply") == [(130, "breached"), (140, "fulfilled")]
    assert ticket.count(SLA_BREACH_SIZE, cut=("metric", "next_reply")) == 10 * 60_000


def test_every_public_reply_starts_the_time_to_the_next_update_anew() -> None:
    ticket = Told(options_of(REPLIES))
    ticket.created()
    ticket.replied(10)
    assert brief(ticket.replied(300), "periodic_update") == [(300, "fulfilled"), (300, "started")]
    assert brief(ticket.advance(900), "periodic_update") == [(900, "breached")]


def test_a_solve_cancels_what_waits_for_a_reply_and_a_reopen_awaits_the_first_response_from_then_on() -> None:
    ticket = Told(options_of(REPLIES))
    ticket.created()
    assert brief(ticket.status(5, "solved")) == [(5, "cancelled")]
    assert brief(ticket.status(4_000, "open")) == [(4_000, "started")]
    ticket.replied(4_010)
    assert (ticket.count(SLA_MET), ticket.count(SLA_BREACHED)) == (1, 0)


def test_a_reopened_ticket_is_to_be_solved_within_the_target_once_more() -> None:
    text = '[[sla]]\nname = "p"\nresolution = { other = "1h" }'
    ticket = Told(options_of(text))
    ticket.created()
    assert brief(ticket.status(30, "solved")) == [(30, "fulfilled")]
    assert ticket.status(40, "closed") == []
    assert brief(ticket.status(100, "pending")) == [(100, "started"), (100, "paused")]
    ticket.status(200, "open")
    assert brief(ticket.advance(500)) == [(260, "breached")]
    assert (ticket.count(SLA_MET), ticket.count(SLA_BREACHED)) == (1, 1)


@pytest.mark.parametrize("gone", ["spam", "deleted", "merged"])
def test_what_is_spam_deleted_or_merged_is_promised_nothing_and_counts_nowhere(gone: str) -> None:
    ticket = Told(options_of(REPLIES))
    ticket.created()
    ticket.advance(60)
    ticket.replied(70)
    ticket.wrote(80)
    assert ticket.count(SLA_BREACHED) == 1
    told = ticket.take(Merged(at(90), "m")) if gone == "merged" else ticket.status(90, gone)
    assert brief(told) == [(90, "cancelled"), (90, "cancelled")]
    assert [ticket.count(m) for m in (SLA_BREACHED, SLA_BREACH_SIZE, SLA_MET, SLA_RUNNING)] == [0, 0, 0, 0]
    assert ticket.advance(10_000) == []


def test_what_is_no_spam_after_all_counts_again() -> None:
    ticket = Told(options_of(REPLIES))
    ticket.created()
    ticket.advance(60)
    ticket.status(90, "spam")
    assert brief(ticket.status(100, "open")) == [(100, "started")]
    assert ticket.count(SLA_BREACHED) == 1


def test_a_late_reply_that_was_in_time_takes_the_breach_back() -> None:
    ticket = Told(options_of(REPLIES))
    ticket.created()
    assert brief(ticket.advance(100)) == [(60, "breached")]
    (taken_back, done, _) = ticket.replied(50)
    assert brief([taken_back, done]) == [(60, "not breached"), (50, "fulfilled")]
    assert (ticket.count(SLA_BREACHED), ticket.count(SLA_MET)) == (0, 1)


def test_a_late_reply_that_was_late_anyway_leaves_the_breach() -> None:
    ticket = Told(options_of(REPLIES))
    ticket.created()
    ticket.advance(100)
    assert brief(ticket.replied(70), "first_response") == [(70, "fulfilled")]
    assert (ticket.count(SLA_BREACHED), ticket.count(SLA_BREACH_SIZE)) == (1, 10 * 60_000)


CHOICE = """
[[sla]]
name = "vip"
group = ["gold", "platinum"]
resolution = { other = "1h" }

[[sla]]
name = "mail"
channel = "email"
resolution = { urgent = "2h", other = "4h" }

[[sla]]
name = "chats"
answer = { other = "1m" }

[[sla]]
name = "on request"
brand = "none that there is"
resolution = { other = "8h" }
"""


def test_the_first_policy_that_covers_a_ticket_applies_and_moves_with_its_dimensions() -> None:
    ticket = Told(options_of(CHOICE))
    (told,) = ticket.created()
    assert (told.policy, minute_of(told.deadline_ms)) == ("mail", 240)
    (told,) = ticket.assigned(10, None, "gold")
    assert (told.name, told.policy, minute_of(told.deadline_ms)) == ("retargeted", "vip", 60)
    (told,) = ticket.updated(20, priority="urgent", group="silver")
    assert (told.policy, minute_of(told.deadline_ms)) == ("mail", 120)


def test_a_policy_that_the_ticket_names_wins_until_it_names_none() -> None:
    ticket = Told(options_of(CHOICE))
    ticket.created()
    (told,) = ticket.updated(10, sla_policy="on request")
    assert (told.policy, minute_of(told.deadline_ms)) == ("on request", 480)
    assert ticket.updated(11, category="other") == []
    (told,) = ticket.updated(20, sla_policy=None)
    assert (told.policy, minute_of(told.deadline_ms)) == ("mail", 240)
    assert ticket.updated(30, sla_policy="nobody knows this one") == []


def test_a_promise_that_comes_late_counts_from_the_start_and_one_that_is_withdrawn_is_cancelled() -> None:
    text = '[[sla]]\nname = "p"\nfirst_response = { high = "1h" }'
    ticket = Told(options_of(text))
    assert ticket.created(priority="low") == []
    (told,) = ticket.updated(40, priority="high")
    assert (told.name, minute_of(told.time_ms), minute_of(told.started_ms), minute_of(told.deadline_ms)) == (
        "started",
        40,
        0,
        60,
    )
    assert brief(ticket.updated(50, priority="low")) == [(50, "cancelled")]
    assert ticket.advance(500) == []
    assert (ticket.count(SLA_BREACHED), ticket.count(SLA_RUNNING)) == (0, 0)


def test_a_miss_is_credited_to_the_assignee_and_what_is_kept_to_who_kept_it() -> None:
    text = '[[sla]]\nname = "p"\nresolution = { other = "1h" }\nfirst_response = { other = "2h" }'
    ticket = Told(options_of(text))
    ticket.created()
    ticket.assigned(10, "bob")
    assert ticket.count(SLA_RUNNING, cut=("agent", "bob")) == 2
    ticket.replied(70, "ann")
    assert ticket.count(SLA_BREACHED, cut=("agent", "bob")) == 1
    assert ticket.count(SLA_MET, cut=("agent", "ann")) == 1
    assert ticket.count(SLA_MET, cut=("policy", "p")) == 1


def queued(minute: float = 0, queue: str = "sales") -> Queued:
    return Queued(at(minute), "q", queue, "chat", "high", None, None)


ANSWER = """
[[sla]]
name = "quick"
group = "sales"
answer = { other = "1m" }

[[sla]]
name = "slow"
answer = { other = "3m" }
"""


def test_a_chat_is_to_be_answered_within_the_target_of_its_queue() -> None:
    one = chat(options_of(ANSWER))
    (told,) = one.take(queued())
    assert (told.metric, told.policy, minute_of(told.deadline_ms)) == ("answer", "quick", 1)
    (told,) = one.take(Transferred(at(0.5), "t", "support", None))
    assert (told.name, told.policy, minute_of(told.deadline_ms)) == ("retargeted", "slow", 3)
    assert brief(one.take(Accepted(at(2), "a", "ann", None))) == [(2, "fulfilled")]
    assert (one.count(SLA_MET, cut=("agent", "ann")), one.count(SLA_BREACHED)) == (1, 0)


def test_a_chat_that_is_answered_late_or_left_unanswered() -> None:
    late, left, ended = (chat(options_of(ANSWER)) for _ in range(3))
    for one in (late, left, ended):
        one.take(queued())
    assert brief(late.take(Accepted(at(1.5), "a", "ann", None))) == [(1, "breached"), (1.5, "fulfilled")]
    assert late.count(SLA_BREACH_SIZE) == 30_000
    assert brief(left.take(Left(at(0.5), "l", "abandoned"))) == [(0.5, "cancelled")]
    assert brief(ended.take(Ended(at(2), "e", "customer", 0))) == [(1, "breached"), (2, "cancelled")]
    assert [one.count(SLA_RUNNING) for one in (late, left, ended)] == [0, 0, 0]
