"""What a shard tells of service levels: each step once, with the state that it comes from; and what was wrong."""

from __future__ import annotations

from typing import Any

import jsonschema
import msgspec

from stream_kpi.contracts.outputs import OUTPUT_SCHEMAS
from stream_kpi.lifecycles.options import Options
from stream_kpi.settings import Settings
from stream_kpi.shard import Shard
from stream_kpi.topics import Partitions, all_topics
from tests.shard_kit import SLA, T0_MS, TICKETS, Topics, created, new_shard, records, reply, restored_shard, status
from tests.sla_kit import MINUTE_MS, options_of

OPTIONS = options_of(
    """
[[sla]]
name = "p"
at_risk = ["15m"]
first_response = { high = "30m", other = "60m" }
"""
)


def at(minute: float) -> int:
    return T0_MS + round(minute * MINUTE_MS)


def told(topics: Topics) -> list[dict[str, Any]]:
    """The events of the topic, each as the schema says; none is left there."""
    found = []
    for out in topics.outgoing:
        assert (out.topic, out.partition, dict(out.headers)["content-type"]) == (
            SLA,
            None,
            b"application/cloudevents+json",
        )
        event = msgspec.json.decode(out.value or b"")
        jsonschema.Draft202012Validator(OUTPUT_SCHEMAS["sla.event"]).validate(event)
        assert out.key == event["subject"].encode()
        found.append(event)
    topics.outgoing.clear()
    return found


def flushed(shard: Shard, topics: Topics) -> list[dict[str, Any]]:
    topics.write(shard.flush(caught_up=True))
    return told(topics)


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


def test_a_breach_is_told_at_its_deadline_even_when_nothing_arrives() -> None:
    shard, topics = new_shard(options=OPTIONS), Topics()
    shard.apply(TICKETS, 0, records(created("A", at(0), priority="low")), at(0))
    (started,) = flushed(shard, topics)
    assert started["type"] == "sla.started"
    assert started["data"] == {
        "metric": "first_response",
        "policy": "p",
        "instance": "2026-03-02T10:00:00.000Z",
        "priority": "low",
        "started_at": "2026-03-02T10:00:00.000Z",
        "deadline": "2026-03-02T11:00:00.000Z",
    }
    shard.advance(at(45))
    (at_risk,) = flushed(shard, topics)
    assert (at_risk["type"], at_risk["time"], at_risk["data"]["horizon_s"]) == (
        "sla.at_risk",
        "2026-03-02T10:45:00.000Z",
        900,
    )
    shard.advance(at(60) - 1)
    assert flushed(shard, topics) == []
    shard.advance(at(60))
    (breached,) = flushed(shard, topics)
    assert (breached["type"], breached["time"]) == ("sla.breached", "2026-03-02T11:00:00.000Z")


def test_a_late_fulfilment_says_by_how_much() -> None:
    shard, topics = new_shard(options=OPTIONS), Topics()
    shard.apply(TICKETS, 0, records(created("A", at(0)), reply("A", at(61.5))), at(62))
    events = flushed(shard, topics)
    assert types(events) == ["sla.started", "sla.at_risk", "sla.breached", "sla.fulfilled"]
    assert events[-1]["data"]["late_by_s"] == 90


def test_a_breach_that_never_was_is_retracted_by_its_id() -> None:
    shard, topics = new_shard(options=OPTIONS), Topics()
    shard.apply(TICKETS, 0, records(created("A", at(0))), at(0))
    shard.advance(at(70))
    _, at_risk, breached = flushed(shard, topics)
    shard.apply(TICKETS, 0, records(reply("A", at(50)), first=1), at(70))
    retracted, fulfilled = flushed(shard, topics)
    assert retracted["type"] == "sla.retracted"
    assert retracted["data"] == {**breached["data"], "retracts": breached["id"]}
    assert retracted["id"] != breached["id"]
    assert (fulfilled["type"], "late_by_s" in fulfilled["data"]) == ("sla.fulfilled", False)
    assert at_risk["time"] < fulfilled["time"]


def test_what_is_not_flushed_is_told_again_under_the_same_ids_and_what_is_flushed_never_again() -> None:
    topics = Topics()
    shard = new_shard(options=OPTIONS)
    shard.apply(TICKETS, 0, records(created("A", at(0))), at(0))
    (started,) = flushed(shard, topics)
    shard.advance(at(60))
    lost = Topics()
    lost.write(shard.flush(caught_up=True))  # its outcome is unknown: the shard is thrown away
    shard = restored_shard(topics, options=OPTIONS)
    shard.advance(at(60))
    again = flushed(shard, topics)
    assert again == told(lost)
    assert types(again) == ["sla.at_risk", "sla.breached"]
    shard = restored_shard(topics, options=OPTIONS)
    shard.apply(TICKETS, 0, records(created("A", at(0)), reply("A", at(70)), first=0), at(70))
    assert types(flushed(shard, topics)) == ["sla.fulfilled"]
    assert started["id"] not in {event["id"] for event in again}


def test_in_whatever_order_events_come_the_same_ids_stand_in_the_end() -> None:
    lines = [
        created("A", at(0), priority="high"),
        status("A", at(5), "spam"),
        status("A", at(20), "open"),
        reply("A", at(80)),
    ]
    standing = []
    for order in (lines, lines[::-1], [lines[3], lines[0], lines[2], lines[1]]):
        shard, topics = new_shard(options=OPTIONS), Topics()
        for place, line in enumerate(order):
            shard.apply(TICKETS, 0, records(line, first=place), at(100))
            shard.advance(at(100))
        events = flushed(shard, topics)
        retracted = {event["data"]["retracts"] for event in events if event["type"] == "sla.retracted"}
        assert retracted <= {event["id"] for event in events}
        standing.append(sorted((e["time"], e["type"], e["id"]) for e in events if e["id"] not in retracted))
    standing = [[step for step in steps if step[1] != "sla.retracted"] for steps in standing]
    assert standing[0] == standing[1] == standing[2]
    assert [step[1] for step in standing[0]] == [
        "sla.started",
        "sla.cancelled",
        "sla.started",
        "sla.at_risk",
        "sla.breached",
        "sla.fulfilled",
    ]


def test_without_policies_nothing_is_told() -> None:
    shard, topics = new_shard(options=Options()), Topics()
    shard.apply(TICKETS, 0, records(created("A", at(0)), reply("A", at(50))), at(100))
    shard.advance(at(1_000))
    assert flushed(shard, topics) == []


def test_the_topic_has_as_many_partitions_as_the_sources_and_is_a_log() -> None:
    (topic,) = [topic for topic in all_topics(Settings()) if topic.name == SLA]
    assert (topic.partitions, topic.compacted, topic.source) == (Partitions.AS_SOURCES, False, False)
