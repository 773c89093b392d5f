"""The bench of service levels: what falls due when, how lateness is measured, what the report says."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from stream_kpi.bench.figures import Task
from stream_kpi.bench.sla.command import as_table, in_words, report_of
from stream_kpi.bench.sla.lateness import Lateness
from stream_kpi.bench.sla.run import Outcome
from stream_kpi.bench.sla.stretch import POLICY, Stretch
from stream_kpi.bench.worker import configuration, topic_settings
from stream_kpi.events.decode import decode
from stream_kpi.events.partitioner import murmur2
from stream_kpi.events.topics import TopicKind
from stream_kpi.kpis.record import timestamp
from stream_kpi.settings import load_settings
from stream_kpi.topics import all_topics
from tests.shard_kit import T0_MS, TICKETS, new_shard, records

STRETCH = Stretch(T0_MS, 60, 1_200)
TASK = Task("bench-1", "127.0.0.1:9092", {kind: f"bench-1.{kind.name.lower()}" for kind in TopicKind}, 4, 0)


def test_every_topic_that_the_bench_makes_begins_with_its_name_so_that_it_can_be_deleted(tmp_path: Path) -> None:
    of_bench = load_settings(None, {"app_id": TASK.name, "topics": topic_settings(TASK)})
    config = tmp_path / "worker.toml"
    config.write_text(configuration(TASK, 6067))
    of_worker = load_settings(config)
    assert of_worker.topics == of_bench.topics
    for settings in (of_bench, of_worker):
        assert all(topic.name.startswith(TASK.name) for topic in all_topics(settings))


def test_deadlines_fall_evenly_into_the_stretch_and_the_minute_after_it() -> None:
    deadlines_ms = list(STRETCH.deadlines_ms())
    assert deadlines_ms == list(range(T0_MS, T0_MS + 120_000, 100))
    assert STRETCH.due() == (600, 600)


def test_the_openings_are_tickets_on_their_partitions_whose_deadlines_are_those() -> None:
    openings = list(Stretch(T0_MS, 1, 50).openings(4))
    for record in openings:
        event, time_ms = decode(TopicKind.TICKET, record.value, (), -1)
        assert (event.subject.encode(), time_ms) == (record.key, record.time_ms)
        assert (murmur2(record.key) & 0x7FFFFFFF) % 4 == record.partition
    assert len({record.key for record in openings}) == 50


def test_a_worker_of_its_settings_tells_of_each_of_them_at_its_moments(tmp_path: Path) -> None:
    config = tmp_path / "worker.toml"
    task = Task("b", "127.0.0.1:9", {kind: f"b.{kind.name.lower()}" for kind in TopicKind}, 4, 0)
    config.write_text(configuration(task, 6_543, "wall", POLICY))
    settings = load_settings(config)
    assert settings.clock == "wall"
    stretch = Stretch(T0_MS, 1, 100)
    lateness = Lateness(stretch)
    shard = new_shard(options=settings.options())
    opened = records(*[record.value for record in stretch.openings(1)])
    shard.apply(TICKETS, 0, opened, T0_MS - 1)
    for clock_ms in (T0_MS - 1, stretch.end_ms):
        shard.advance(clock_ms)
        flush = shard.flush(caught_up=True)
        for sent in flush.outgoing if flush is not None else ():
            lateness.take(sent.value or b"", clock_ms)
    assert lateness.complete
    assert lateness.running == 100
    at_risk, breached = lateness.told()
    assert (at_risk.due, at_risk.records, breached.due, breached.records) == (1, 1, 2, 2)
    assert (breached.max_s, breached.p50_s) == (1.0, 0.39)


def told(name: str, deadline_ms: int, horizon_s: int | None = None) -> bytes:
    data = {"metric": "resolution", "policy": "p", "instance": "i", "priority": None, "started_at": timestamp(T0_MS)}
    event = {"id": "1", "source": "/s", "type": name, "subject": "T", "time": timestamp(T0_MS)}
    return msgspec.json.encode({**event, "data": {**data, "deadline": timestamp(deadline_ms), "horizon_s": horizon_s}})


def test_lateness_is_from_the_moment_to_the_arrival_of_what_is_due_in_the_stretch() -> None:
    lateness = Lateness(STRETCH)
    for late_ms in range(1, 201):
        lateness.take(told("sla.breached", T0_MS + 5_000), T0_MS + 5_000 + late_ms)
    lateness.take(told("sla.at_risk", T0_MS + 60_000, 60), T0_MS + 700)
    lateness.take(told("sla.at_risk", T0_MS + 59_999, 60), T0_MS + 700)  # before the stretch
    lateness.take(told("sla.breached", T0_MS + 60_000), T0_MS + 60_700)  # after it
    at_risk, breached = lateness.told()
    assert at_risk == (600, 1, 0.7, 0.7, 0.7)
    assert breached == (600, 200, 0.1, 0.198, 0.2)
    assert not lateness.complete


def test_the_report_says_what_was_asked_what_was_reached_and_how_late_records_were() -> None:
    lateness = Lateness(Stretch(T0_MS, 60, 2))
    assert lateness.told() == ((1, 0, None, None, None), (1, 0, None, None, None))
    lateness.take(told("sla.started", T0_MS), T0_MS - 1)
    lateness.take(told("sla.started", T0_MS), T0_MS - 1)
    lateness.take(told("sla.at_risk", T0_MS + 60_000, 60), T0_MS + 300)
    lateness.take(told("sla.breached", T0_MS), T0_MS + 400)
    report = report_of(2, 1_000, 60, 2, "kafka", Outcome(lateness, 1_000.0, 999.0))
    assert msgspec.json.decode(msgspec.json.encode(report)) == {
        "instances": 2,
        "events_per_s": 1_000,
        "seconds": 60,
        "workers": 2,
        "broker": "kafka",
        "running": 2,
        "sent_per_s": 1_000.0,
        "handled_per_s": 999.0,
        "as_asked": True,
        "at_risk": {"due": 1, "records": 1, "p50_s": 0.3, "p99_s": 0.3, "max_s": 0.3},
        "breached": {"due": 1, "records": 1, "p50_s": 0.4, "p99_s": 0.4, "max_s": 0.4},
    }
    output = StringIO()
    Console(file=output, width=140).print(as_table(report))
    assert "sla.breached    1     1             0.4    0.4    0.4" in output.getvalue()
    assert in_words(report) == "2 instances ran at the start; 1,000 events/s were sent, 999 handled."


@pytest.mark.parametrize(("running", "sent_per_s", "handled_per_s"), [(1, 1e3, 1e3), (2, 970, 1e3), (2, 1e3, 970)])
def test_a_run_that_was_not_what_was_asked_for_says_so(running: int, sent_per_s: float, handled_per_s: float) -> None:
    lateness = Lateness(Stretch(T0_MS, 60, 2))
    lateness.running = running
    lateness.take(told("sla.at_risk", T0_MS + 60_000, 60), T0_MS + 300)
    lateness.take(told("sla.breached", T0_MS), T0_MS + 400)
    report = report_of(2, 1_000, 60, 2, "kafka", Outcome(lateness, sent_per_s, handled_per_s))
    assert not report.as_asked
    assert in_words(report).startswith("NOT WHAT WAS ASKED FOR: ")


def test_a_record_that_never_came_makes_it_another_run_too() -> None:
    lateness = Lateness(Stretch(T0_MS, 60, 2))
    lateness.running = 2
    assert not report_of(2, 1_000, 60, 2, "kafka", Outcome(lateness, 1_000, 1_000)).as_asked
