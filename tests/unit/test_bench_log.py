"""The bench's log."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import msgspec
import pytest

from stream_kpi.bench.log import EVENTS_PER_S, START_MS, LogRecord, log
from stream_kpi.events.decode import decode
from stream_kpi.events.partitioner import murmur2
from stream_kpi.events.topics import TopicKind

EVENTS = 20_000


@pytest.fixture(scope="module")
def records() -> list[LogRecord]:
    return list(log(EVENTS))


def test_the_log_is_as_long_as_asked_and_always_the_same(records: list[LogRecord]) -> None:
    assert len(records) == EVENTS
    assert list(log(EVENTS)) == records
    assert list(log(EVENTS, seed=2)) != records


def test_every_event_is_accepted_by_the_decoder_of_its_topic(records: list[LogRecord]) -> None:
    for record in records:
        event, time_ms = decode(record.kind, record.value, (), -1)
        assert (event.subject.encode(), time_ms) == (record.key, record.time_ms)


def test_topics_have_their_shares(records: list[LogRecord]) -> None:
    shares = Counter(record.kind for record in records)
    assert shares[TopicKind.TICKET] / EVENTS == pytest.approx(0.6, abs=0.02)
    assert shares[TopicKind.CHAT] / EVENTS == pytest.approx(0.3, abs=0.02)
    assert shares[TopicKind.SUBSCRIPTION] / EVENTS == pytest.approx(0.1, abs=0.02)


def test_records_are_on_the_partition_of_their_key_and_partitions_share_the_work(records: list[LogRecord]) -> None:
    assert all((murmur2(record.key) & 0x7FFFFFFF) % 4 == record.partition for record in records)
    counts = Counter((record.kind, record.partition) for record in records)
    assert len(counts) == 12
    for kind in {record.kind for record in records}:
        per_partition = [counts[kind, partition] for partition in range(4)]
        assert max(per_partition) < 1.5 * min(per_partition)


def test_time_runs_at_twenty_thousand_events_a_second(records: list[LogRecord]) -> None:
    assert all(record.time_ms == START_MS + number * 1_000 // EVENTS_PER_S for number, record in enumerate(records))


def test_ids_are_unique(records: list[LogRecord]) -> None:
    assert len({msgspec.json.decode(record.value)["id"] for record in records}) == EVENTS


def test_an_entity_begins_at_its_beginning_and_its_events_are_spread_over_the_log(records: list[LogRecord]) -> None:
    types: dict[bytes, list[str]] = defaultdict(list)
    places: dict[bytes, list[int]] = defaultdict(list)
    for place, record in enumerate(records):
        if record.kind is not TopicKind.SUBSCRIPTION:
            types[record.key].append(msgspec.json.decode(record.value)["type"])
            places[record.key].append(place)
    assert {seen[0] for seen in types.values()} == {"ticket.created", "chat.queued"}
    gaps = [later - earlier for seen in places.values() for earlier, later in pairwise(seen)]
    assert sum(gaps) / len(gaps) > 100


def test_the_log_has_the_dimensions_of_a_large_team(records: list[LogRecord]) -> None:
    values: dict[str, set[str]] = defaultdict(set)
    for record in records:
        event = msgspec.json.decode(record.value)
        if event["type"] in ("ticket.created", "ticket.assigned"):
            for name, value in event["data"].items():
                values[name].add(value)
    wanted = {"channel": 6, "priority": 4, "category": 20, "group": 10, "brand": 3, "agent_id": 100}
    assert {name: len(values[name]) for name in wanted} == wanted
