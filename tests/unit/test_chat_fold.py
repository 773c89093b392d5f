from __future__ import annotations

from functools import partial

import pytest

from stream_kpi.lifecycles.chat.events import Accepted, Queued, SurveyAnswered, Transferred
from stream_kpi.lifecycles.chat.fold import ChatFold
from stream_kpi.lifecycles.entity import Entity
from stream_kpi.lifecycles.facts import CutSets
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures.registry import CLOCK_EPOCH_MS
from tests.chat_kit import Chat, S, T, X

QUEUED = {"chats_queued", "queue_length", "waiting_chats"}
"""What every chat that is queued states."""


def test_a_waiting_chat_stands_in_the_queue_under_each_of_its_dimensions() -> None:
    chat = Chat()
    waiting: dict[str, list[tuple[int, int]]] = {
        "chats_queued": [(0, 1)],
        "queue_length": [(0, 1)],
        "waiting_chats": [(0, T)],
    }
    for cut in [(), ("group", "sales"), ("channel", "chat"), ("priority", "high"), ("category", "unknown")]:
        assert chat.rows(cut) == waiting
    assert not chat.entity.fold.closed


def test_an_answered_chat_leaves_the_queue_and_credits_its_agent_with_the_answer() -> None:
    chat = Chat()
    chat.accept(20 * S)
    assert chat.rows() == {
        "answer_time": [(20 * S, 20 * S)],
        "chat_outcomes": [(20 * S, 1)],
        "chats_in_hand": [(20 * S, 1)],
        "chats_in_hand_starts": [(20 * S, T + 20 * S - CLOCK_EPOCH_MS)],
        "chats_queued": [(0, 1)],
        "queue_length": [(0, 1), (20 * S, -1)],
        "service_level_met": [(20 * S, 1)],
        "service_level_offered": [(20 * S, 1)],
        "waiting_chats": [(0, T), (20 * S, -T)],
    }
    assert chat.rows(("agent", "ann")) == {
        "answer_time": [(20 * S, 20 * S)],
        "chats_in_hand": [(20 * S, 1)],
        "chats_in_hand_starts": [(20 * S, T + 20 * S - CLOCK_EPOCH_MS)],
    }


@pytest.mark.parametrize(("channel", "target_ms"), [("chat", X), ("voice", 20 * S)])
def test_an_answer_at_the_very_instant_of_the_deadline_is_in_time_and_one_later_is_a_miss(
    channel: str, target_ms: int
) -> None:
    in_time, too_late = Chat(channel=channel), Chat(channel=channel)
    in_time.advance(T + target_ms)  # the moment comes first here, and is taken back
    assert in_time.measure("service_level_offered") == [(target_ms, 1)]
    in_time.accept(target_ms)
    assert in_time.measure("service_level_met") == in_time.measure("service_level_offered") == [(target_ms, 1)]
    too_late.accept(target_ms + 1)
    assert too_late.measure("service_level_met") == []
    assert too_late.measure("service_level_offered") == [(target_ms, 1)]
    assert too_late.measure("chat_outcomes") == [(target_ms + 1, 1)]


@pytest.mark.parametrize("reason", ["abandoned", "timeout"])
def test_an_abandon_counts_on_both_sides_and_a_short_one_in_no_rate(reason: str) -> None:
    short, abandon = Chat(), Chat()
    short.leave(5 * S - 1, reason)
    assert set(short.rows()) == {*QUEUED, "chats_abandoned_in_target", "chats_abandoned_short"}
    abandon.leave(5 * S, reason)
    for name in ("chat_abandons", "chat_outcomes", "service_level_offered"):
        assert abandon.measure(name) == [(5 * S, 1)]
    assert abandon.measure("abandon_time") == [(5 * S, 5 * S)]
    assert abandon.entity.fold.closed


@pytest.mark.parametrize("reason", ["callback", "flowout", "voicemail"])
@pytest.mark.parametrize("after_ms", [S, X + S])
def test_other_ways_to_leave_count_below_the_line_only_and_take_a_miss_back(reason: str, after_ms: int) -> None:
    chat = Chat()
    chat.advance(T + after_ms)
    chat.leave(after_ms, reason)
    flowed_out = "chats_flowed_out_in_target" if after_ms <= X else "chats_flowed_out_late"
    assert set(chat.rows()) == {*QUEUED, "chat_outcomes", flowed_out}
    assert chat.measure("queue_length") == [(0, 1), (after_ms, -1)]


@pytest.mark.parametrize("after_ms", [S, X + S])
def test_a_blocked_chat_counts_nowhere(after_ms: int) -> None:
    chat = Chat()
    chat.leave(after_ms, "blocked")
    assert set(chat.rows()) == QUEUED


def test_an_abandon_past_the_deadline_keeps_its_miss_and_is_offered_once() -> None:
    chat = Chat()
    chat.leave(2 * X, "abandoned")
    assert chat.measure("service_level_offered") == [(X, 1)]
    assert chat.measure("chat_abandons") == [(2 * X, 1)]


def test_a_short_abandon_past_a_target_that_is_shorter_still_takes_the_miss_back() -> None:
    chat = Chat(Options(service_level_target_other_ms=2 * S))
    chat.leave(3 * S, "abandoned")
    assert chat.measure("service_level_offered") == []


@pytest.mark.parametrize(
    ("by", "after_ms", "abandons"), [("customer", 9 * S, 1), ("system", 9 * S, 1), ("agent", S, 0)]
)
def test_an_end_before_an_accept_is_a_leave(by: str, after_ms: int, abandons: int) -> None:
    chat = Chat()
    chat.end(after_ms, by, after_work_ms=7)
    assert len(chat.measure("chat_abandons")) == abandons
    assert chat.measure("handle_time") == []
    assert chat.measure("queue_length") == [(0, 1), (after_ms, -1)]


def test_handle_time_runs_from_the_first_accept_with_the_after_work_and_is_the_last_agents() -> None:
    chat = Chat()
    chat.accept(10 * S)
    chat.add(Transferred(T + 20 * S, "t", "support", None))
    chat.accept(30 * S, "bob")
    chat.end(100 * S, after_work_ms=2_500)
    assert chat.measure("handle_time") == [(100 * S, 92_500)]
    assert chat.measure("handle_time", ("agent", "bob")) == [(100 * S, 92_500)]
    assert chat.measure("handle_time", ("group", "support")) == [(100 * S, 92_500)]
    assert chat.measure("answer_time") == chat.measure("answer_time", ("agent", "ann")) == [(10 * S, 10 * S)]
    assert chat.measure("answer_time", ("group", "sales")) == [(10 * S, 10 * S)]
    assert chat.entity.fold.closed


def test_a_waiting_chat_that_is_transferred_waits_on_in_the_other_queue() -> None:
    chat = Chat()
    chat.add(Transferred(T + 10 * S, "t", "support", None))
    assert chat.measure("queue_length", ("group", "sales")) == [(0, 1), (10 * S, -1)]
    assert chat.measure("queue_length", ("group", "support")) == [(10 * S, 1)]
    assert chat.measure("waiting_chats", ("group", "support")) == [(10 * S, T)]
    chat.accept(20 * S, queue="vip")
    assert chat.measure("answer_time", ("group", "vip")) == [(20 * S, 20 * S)]
    assert chat.measure("queue_length", ("group", "support")) == [(10 * S, 1), (20 * S, -1)]
    assert chat.measure("chats_queued", ("group", "sales")) == [(0, 1)]


def test_an_accept_that_arrives_late_but_was_in_time_takes_the_miss_and_the_abandon_back() -> None:
    chat = Chat()
    chat.leave(2 * X, "abandoned")
    chat.accept(X)
    assert chat.measure("service_level_met") == chat.measure("service_level_offered") == [(X, 1)]
    assert chat.measure("chat_abandons") == chat.measure("abandon_time") == []
    assert chat.problems == ["left_after_accept"]


def test_a_chat_that_was_not_seen_queued_is_held_and_made_right_when_it_is() -> None:
    cut_sets = CutSets()
    entity = Entity(partial(ChatFold, cut_sets, Options()))
    assert entity.apply(Accepted(T + S, "a", "ann", None), T + S) == []
    assert entity.fold.voided
    facts = entity.apply(Queued(T, "q", "sales", "chat", None, None, None), T + S)
    chat = Chat()
    chat.accept(S)
    assert facts is not None
    assert len(facts) == len(chat.facts)


def test_an_accept_before_the_queueing_waited_nothing_and_is_a_problem() -> None:
    chat = Chat()
    chat.accept(-S)
    assert chat.measure("answer_time") == [(-S, 0)]
    assert "queue_length" not in chat.rows()
    assert chat.problems == ["negative_duration"]


def test_what_cannot_be_is_counted_as_a_problem_and_changes_nothing() -> None:
    chat = Chat()
    chat.accept(S)
    chat.end(60 * S)
    before = chat.rows()
    chat.end(70 * S)
    chat.leave(80 * S, "abandoned")
    chat.accept(90 * S, "bob")
    chat.add(Queued(T + 95 * S, "q2", "support", "voice", None, None, None))
    assert chat.rows() == before
    assert chat.problems == ["second_ended", "left_after_accept", "accepted_after_end", "second_queued"]


def test_a_second_queueing_in_the_future_of_an_accept_does_not_miss_the_service_level() -> None:
    chat = Chat()
    chat.add(Queued(T + 2 * X, "q2", "support", "voice", None, None, None))
    chat.accept(S)
    assert chat.measure("service_level_met") == chat.measure("service_level_offered") == [(S, 1)]


def test_a_rating_is_credited_to_the_last_agent_and_a_re_rating_replaces() -> None:
    chat = Chat()
    chat.accept(S)
    chat.accept(2 * S, "bob")
    chat.end(60 * S)
    chat.add(SurveyAnswered(T + 100 * S, "s1", "v", "csat", 5, 1, 5))
    chat.add(SurveyAnswered(T + 200 * S, "s2", "v", "csat", 2, 1, 5))
    for cut in ((), ("agent", "bob")):
        assert chat.measure("csat_answers", cut) == [(100 * S, 1)]
        assert chat.measure("csat_positive", cut) == []
        assert chat.measure("csat_score", cut) == [(100 * S, 2_000_000)]


def held(chat: Chat, cut: tuple[str, ...] = ()) -> list[tuple[int, int]]:
    return chat.measure("chats_in_hand", cut)


def test_a_chat_is_in_its_agents_hand_from_accept_to_end() -> None:
    chat = Chat()
    chat.accept(20 * S)
    chat.end(80 * S)
    for cut in [(), ("agent", "ann"), ("group", "sales")]:
        assert held(chat, cut) == [(20 * S, 1), (80 * S, -1)]
    assert held(chat, ("channel", "chat")) == []


def test_a_chat_handed_to_a_colleague_is_in_that_ones_hand_from_then_on() -> None:
    chat = Chat()
    chat.accept(20 * S)
    chat.add(Transferred(T + 50 * S, "t", None, "bob"))
    chat.end(80 * S)
    assert held(chat, ("agent", "ann")) == [(20 * S, 1), (50 * S, -1)]
    assert held(chat, ("agent", "bob")) == [(50 * S, 1), (80 * S, -1)]
    assert held(chat) == [(20 * S, 1), (80 * S, -1)], "the total runs on"


def test_a_chat_sent_to_another_queue_is_in_no_hand_until_it_is_accepted_there() -> None:
    chat = Chat()
    chat.accept(20 * S)
    chat.add(Transferred(T + 50 * S, "t", "billing", None))
    chat.accept(70 * S, "bob", "billing")
    chat.end(80 * S)
    assert held(chat) == [(20 * S, 1), (50 * S, -1), (70 * S, 1), (80 * S, -1)]
    assert held(chat, ("group", "billing")) == held(chat, ("agent", "bob")) == [(70 * S, 1), (80 * S, -1)]


def test_a_chat_that_nobody_accepts_is_in_no_hand() -> None:
    chat = Chat()
    chat.add(Transferred(T + 10 * S, "t", "billing", "ann"))
    chat.end(80 * S, by="customer")
    assert held(chat) == []


def test_an_accept_that_comes_late_puts_the_chat_in_hand_at_its_own_time() -> None:
    chat = Chat()
    chat.accept(60 * S, "bob")
    chat.end(80 * S)
    chat.accept(20 * S, "ann")
    assert held(chat, ("agent", "ann")) == [(20 * S, 1), (60 * S, -1)]
    assert held(chat) == [(20 * S, 1), (80 * S, -1)]
