"""An event reaches every entity that it is about, whatever partition it lies on, and each of them once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest

from stream_kpi import entities as entities_module
from stream_kpi.events.records import Outgoing
from stream_kpi.events.rekeying import LARGEST_SENT_ON_BYTES, ORIGIN_HEADER, ORIGINAL_KEY_HEADER
from stream_kpi.events.signals import ActivityPerformed
from stream_kpi.events.topics import TopicKind
from stream_kpi.lifecycles.chat.events import Queued
from stream_kpi.lifecycles.ticket.events import Created
from stream_kpi.measures.registry import CHATS_QUEUED, TICKETS_CREATED, Measure
from stream_kpi.pipeline import ROUTES, Route
from stream_kpi.shard import Shard
from tests.shard_kit import (
    CHATS,
    DAY_MS,
    REKEYED,
    T0_MS,
    TICKETS,
    Record,
    Topics,
    created,
    event,
    new_shard,
    owned_by,
    records,
)

SIGNALS = TopicKind.SIGNAL.default_topic


def as_ticket(event: ActivityPerformed, time_ms: int) -> Created | None:
    if event.data.action == "of no use":
        return None
    return Created(time_ms, f"{event.id}\0{event.source}", "email", None, None, None, None, "customer")


def as_chat(event: ActivityPerformed, time_ms: int) -> Queued:
    return Queued(time_ms, f"{event.id}\0{event.source}", "q", "chat", None, None, None)


@pytest.fixture(autouse=True)
def _an_event_of_two_entities() -> Iterator[None]:
    """For these tests activity opens a ticket by user and queues a chat by visitor."""
    routes: tuple[Route, ...] = (
        Route("ticket", lambda event: event.data.user_id, as_ticket),
        Route("chat", lambda event: event.data.visitor_id, as_chat),
    )
    with patch.dict(ROUTES, {ActivityPerformed: routes}):
        yield


def activity(user: str, visitor: str | None, time_ms: int = T0_MS, uid: str = "1", action: str = "login") -> bytes:
    data: dict[str, Any] = {"user_id": user, "action": action}
    if visitor is not None:
        data["visitor_id"] = visitor
    return event("activity.performed", "whatever", time_ms, uid, **data)


def counted(topics: Topics, measure: Measure) -> int:
    return sum(
        vector.get(measure.slot, 0) for key, vector in topics.vectors().items() if key.tier == 4 and key.cut == ()
    )


def written(shard: Shard, topics: Topics) -> list[Outgoing]:
    flush = topics.write(shard.flush(caught_up=True))
    return [] if flush is None else flush.outgoing


def arrived(*outgoing: Outgoing, first: int = 0) -> list[Record]:
    return [
        Record(first + place, sent.timestamp_ms or 0, sent.key, sent.value, tuple(sent.headers))
        for place, sent in enumerate(outgoing)
    ]


def test_an_event_of_two_entities_of_one_shard_reaches_both() -> None:
    shard, topics = new_shard(), Topics()
    shard.apply(SIGNALS, 0, records(activity("u", "v")), T0_MS)
    assert written(shard, topics) == []
    assert (counted(topics, TICKETS_CREATED), counted(topics, CHATS_QUEUED)) == (1, 1)
    assert topics.entities() == {b"t:u", b"c:v"}


def test_an_event_that_names_only_one_of_its_entities_goes_to_that_one() -> None:
    shard, topics = new_shard(0, 3), Topics()
    shard.apply(SIGNALS, 0, records(activity(owned_by(0, 3), None)), T0_MS)
    assert written(shard, topics) == []
    assert topics.entities() == {b"t:" + owned_by(0, 3).encode()}


def test_what_another_shard_owns_is_sent_on_and_the_rest_applied_where_the_record_lies() -> None:
    reader, owner, of_reader, of_owner = new_shard(0, 2), new_shard(1, 2), Topics(), Topics()
    value = activity(owned_by(0, 2), owned_by(1, 2))
    reader.apply(SIGNALS, 0, [Record(41, T0_MS + 9, b"whatever", value, (("trace", b"1"),))], T0_MS)
    (sent,) = written(reader, of_reader)
    assert (sent.topic, sent.partition, sent.key, sent.value) == (REKEYED, 1, owned_by(1, 2).encode(), value)
    assert sent.headers == [
        ("trace", b"1"),
        (ORIGIN_HEADER, f"{SIGNALS}/0/41".encode()),
        (ORIGINAL_KEY_HEADER, b"=whatever"),
    ]
    assert reader.counts["rekeyed",] == 1
    owner.apply(REKEYED, 1, arrived(sent), T0_MS)
    assert written(owner, of_owner) == [], "a record is sent on once"
    assert of_reader.entities() == {b"t:" + owned_by(0, 2).encode()}
    assert of_owner.entities() == {b"c:" + owned_by(1, 2).encode()}


def test_an_event_of_two_other_shards_goes_to_both_and_leaves_no_trace_where_it_lay() -> None:
    reader, topics = new_shard(0, 3), Topics()
    reader.apply(SIGNALS, 0, records(activity(owned_by(1, 3), owned_by(2, 3), T0_MS + 5)), T0_MS)
    assert sorted(str(sent.partition) for sent in written(reader, topics)) == ["1", "2"]
    assert topics.entities() == set()
    assert reader.greatest_ms is None, "it is no event of this shard's time"


def test_an_event_of_two_entities_of_one_other_shard_is_sent_there_once() -> None:
    reader, owner, topics = new_shard(0, 2), new_shard(1, 2), Topics()
    key = owned_by(1, 2)
    reader.apply(SIGNALS, 0, records(activity(key, key)), T0_MS)
    (sent,) = written(reader, Topics())
    owner.apply(REKEYED, 1, arrived(sent), T0_MS)
    written(owner, topics)
    assert topics.entities() == {b"t:" + key.encode(), b"c:" + key.encode()}


@pytest.mark.parametrize("partition", [0, 1, 2])
def test_there_is_one_entity_a_key_whatever_partition_its_events_come_on(partition: int) -> None:
    user, visitor = owned_by(1, 3), owned_by(2, 3)
    shards, kept = [new_shard(number, 3) for number in range(3)], [Topics() for _ in range(3)]
    shards[partition].apply(SIGNALS, partition, records(activity(user, visitor), activity(user, visitor)), T0_MS)
    offsets = [0, 0, 0]
    for sent in written(shards[partition], kept[partition]):
        assert sent.partition is not None
        shards[sent.partition].apply(REKEYED, sent.partition, arrived(sent, first=offsets[sent.partition]), T0_MS)
        offsets[sent.partition] += 1
    for shard, topics in zip(shards, kept, strict=True):
        written(shard, topics)
    assert [topics.entities() for topics in kept] == [set(), {b"t:" + user.encode()}, {b"c:" + visitor.encode()}]
    assert sum(counted(topics, TICKETS_CREATED) for topics in kept) == 1
    assert sum(counted(topics, CHATS_QUEUED) for topics in kept) == 1
    assert sum(shard.counts["duplicates",] for shard in shards) == 2, "each of its entities tells a duplicate itself"


def test_a_record_sent_on_is_applied_only_to_what_the_shard_owns() -> None:
    shard, topics = new_shard(1, 3), Topics()
    origin = ((ORIGIN_HEADER, f"{SIGNALS}/0/5".encode()), (ORIGINAL_KEY_HEADER, b""))
    value = activity(owned_by(1, 3), owned_by(2, 3))
    shard.apply(REKEYED, 1, [Record(0, T0_MS, b"k", value, origin)], T0_MS)
    assert written(shard, topics) == []
    assert topics.entities() == {b"t:" + owned_by(1, 3).encode()}


def test_an_event_that_its_entities_do_not_need_is_sent_nowhere() -> None:
    shard, topics = new_shard(0, 2), Topics()
    shard.apply(SIGNALS, 0, records(activity(owned_by(1, 2), None, action="of no use")), T0_MS)
    shard.apply(CHATS, 0, records(event("chat.message", owned_by(1, 2), T0_MS, "2", author="bot")), T0_MS)
    assert written(shard, topics) == []
    assert topics.entities() == set()
    assert shard.greatest_ms == T0_MS


def test_an_event_is_late_for_the_entity_that_has_left_and_reaches_the_one_that_is_there() -> None:
    shard, topics = new_shard(), Topics()
    shard.apply(TICKETS, 0, records(created("u", T0_MS)), T0_MS)
    shard.advance(T0_MS + 9 * DAY_MS)
    late = Record(2, T0_MS + 9, b"k", activity("u", "v", T0_MS + 1), (("trace", b"1"),))
    shard.apply(SIGNALS, 0, [late], T0_MS)
    assert written(shard, topics) == [Outgoing(f"{SIGNALS}.late", None, b"k", late.value, [("trace", b"1")], T0_MS + 9)]
    assert shard.counts["late",] == 1
    assert topics.entities() == {b"t:u", b"r:c"}
    assert shard.greatest_ms == T0_MS + 1


@pytest.mark.parametrize("more", [0, 1])
def test_a_record_that_would_have_to_be_cut_to_be_sent_on_is_refused_once(more: int) -> None:
    shard, topics = new_shard(0, 3), Topics()
    value = activity(owned_by(1, 3), owned_by(2, 3))
    room = LARGEST_SENT_ON_BYTES - len(value) - len(b"k") - len("padding")
    padding = ("padding", b"x" * (room + more))
    shard.apply(SIGNALS, 0, [Record(0, T0_MS, b"k", value, (padding,))], T0_MS)
    assert [sent.topic for sent in written(shard, topics)] == ([f"{SIGNALS}.dlq"] if more else [REKEYED] * 2)
    assert (shard.counts["rejected", "record_too_large"], shard.counts["rekeyed",]) == ((1, 0) if more else (0, 2))


def test_an_event_for_an_entity_that_has_its_fill_is_refused_once_and_reaches_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(entities_module, "MAX_EVENTS", 1)
    shard, topics = new_shard(), Topics()
    shard.apply(TICKETS, 0, records(created("u", T0_MS)), T0_MS)
    shard.apply(CHATS, 0, records(event("chat.queued", "w", T0_MS, "0", queue="q")), T0_MS)
    shard.apply(SIGNALS, 0, records(activity("u", "v"), activity("u", "w", uid="2")), T0_MS)
    assert [sent.topic for sent in written(shard, topics)] == [f"{SIGNALS}.dlq"] * 2
    assert shard.counts["rejected", "entity_too_large"] == 2
    assert topics.entities() == {b"t:u", b"r:c", b"c:v", b"c:w"}
