"""How a chat ends: missed, dropped, how long it took."""

from __future__ import annotations

import pytest

from stream_kpi.lifecycles.chat.events import AgentWrote, CustomerWrote
from stream_kpi.lifecycles.options import Options
from tests.chat_kit import Chat, S, T, X

MISSED = (
    "chats_abandoned_in_target",
    "chats_abandoned_late",
    "chats_flowed_out_in_target",
    "chats_flowed_out_late",
)


def missed(chat: Chat) -> list[tuple[int, int]]:
    return [fact for name in MISSED for fact in chat.measure(name)]


@pytest.mark.parametrize("reason", ["abandoned", "timeout", "callback", "flowout", "voicemail"])
@pytest.mark.parametrize("after_ms", [S, 30 * S, 2 * X])
def test_every_leave_without_an_agent_that_is_not_blocked_is_missed_once(reason: str, after_ms: int) -> None:
    chat = Chat()
    chat.leave(after_ms, reason)
    assert missed(chat) == [(after_ms, 1)]


@pytest.mark.parametrize("by", ["customer", "system"])
def test_an_end_before_an_accept_is_missed_and_a_blocked_or_answered_chat_is_not(by: str) -> None:
    ended, blocked, answered = Chat(), Chat(), Chat()
    ended.end(9 * S, by)
    blocked.leave(9 * S, "blocked")
    answered.accept(9 * S)
    answered.end(20 * S)
    assert [missed(ended), missed(blocked), missed(answered)] == [[(9 * S, 1)], [], []]


def test_an_accept_that_arrives_late_takes_the_missed_chat_back() -> None:
    chat = Chat()
    chat.leave(30 * S, "abandoned")
    chat.accept(20 * S)
    assert missed(chat) == []


def test_each_contact_that_leaves_the_queue_is_in_one_of_six_counts_in_time_or_late() -> None:
    for after_ms, when in ((X, "in_target"), (X + 1, "late")):
        abandoned, flowed_out, answered = Chat(), Chat(), Chat()
        abandoned.leave(after_ms, "abandoned")
        flowed_out.leave(after_ms, "callback")
        answered.accept(after_ms)
        assert abandoned.measure(f"chats_abandoned_{when}") == [(after_ms, 1)]
        assert flowed_out.measure(f"chats_flowed_out_{when}") == [(after_ms, 1)]
        assert answered.measure("chats_answered_late") == ([] if when == "in_target" else [(after_ms, 1)])


def test_a_chat_that_ends_on_an_unanswered_message_is_dropped_by_its_last_agent() -> None:
    chat = Chat()
    chat.accept(10 * S)
    chat.accept(20 * S, "bob")
    chat.customer_wrote(30 * S)
    chat.end(40 * S, "timeout")
    assert chat.measure("chats_dropped") == chat.measure("chats_dropped", ("agent", "bob")) == [(40 * S, 1)]
    assert chat.measure("chats_dropped", ("agent", "ann")) == []


def test_a_chat_that_ends_on_an_answer_or_without_messages_is_not_dropped() -> None:
    answered, silent = Chat(), Chat()
    for chat in (answered, silent):
        chat.accept(10 * S)
    answered.customer_wrote(30 * S)
    answered.agent_wrote(35 * S)
    for chat in (answered, silent):
        chat.end(400 * S)
        assert chat.measure("chats_dropped") == []


def test_what_was_written_while_waiting_must_be_answered_too() -> None:
    chat = Chat()
    chat.customer_wrote(5 * S)
    chat.accept(30 * S)
    chat.end(60 * S)
    assert chat.measure("chats_dropped") == [(60 * S, 1)]


def test_a_chat_that_nobody_accepted_is_missed_and_not_dropped() -> None:
    chat = Chat()
    chat.customer_wrote(5 * S)
    chat.advance(T + 300 * S)
    chat.end(400 * S, "customer")
    assert chat.measure("chats_dropped") == []
    assert missed(chat) == [(400 * S, 1)]


def test_120_s_of_silence_after_a_customers_message_count_as_a_drop_until_someone_writes() -> None:
    chat = Chat()
    chat.accept(10 * S)
    chat.customer_wrote(30 * S)
    chat.advance(T + 150 * S - 1)
    assert chat.measure("chats_dropped") == []
    chat.advance(T + 150 * S)
    assert chat.measure("chats_dropped") == chat.measure("chats_dropped", ("agent", "ann")) == [(150 * S, 1)]
    chat.customer_wrote(200 * S)
    assert chat.measure("chats_dropped") == []
    chat.advance(T + 320 * S)
    assert chat.measure("chats_dropped") == [(320 * S, 1)]
    chat.agent_wrote(330 * S)
    chat.advance(T + 900 * S)
    assert chat.measure("chats_dropped") == []


def test_the_silence_of_a_customer_who_wrote_while_waiting_begins_at_the_accept() -> None:
    chat = Chat(Options(abandon_after_ms=60 * S))
    chat.customer_wrote(5 * S)
    chat.accept(100 * S)
    chat.advance(T + 159 * S)
    assert chat.measure("chats_dropped") == []
    chat.advance(T + 160 * S)
    assert chat.measure("chats_dropped") == [(160 * S, 1)]


def test_a_drop_by_silence_moves_to_the_end_when_the_chat_ends() -> None:
    chat = Chat()
    chat.accept(10 * S)
    chat.customer_wrote(30 * S)
    chat.advance(T + 200 * S)
    chat.end(400 * S, "timeout")
    assert chat.measure("chats_dropped") == [(400 * S, 1)]


def test_an_answer_that_arrives_late_takes_the_drop_back_and_a_message_after_the_end_changes_nothing() -> None:
    chat = Chat()
    chat.accept(10 * S)
    chat.customer_wrote(30 * S)
    chat.end(40 * S)
    chat.add(AgentWrote(T + 50 * S, "too late"))
    assert chat.measure("chats_dropped") == [(40 * S, 1)]
    chat.agent_wrote(35 * S)
    assert chat.measure("chats_dropped") == []
    chat.add(CustomerWrote(T + 60 * S, "thanks"))
    chat.advance(T + 900 * S)
    assert chat.measure("chats_dropped") == []


def test_a_duration_runs_from_the_queueing_to_the_end_and_is_the_last_agents() -> None:
    chat = Chat()
    assert chat.measure("chat_duration") == []
    chat.accept(10 * S)
    chat.accept(20 * S, "bob")
    chat.end(100 * S, after_work_ms=5 * S)
    assert chat.measure("chat_duration") == chat.measure("chat_duration", ("agent", "bob")) == [(100 * S, 100 * S)]
    assert chat.measure("chat_duration", ("agent", "ann")) == []


def test_a_chat_that_ends_unanswered_has_a_duration_and_no_agent() -> None:
    chat = Chat()
    chat.end(100 * S, "customer")
    assert chat.measure("chat_duration") == [(100 * S, 100 * S)]
    assert chat.rows(("agent", "unknown")) == {}


def test_an_earlier_end_that_arrives_late_replaces_the_duration() -> None:
    chat = Chat()
    chat.accept(10 * S)
    chat.end(100 * S)
    chat.end(80 * S)
    assert chat.measure("chat_duration") == [(80 * S, 80 * S)]
    assert chat.problems == ["second_ended"]
