"""One partition number's way from records to panes: what is applied, what leaves, what a flush holds."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Sequence
from typing import TypeVar
from zlib import crc32

import msgspec
import pytest

from stream_kpi.entities import MAX_EVENTS, STEP_WAKES
from stream_kpi.events.records import InputRecord, Outgoing
from stream_kpi.events.rekeying import ORIGIN_HEADER, ORIGINAL_KEY_HEADER
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures.registry import BACKLOG, OPEN_TICKETS, TICKETS_CREATED, Measure
from stream_kpi.position import POSITION_KEY, Applied
from stream_kpi.shard import Shard, ShardOptions
from stream_kpi.windows.ages import unpack_ages
from stream_kpi.windows.clock import GlobalClock
from stream_kpi.windows.panes import AGES_KEY, FLUSHED_KEY, PaneKey, unpack_key
from stream_kpi.windows.stating import AGES_EVERY_MS
from stream_kpi.windows.tiers import ALL_TIME, FINE, FRESH
from tests.shard_kit import (
    CHATS,
    CUSTOMERS,
    DAY_MS,
    HOUR_MS,
    LIVE,
    MINUTE_MS,
    REKEYED,
    SLA,
    T0_MS,
    TICKETS,
    TOPICS,
    Record,
    Topics,
    created,
    event,
    new_shard,
    owned_by,
    records,
    reply,
    restored_shard,
    status,
)
from tests.sla_kit import options_of

T = TypeVar("T")
ALL = PaneKey(ALL_TIME.number, 0, ())


def counted(steps: Generator[None, None, T]) -> tuple[T, int]:
    """What the steps come to, and how many they are."""
    for count in itertools.count():
        try:
            next(steps)
        except StopIteration as end:
            return end.value, count
    raise AssertionError


def total(topics: Topics, measure: Measure) -> int:
    return topics.vectors().get(ALL, {}).get(measure.slot, 0)


def headers_of(outgoing: Outgoing) -> dict[str, bytes]:
    return dict(outgoing.headers)


def test_an_event_sent_twice_changes_nothing_and_is_counted() -> None:
    shard, topics = new_shard(), Topics()
    shard.apply(TICKETS, 0, records(created("T", T0_MS), created("T", T0_MS), reply("T", T0_MS + 5)), T0_MS)
    topics.write(shard.flush(caught_up=True))
    once = topics.vectors()
    shard.apply(TICKETS, 0, records(created("T", T0_MS), reply("T", T0_MS + 5), first=3), T0_MS)
    topics.write(shard.flush(caught_up=True))
    assert topics.vectors() == once
    assert total(topics, TICKETS_CREATED) == 1
    assert shard.counts["duplicates",] == 3
    assert shard.counts["events", TICKETS] == 5


def test_unknown_types_are_counted_and_skipped() -> None:
    shard = new_shard()
    shard.apply(TICKETS, 0, records(event("ticket.sneezed", "T", T0_MS, "1"), created("T", T0_MS)), T0_MS)
    flush = shard.flush(caught_up=True)
    assert flush is not None
    assert flush.outgoing == []
    assert shard.counts["unknown_type",] == 1
    assert shard.live_entities()["ticket"] == 1


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"\xff\x00 garbage", b"invalid_json"),
        (created("T", T0_MS)[:40], b"invalid_json"),
        (b"[]", b"invalid_envelope"),
        (event("ticket.created", "T", T0_MS, "1"), b"invalid_data"),
        (None, b"tombstone"),
    ],
)
def test_what_is_no_event_goes_to_the_dead_letter_topic_byte_for_byte_with_the_reason(
    value: bytes | None, reason: bytes
) -> None:
    shard, topics = new_shard(), Topics()
    bad = Record(7, T0_MS + 3, b"\x00key", value, (("trace", b"1"),))
    shard.apply(TICKETS, 0, [Record(6, T0_MS, b"T", created("T", T0_MS)), bad], T0_MS)
    flush = topics.write(shard.flush(caught_up=True))
    assert flush is not None
    (letter,) = flush.outgoing
    assert letter.topic == f"{TICKETS}.dlq"
    assert (letter.key, letter.value, letter.timestamp_ms) == (b"\x00key", value, T0_MS + 3)
    headers = headers_of(letter)
    assert headers["stream_kpi.reason"] == reason
    assert headers["trace"] == b"1"
    assert headers["__connect.errors.topic"] == TICKETS.encode()
    assert headers["__connect.errors.partition"] == b"0"
    assert headers["__connect.errors.offset"] == b"7"
    assert headers["__connect.errors.exception.message"]
    assert shard.counts["rejected", reason.decode()] == 1
    assert total(topics, TICKETS_CREATED) == 1
    assert shard.position[TICKETS, 0].offset == 7


@pytest.mark.parametrize("topic", TOPICS)
def test_what_is_no_event_stops_no_topic(topic: str) -> None:
    shard = new_shard()
    unknown = event("nothing.known", "X", T0_MS, "1")
    shard.apply(topic, 0, records(b"garbage", None, unknown, b"{}"), T0_MS)
    flush = shard.flush(caught_up=True)
    assert flush is not None
    assert [letter.topic for letter in flush.outgoing] == [f"{topic}.dlq"] * 3
    assert shard.counts["unknown_type",] == 1


def test_an_event_from_the_future_is_quarantined_and_does_not_drag_the_clock() -> None:
    shard = new_shard()
    skew_ms = 300_000
    values = (created("A", T0_MS + skew_ms), created("B", T0_MS + skew_ms + 1), created("C", T0_MS + 400 * DAY_MS))
    shard.apply(TICKETS, 0, records(*values), T0_MS)
    flush = shard.flush(caught_up=True)
    assert flush is not None
    assert [headers_of(letter)["stream_kpi.reason"] for letter in flush.outgoing] == [b"future", b"future"]
    assert [letter.value for letter in flush.outgoing] == [*values[1:]]
    shard.advance(None, [TICKETS])
    assert shard.greatest_ms == shard.clock_ms == T0_MS + skew_ms
    assert shard.live_entities()["ticket"] == 1


def test_an_event_for_an_entity_that_has_left_goes_to_the_late_topic_as_it_came() -> None:
    shard, topics = new_shard(), Topics()
    shard.apply(TICKETS, 0, records(created("T", T0_MS), status("T", T0_MS + 1, "solved")), T0_MS)
    shard.advance(T0_MS + 8 * DAY_MS + 2)
    topics.write(shard.flush(caught_up=True))
    before = topics.vectors()
    late = Record(2, T0_MS + 9, b"T", status("T", T0_MS + 1, "open", "late"), (("trace", b"1"),))
    shard.apply(TICKETS, 0, [late], T0_MS)
    flush = topics.write(shard.flush(caught_up=True))
    assert flush is not None
    assert flush.outgoing == [Outgoing(f"{TICKETS}.late", None, b"T", late.value, [("trace", b"1")], T0_MS + 9)]
    assert shard.counts["late",] == 1
    assert topics.vectors() == before
    assert shard.live_entities()["ticket"] == 0


def test_an_event_of_any_age_is_applied_while_its_entity_is_there() -> None:
    shard, topics = new_shard(), Topics()
    shard.apply(TICKETS, 0, records(created("T", T0_MS), created("U", T0_MS + 30 * DAY_MS)), T0_MS + 30 * DAY_MS)
    shard.apply(TICKETS, 0, records(status("T", T0_MS + 1, "solved"), first=2), T0_MS + 30 * DAY_MS)
    topics.write(shard.flush(caught_up=True))
    assert total(topics, BACKLOG) == 1
    assert shard.counts["late",] == 0


def test_nothing_is_late_where_nothing_ever_leaves() -> None:
    shard, topics = new_shard(retention=None), Topics()
    shard.apply(TICKETS, 0, records(created("T", T0_MS), created("U", T0_MS - 3000 * DAY_MS)), 1 << 60)
    topics.write(shard.flush(caught_up=True))
    assert total(topics, TICKETS_CREATED) == 2
    assert not topics.outgoing


def test_a_mis_keyed_record_goes_to_its_owner_through_the_internal_topic_and_is_applied_there() -> None:
    subject = owned_by(1, 2)
    origin, owner, topics = new_shard(0, 2), new_shard(1, 2), Topics()
    record = Record(41, T0_MS + 9, b"wrong", created(subject, T0_MS), (("trace", b"1"),))
    origin.apply(TICKETS, 0, [record], T0_MS)
    flush = origin.flush(caught_up=True)
    assert flush is not None
    (sent,) = flush.outgoing
    assert (sent.topic, sent.partition, sent.key, sent.value) == (REKEYED, 1, subject.encode(), record.value)
    assert sent.timestamp_ms == T0_MS + 9
    assert sent.headers == [
        ("trace", b"1"),
        (ORIGIN_HEADER, f"{TICKETS}/0/41".encode()),
        (ORIGINAL_KEY_HEADER, b"=wrong"),
    ]
    assert origin.counts["rekeyed",] == 1
    assert origin.live_entities()["ticket"] == 0

    arrived = Record(3, T0_MS + 9, sent.key, sent.value, tuple(sent.headers))
    owner.apply(REKEYED, 1, [arrived], T0_MS)
    topics.write(owner.flush(caught_up=True))
    assert total(topics, TICKETS_CREATED) == 1
    assert owner.position == {(REKEYED, 1): Applied(3, T0_MS + 9, crc32(record.value or b""))}


def test_a_re_keyed_record_is_read_by_the_contract_of_the_topic_that_it_came_from() -> None:
    shard, topics = new_shard(0, 2), Topics()
    queued = event("chat.queued", owned_by(0, 2), T0_MS, "1", queue="sales")
    origin = ((ORIGIN_HEADER, f"{CHATS}/1/5".encode()), (ORIGINAL_KEY_HEADER, b""))
    shard.apply(REKEYED, 0, [Record(0, T0_MS, b"k", queued, origin)], T0_MS)
    topics.write(shard.flush(caught_up=True))
    assert shard.live_entities()["chat"] == 1
    assert not topics.outgoing


def test_a_re_keyed_record_is_never_sent_on_even_if_the_partitioner_disagrees() -> None:
    shard = new_shard(0, 2)
    origin = ((ORIGIN_HEADER, f"{TICKETS}/1/5".encode()), (ORIGINAL_KEY_HEADER, b""))
    shard.apply(REKEYED, 0, [Record(0, T0_MS, b"k", created(owned_by(1, 2), T0_MS), origin)], T0_MS)
    flush = shard.flush(caught_up=True)
    assert flush is not None
    assert flush.outgoing == []
    assert shard.live_entities()["ticket"] == 1


def test_records_at_or_below_the_applied_position_are_passed_over() -> None:
    shard, topics = new_shard(), Topics()
    batch = records(created("T", T0_MS), b"garbage", created("U", T0_MS))
    shard.apply(TICKETS, 0, batch[:2], T0_MS)
    topics.write(shard.flush(caught_up=True))
    shard.apply(TICKETS, 0, batch[:2], T0_MS)
    assert shard.flush(caught_up=True) is None
    shard.apply(TICKETS, 0, batch, T0_MS)
    topics.write(shard.flush(caught_up=True))
    assert total(topics, TICKETS_CREATED) == 2
    assert len(topics.outgoing) == 1
    assert shard.counts["events", TICKETS] == 3


def test_positions_of_several_inputs_are_kept_apart() -> None:
    shard = new_shard()
    shard.apply(TICKETS, 0, records(created("T", T0_MS), first=9), T0_MS)
    shard.apply(CHATS, 0, records(event("chat.queued", "C", T0_MS, "1", queue="q"), first=2), T0_MS)
    assert {place: at.offset for place, at in shard.position.items()} == {(TICKETS, 0): 9, (CHATS, 0): 2}
    live = shard.live_entities()
    assert {kind: count for kind, count in live.items() if count} == {"ticket": 1, "chat": 1}
    assert {"customer", "agent"} <= live.keys()


def test_a_flush_holds_the_position_and_the_identity_of_the_last_record() -> None:
    shard, topics = new_shard(0, 3), Topics()
    subject = owned_by(0, 3)
    shard.apply(TICKETS, 0, records(b"x", created(subject, T0_MS), first=5, at_ms=T0_MS + 7), T0_MS)
    shard.advance(T0_MS)
    flush = topics.write(shard.flush(caught_up=False))
    assert flush is not None
    assert POSITION_KEY in dict(flush.state)
    again = restored_shard(topics)
    assert again.position == {(TICKETS, 0): Applied(6, T0_MS + 7, crc32(created(subject, T0_MS)))}
    assert again.shards == 3
    assert (again.greatest_ms, again.first_ms, again.clock_ms) == (T0_MS, T0_MS, T0_MS)


def test_a_flush_says_the_shards_clock() -> None:
    shard, clock = new_shard(2, 3), GlobalClock()
    subject = owned_by(2, 3)
    shard.apply(TICKETS, 2, records(created(subject, T0_MS), reply(subject, T0_MS - MINUTE_MS)), T0_MS)
    shard.advance(T0_MS)
    flush = shard.flush(caught_up=False)
    assert flush is not None
    clock.update(*flush.clock)
    ((number, said),) = clock.shards.items()
    assert (number, said.greatest_ms, said.first_ms, said.caught_up) == (2, T0_MS, T0_MS - MINUTE_MS, False)


def test_there_is_no_flush_when_nothing_has_changed() -> None:
    shard = new_shard()
    assert shard.flush(caught_up=False) is not None
    assert shard.flush(caught_up=False) is None
    assert shard.flush(caught_up=True) is not None, "that it has caught up is news"
    shard.apply(TICKETS, 0, [], T0_MS)
    assert shard.flush(caught_up=True) is None
    shard.apply(TICKETS, 0, records(b"garbage"), T0_MS)
    assert shard.flush(caught_up=True) is not None, "the position and the dead letter are news"
    shard.advance(T0_MS)
    assert shard.flush(caught_up=True) is None


def test_a_flush_holds_only_what_has_changed_since_the_last() -> None:
    shard = new_shard()
    shard.apply(TICKETS, 0, records(created("A", T0_MS), created("B", T0_MS, channel="web")), T0_MS)
    shard.flush(caught_up=True)
    shard.apply(TICKETS, 0, records(reply("B", T0_MS + HOUR_MS), first=2), T0_MS + HOUR_MS)
    flush = shard.flush(caught_up=True)
    assert flush is not None
    assert {key for key, _ in flush.state} == {b"t:B", POSITION_KEY}
    cuts = {unpack_key(key).cut for key, _ in flush.panes if key not in (AGES_KEY, FLUSHED_KEY)}
    assert ("channel", "web") in cuts
    assert ("channel", "email") not in cuts


def test_due_moments_come_with_the_clock_and_once() -> None:
    shard, topics = new_shard(), Topics()
    band = PaneKey(ALL_TIME.number, 0, ("age_band", "1-4h"))
    shard.apply(TICKETS, 0, records(created("T", T0_MS)), T0_MS)
    shard.advance(T0_MS + HOUR_MS - 1)
    topics.write(shard.flush(caught_up=True))
    assert band not in topics.vectors()
    shard.advance(T0_MS + HOUR_MS)
    topics.write(shard.flush(caught_up=True))
    assert topics.vectors()[band] == {BACKLOG.slot: 1}
    shard.advance(T0_MS + 2 * HOUR_MS)
    shard.advance(T0_MS + 90 * MINUTE_MS)
    topics.write(shard.flush(caught_up=True))
    assert topics.vectors()[band] == {BACKLOG.slot: 1}
    assert shard.clock_ms == T0_MS + 2 * HOUR_MS, "the clock never goes back"


def test_an_idle_shard_states_its_sets_that_age_every_few_seconds_and_no_more_when_they_are_empty() -> None:
    shard, topics = new_shard(), Topics()
    shard.apply(TICKETS, 0, records(created("T", T0_MS)), T0_MS)
    shard.advance(T0_MS)
    topics.write(shard.flush(caught_up=True))
    shard.advance(T0_MS + AGES_EVERY_MS - 1)
    assert shard.flush(caught_up=True) is None
    shard.advance(T0_MS + AGES_EVERY_MS)
    flush = shard.flush(caught_up=True)
    assert flush is not None
    assert [key for key, _ in flush.panes] == [AGES_KEY, FLUSHED_KEY]
    shard.apply(TICKETS, 0, records(status("T", T0_MS + 6_000, "spam"), first=1), T0_MS + 6_000)
    topics.write(shard.flush(caught_up=True))
    flush = shard.flush(caught_up=True)
    assert flush is not None
    assert AGES_KEY in dict(flush.panes)
    shard.advance(T0_MS + HOUR_MS)
    assert shard.flush(caught_up=True) is None


def test_a_busy_shard_states_its_sets_that_age_every_two_seconds_and_as_they_stand_once_no_record_comes() -> None:
    shard, stated = new_shard(), []
    for number in range(8):
        time_ms = T0_MS + number * 500
        shard.apply(TICKETS, 0, records(created(f"T{number}", time_ms), first=number), time_ms)
        shard.advance(time_ms)
        stated.append(shard.flush(caught_up=True))
    stated += [shard.flush(caught_up=True), shard.flush(caught_up=True)]
    counts = [
        None if flush is None or AGES_KEY not in dict(flush.panes) else open_tickets(dict(flush.panes)[AGES_KEY])
        for flush in stated
    ]
    assert counts == [1, None, None, None, 5, None, None, None, 8, None]


def open_tickets(stated: bytes | None) -> int:
    assert stated is not None
    return unpack_ages(stated)[OPEN_TICKETS.number][()].count


def test_an_entity_with_its_fill_of_events_is_refused_more_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert MAX_EVENTS == 10_000
    monkeypatch.setattr("stream_kpi.entities.MAX_EVENTS", 3)
    shard, topics = new_shard(), Topics()
    fill = [created("T", T0_MS), *(reply("T", T0_MS + n) for n in (1, 2, 3))]
    shard.apply(TICKETS, 0, records(*fill, created("U", T0_MS + 9)), T0_MS)
    topics.write(shard.flush(caught_up=True))
    (letter,) = topics.outgoing
    assert letter.value == fill[3]
    assert headers_of(letter)["stream_kpi.reason"] == b"entity_too_large"
    assert total(topics, TICKETS_CREATED) == 2
    shard.apply(TICKETS, 0, records(fill[1], first=5), T0_MS)
    topics.write(shard.flush(caught_up=True))
    assert len(topics.outgoing) == 1, "a duplicate changes nothing, full or not"


def feed(shard: Shard, topics: Topics, batches: Sequence[Sequence[InputRecord]]) -> None:
    for batch in batches:
        shard.apply(TICKETS, 0, batch, T0_MS + 60 * DAY_MS)
        shard.advance(shard.greatest_ms or 0)
        topics.write(shard.flush(caught_up=False))


def life(subject: str, at_ms: int) -> list[bytes]:
    return [
        created(subject, at_ms),
        reply(subject, at_ms + 10 * MINUTE_MS),
        status(subject, at_ms + HOUR_MS, "solved"),
        status(subject, at_ms + 5 * HOUR_MS, "open"),
    ]


def test_a_shard_restored_from_the_flushes_of_any_prefix_goes_on_exactly() -> None:
    values = [value for n in range(6) for value in life(f"T-{n}", T0_MS + n * 3 * DAY_MS)]
    values += [status("T-0", T0_MS + 2 * HOUR_MS, "pending", "late one"), created("T-1", 3 * DAY_MS + T0_MS)]
    batch_of = [records(value, first=place) for place, value in enumerate(values)]
    whole, whole_topics = new_shard(), Topics()
    feed(whole, whole_topics, batch_of)
    for prefix in range(len(batch_of) + 1):
        topics = Topics()
        feed(new_shard(), topics, batch_of[:prefix])
        feed(restored_shard(topics), topics, batch_of[max(prefix - 2, 0) :])
        assert topics.vectors() == whole_topics.vectors()
        assert topics.state == whole_topics.state
        assert topics.panes[AGES_KEY] == whole_topics.panes[AGES_KEY]


def test_panes_past_their_tiers_retention_leave_with_a_tombstone() -> None:
    shard, topics = new_shard(), Topics()
    shard.apply(TICKETS, 0, records(created("T", T0_MS)), T0_MS)
    topics.write(shard.flush(caught_up=True))
    assert PaneKey(FINE.number, T0_MS, ()) in topics.vectors()
    shard.apply(TICKETS, 0, records(created("U", T0_MS + 106 * MINUTE_MS), first=1), T0_MS + 106 * MINUTE_MS)
    shard.advance(T0_MS + 106 * MINUTE_MS)
    topics.write(shard.flush(caught_up=True))
    assert PaneKey(FINE.number, T0_MS, ()) not in topics.vectors()
    assert total(topics, TICKETS_CREATED) == 2


def test_a_topic_read_ahead_of_another_does_not_bring_the_deadlines_of_the_others_entities() -> None:
    shard, topics = new_shard(), Topics()
    shard.apply(TICKETS, 0, records(created("T", T0_MS + DAY_MS)), T0_MS + DAY_MS)
    shard.advance(T0_MS + DAY_MS, [TICKETS, CHATS])
    assert shard.clock_ms < T0_MS, "of chats nothing is known"
    queued = event("chat.queued", "C", T0_MS, "q", queue="phone")
    shard.apply(CHATS, 0, records(queued), T0_MS + DAY_MS)
    shard.advance(T0_MS + DAY_MS, [TICKETS, CHATS])
    assert shard.clock_ms == T0_MS
    shard.advance(None, [TICKETS])
    assert shard.clock_ms == T0_MS + DAY_MS
    shard.advance(None)
    assert shard.clock_ms == T0_MS + DAY_MS
    topics.write(shard.flush(caught_up=True))


def test_the_deadlines_of_a_ticket_wait_for_no_topic_but_its_own_and_that_of_mis_keyed_records() -> None:
    def told(unread: list[str]) -> list[str]:
        shard = new_shard(options=options_of('[[sla]]\nname = "p"\nresolution = { other = "30m" }'))
        shard.apply(TICKETS, 0, records(created("T", T0_MS)), T0_MS)
        shard.advance(T0_MS + HOUR_MS, unread)
        flush = shard.flush(caught_up=False)
        assert flush is not None
        return [msgspec.json.decode(out.value or b"")["type"] for out in flush.outgoing if out.topic == SLA]

    assert told([CHATS, CUSTOMERS])[-1] == "sla.breached"
    assert told([TICKETS]) == told([REKEYED]) == ["sla.started"]


@pytest.mark.parametrize("key", [None, b"", b"wrong"])
def test_a_re_keyed_record_that_its_owner_refuses_is_a_dead_letter_as_it_first_came(key: bytes | None) -> None:
    subject = owned_by(1, 2)
    first, owner = new_shard(0, 2), new_shard(1, 2)
    ahead_ms = T0_MS + 400 * DAY_MS
    record = Record(41, T0_MS + 9, key, created(subject, ahead_ms), (("trace", b"1"),))
    first.apply(TICKETS, 0, [record], ahead_ms)
    flush = first.flush(caught_up=True)
    assert flush is not None
    (sent,) = flush.outgoing
    owner.apply(REKEYED, 1, [Record(3, T0_MS + 9, sent.key, sent.value, tuple(sent.headers))], T0_MS)
    flush = owner.flush(caught_up=True)
    assert flush is not None
    (letter,) = flush.outgoing
    headers = headers_of(letter)
    assert (letter.topic, letter.key, letter.value) == (f"{TICKETS}.dlq", key, record.value)
    assert headers["__connect.errors.offset"] == b"41"
    assert not {ORIGIN_HEADER, ORIGINAL_KEY_HEADER} & headers.keys()


def test_dimension_values_without_end_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stream_kpi.shard.MAX_CUT_SETS", 20)
    shard, topics = new_shard(), Topics()
    for number in range(30):
        values = [created(f"T{number}", T0_MS + number, category=f"c{number}")]
        if number:
            values.append(status(f"T{number - 1}", T0_MS + number, "solved"))
        shard.apply(TICKETS, 0, records(*values, first=2 * number), T0_MS + number)
        shard.advance(T0_MS + number)
        topics.write(shard.flush(caught_up=True))
    topics.write(shard.flush(caught_up=True))
    assert len(shard._cut_sets.groups) < 60
    assert total(topics, TICKETS_CREATED) == 30
    assert total(topics, BACKLOG) == 1
    stated = topics.panes[AGES_KEY]
    assert stated is not None
    members = unpack_ages(stated)[OPEN_TICKETS.number][()]
    assert (members.count, members.start_sum_ms) == (1, T0_MS + 29)


def test_a_flush_of_many_panes_is_put_together_in_as_many_steps() -> None:
    shard = new_shard()
    times_ms = [T0_MS + hours * HOUR_MS for hours in range(100)]
    shard.apply(TICKETS, 0, records(*(created(f"T{ms}", ms) for ms in times_ms)), times_ms[-1])
    flush, steps = counted(shard.flush_steps(caught_up=True))
    assert flush is not None
    places = {unpack_key(key)[:2] for key, _ in flush.panes if key not in (AGES_KEY, FLUSHED_KEY)}
    assert len(places) > 200
    assert steps >= 2 * len(places), "one for each to come, one to go"


def test_a_clock_that_passes_many_deadlines_lets_a_few_of_them_come_at_a_time() -> None:
    shard = new_shard()
    tickets = [created(f"T{number}", T0_MS) for number in range(5 * STEP_WAKES)]
    shard.apply(TICKETS, 0, records(*tickets), T0_MS)
    assert sum(1 for _ in shard.advance_steps(T0_MS + 1000 * DAY_MS, ())) >= 5
    assert shard.live_entities()["ticket"] == 0


def test_a_busy_shard_writes_its_tiers_every_few_seconds_and_once_no_record_comes() -> None:
    shard = Shard(0, 1, ShardOptions(options=Options(), topics=TOPICS, retention=LIVE))
    tiers_written: list[set[int]] = []
    for number in range(12):
        time_ms = T0_MS + number * 1_000
        shard.apply(TICKETS, 0, records(created(f"T{number}", time_ms), first=number), time_ms)
        shard.advance(time_ms)
        flush = shard.flush(caught_up=True)
        assert flush is not None
        keys = [key for key, value in flush.panes if value is not None and key not in (AGES_KEY, FLUSHED_KEY)]
        tiers_written.append({unpack_key(key).tier for key in keys})
    assert [FRESH in tiers for tiers in tiers_written] == [False, *[True] * 9, False, True]
    last = shard.flush(caught_up=True)
    assert last is not None
    assert last.tier_panes == sum(key not in (AGES_KEY, FLUSHED_KEY) for key, _ in last.panes)
    assert shard.flush(caught_up=True) is None
