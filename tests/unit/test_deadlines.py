"""Single tickets and chats about to breach: what a shard states of them, and what the merge makes of several shards."""

from __future__ import annotations

import pytest

from stream_kpi.deadlines import DEADLINES_KEY, MOST_AHEAD, MOST_MISSED, Deadline, nearest, unpack_deadlines
from stream_kpi.merge import Merge
from stream_kpi.pipeline import Flush
from stream_kpi.running_deadlines import EVERY_MS, MOST_OUTDATED
from stream_kpi.shard import Shard
from stream_kpi.steps import all_of
from tests.shard_kit import (
    CHATS,
    DAY_MS,
    T0_MS,
    TICKETS,
    Topics,
    created,
    event,
    new_shard,
    records,
    reply,
    restored_shard,
    status,
)
from tests.sla_kit import MINUTE_MS, options_of

OPTIONS = options_of(
    """
[[sla]]
name = "work"
channel = ["web"]
resolution = { other = "2h" }

[[sla]]
name = "p"
first_response = { high = "30m", other = "60m" }

[[sla]]
name = "chats"
answer = { other = "2m" }
"""
)


def at(minute: float) -> int:
    return T0_MS + round(minute * MINUTE_MS)


class Desk:
    """A shard, its topics, and what it stated last."""

    def __init__(self) -> None:
        self.shard, self.topics = new_shard(options=OPTIONS), Topics()
        self.offsets = {TICKETS: 0, CHATS: 0}

    def take(self, *values: bytes, topic: str = TICKETS) -> None:
        self.shard.apply(topic, 0, records(*values, first=self.offsets[topic]), at(DAY_MS))
        self.offsets[topic] += len(values)

    def come_to(self, minute: float) -> None:
        self.shard.advance(at(minute))
        self.rest()

    def flush(self) -> Flush | None:
        return self.topics.write(self.shard.flush(caught_up=True))

    def rest(self) -> None:
        """No more events come: flush until there is nothing to say."""
        while self.flush() is not None:
            pass

    def stated(self) -> tuple[Deadline, ...]:
        return unpack_deadlines(self.topics.panes.get(DEADLINES_KEY) or b"\x90")

    def named(self) -> list[tuple[str, float]]:
        return [(one.subject, (one.deadline_ms - T0_MS) / MINUTE_MS) for one in self.stated()]

    def restart(self) -> None:
        self.shard = restored_shard(self.topics, options=OPTIONS)
        self.topics.panes[DEADLINES_KEY] = b"\x90"


@pytest.fixture
def desk() -> Desk:
    return Desk()


def published(now_ms: int, *desks: Desk) -> list[str]:
    merge = Merge(OPTIONS, grace_ms=0)
    for number, desk in enumerate(desks):
        for key, value in desk.topics.panes.items():
            merge.apply(number, key, value)
        merge.apply(number, b"flushed", b"1")
    return [one.subject for one in all_of(merge.publish(now_ms, T0_MS)).deadlines]


def test_a_shard_states_what_is_promised_with_the_ticket_and_its_dimensions(desk: Desk) -> None:
    desk.take(created("T-1", at(0), priority="high", group="billing", category="refund"))
    desk.rest()
    assert desk.stated() == (
        Deadline("ticket", "T-1", "first_response", "p", "high", 30 * MINUTE_MS, at(30), "email", "billing", "refund"),
    )


def test_a_chat_waits_with_its_queue_as_group(desk: Desk) -> None:
    desk.take(event("chat.queued", "C-1", at(0), "q", channel="chat", queue="sales"), topic=CHATS)
    desk.rest()
    (stated,) = desk.stated()
    assert (stated.kind, stated.subject, stated.metric, stated.group) == ("chat", "C-1", "answer", "sales")
    desk.take(event("chat.accepted", "C-1", at(1), "a", agent_id="ann"), topic=CHATS)
    desk.rest()
    assert desk.stated() == ()


def test_the_first_deadline_comes_first_and_an_answer_takes_its_ticket_away(desk: Desk) -> None:
    desk.take(created("late", at(10)), created("soon", at(12), priority="high"))
    desk.rest()
    assert desk.named() == [("soon", 42), ("late", 70)]
    desk.take(reply("soon", at(15)))
    desk.rest()
    assert desk.named() == [("late", 70)]


def test_what_was_missed_stays_behind_what_lies_ahead_until_it_is_answered(desk: Desk) -> None:
    desk.take(created("first", at(0)), created("second", at(1)), created("ahead", at(30)))
    desk.rest()
    desk.come_to(62)
    assert desk.named() == [("ahead", 90), ("second", 61), ("first", 60)]
    desk.take(reply("second", at(63)))
    desk.come_to(64)
    assert desk.named() == [("ahead", 90), ("first", 60)]


def test_a_clock_that_stands_has_no_deadline_and_one_that_goes_on_a_later_one(desk: Desk) -> None:
    desk.take(created("T-1", at(0), channel="web"))
    desk.rest()
    assert desk.named() == [("T-1", 120)]
    desk.take(status("T-1", at(20), "pending"))
    desk.rest()
    assert desk.named() == []
    desk.take(status("T-1", at(50), "open"))
    desk.rest()
    assert desk.named() == [("T-1", 150)]


def test_a_ticket_that_changes_its_group_is_stated_with_the_new_one(desk: Desk) -> None:
    desk.take(created("T-1", at(0), group="billing"))
    desk.rest()
    desk.take(event("ticket.assigned", "T-1", at(2), "a", agent_id="ann", group="sales"), created("T-2", at(2)))
    desk.rest()
    assert [(one.subject, one.group) for one in desk.stated()] == [("T-1", "sales"), ("T-2", "unknown")]


def test_a_retracted_breach_is_stated_no_more(desk: Desk) -> None:
    desk.take(created("T-1", at(0)))
    desk.come_to(70)
    assert desk.named() == [("T-1", 60)]
    desk.take(reply("T-1", at(50)))
    desk.rest()
    assert desk.named() == []


def test_a_shard_restored_elsewhere_states_the_same_again(desk: Desk) -> None:
    desk.take(created("missed", at(0)), created("ahead", at(30)), created("done", at(30)), reply("done", at(31)))
    desk.come_to(62)
    before = desk.stated()
    desk.restart()
    desk.rest()
    assert desk.stated() == before
    assert [one.subject for one in before] == ["ahead", "missed"]


def test_an_owner_that_finds_nothing_running_takes_back_what_the_former_one_stated(desk: Desk) -> None:
    desk.take(created("T-1", at(0)))
    desk.rest()
    del desk.topics.state[b"t:T-1"]
    desk.shard = restored_shard(desk.topics, options=OPTIONS)
    desk.rest()
    assert desk.stated() == ()


def test_a_busy_shard_states_them_once_a_second_of_its_clock_and_an_idle_one_at_once(desk: Desk) -> None:
    desk.shard.advance(at(0))
    desk.take(created("T-1", at(0)))
    desk.flush()
    desk.take(created("T-2", at(0) + EVERY_MS // 2))
    desk.shard.advance(at(0) + EVERY_MS // 2)
    desk.flush()
    assert [one.subject for one in desk.stated()] == ["T-1"]
    flush = desk.flush()
    assert flush is not None
    assert DEADLINES_KEY in dict(flush.panes)
    assert [one.subject for one in desk.stated()] == ["T-1", "T-2"]
    assert desk.flush() is None


def test_a_shard_without_policies_states_nothing() -> None:
    shard, topics = new_shard(), Topics()
    shard.apply(TICKETS, 0, records(created("T-1", at(0))), at(0))
    topics.write(shard.flush(caught_up=True))
    assert DEADLINES_KEY not in topics.panes


def test_a_list_is_bounded_and_missed_ones_push_none_out_that_lies_ahead(desk: Desk) -> None:
    desk.take(*(created(f"M-{n:03}", at(0) + n) for n in range(MOST_MISSED + 5)))
    desk.take(*(created(f"A-{n:03}", at(30) + n) for n in range(MOST_AHEAD + 5)))
    desk.come_to(65)
    names = [one.subject for one in desk.stated()]
    assert names[:MOST_AHEAD] == [f"A-{n:03}" for n in range(MOST_AHEAD)]
    assert names[MOST_AHEAD:] == [f"M-{n:03}" for n in reversed(range(5, MOST_MISSED + 5))]


def test_what_was_answered_before_its_deadline_does_not_pile_up_until_then(desk: Desk) -> None:
    for n in range(4):
        names = [f"T-{n}-{place}" for place in range(400)]
        desk.take(*(created(name, at(0), customer_id=name) for name in names))
        desk.rest()
        desk.take(*(reply(name, at(1)) for name in names))
        desk.rest()
    tickets = next(one for one in desk.shard._deadlines._kinds.values() if one.kind == "ticket")
    assert len(tickets._ahead) + len(tickets._missed) <= MOST_OUTDATED
    assert desk.named() == []


def test_the_merge_lists_those_of_all_shards_and_the_newest_word_of_each_counts(desk: Desk) -> None:
    other = Desk()
    desk.take(created("mine", at(0)), created("mine too", at(20)))
    other.take(created("yours", at(10)))
    desk.rest()
    other.rest()
    assert published(at(30), desk, other) == ["mine", "yours", "mine too"]
    assert published(at(65), desk, other) == ["yours", "mine too", "mine"]
    other.take(reply("yours", at(31)))
    other.rest()
    assert published(at(31), desk, other) == ["mine", "mine too"]


def test_deadlines_are_no_records_of_the_values_topic(desk: Desk) -> None:
    desk.take(created("T-secret", at(0)))
    desk.rest()
    merge = Merge(OPTIONS, grace_ms=0)
    for key, value in desk.topics.panes.items():
        merge.apply(0, key, value)
    publication = all_of(merge.publish(at(1), T0_MS))
    assert [one.subject for one in publication.deadlines] == ["T-secret"]
    assert not any(b"T-secret" in key + (value or b"") for key, value in publication.changed)


def test_equal_deadlines_have_one_order() -> None:
    same = [Deadline("ticket", name, "resolution", "p", None, 1, 5, "c", "g", "k") for name in "cab"]
    assert [one.subject for one in nearest(same, 0)] == ["a", "b", "c"]
    assert [one.subject for one in nearest(same, 5)] == ["a", "b", "c"]


def test_the_shard_asks_only_the_nearest_however_many_run(desk: Desk) -> None:
    desk.take(*(created(f"T-{n:04}", at(0) + n) for n in range(1_000)))
    desk.rest()
    asked = _count_promises(desk.shard)
    desk.take(reply("T-0000", at(1)))
    desk.rest()
    desk.rest()
    assert desk.stated()[0].subject == "T-0001"
    assert len(asked) <= 3, "the one that was answered, and the one that has moved up"


def _count_promises(shard: Shard) -> list[str]:
    """The keys that are asked for their promises from now on."""
    asked: list[str] = []
    entities = shard.entities["ticket"]

    class Counting:
        cold = entities.cold

        def promises(self, key: str) -> object:
            asked.append(key)
            return entities.promises(key)

    for of_kind in shard._deadlines._kinds.values():
        if of_kind.kind == "ticket":
            of_kind.entities = Counting()  # type: ignore[assignment]
    return asked
