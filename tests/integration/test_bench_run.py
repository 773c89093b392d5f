"""The bench on a real broker, with a short log."""

from __future__ import annotations

import asyncio
import time

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from stream_kpi.bench.command import bench, fill, run_contender
from stream_kpi.bench.figures import Task
from stream_kpi.bench.log import PARTITIONS, log
from stream_kpi.bench.sla import run
from stream_kpi.bench.sla.command import measure
from stream_kpi.brokers import Broker
from stream_kpi.brokers.probe import probe
from stream_kpi.events.topics import TopicKind

EVENTS = 3_000


async def partition_of(address: str, topic: str, partition: int, count: int) -> list[tuple[bytes, bytes]]:
    consumer = AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, partition)])
        records: list[tuple[bytes, bytes]] = []
        while len(records) < count:
            for fetched in (await consumer.getmany(timeout_ms=5_000)).values():
                records += [(record.key, record.value) for record in fetched]
        return records
    finally:
        await consumer.stop()


def test_the_topics_hold_the_log_in_order_in_every_partition(embedded_broker: Broker) -> None:
    task = fill(embedded_broker.address, EVENTS)
    for kind in (TopicKind.TICKET, TopicKind.CHAT, TopicKind.SUBSCRIPTION):
        for partition in range(PARTITIONS):
            wanted = [(r.key, r.value) for r in log(EVENTS) if (r.kind, r.partition) == (kind, partition)]
            found = asyncio.run(partition_of(task.address, task.topics[kind], partition, len(wanted)))
            assert found == wanted


def test_the_limit_reads_every_event(embedded_broker: Broker) -> None:
    figures = run_contender("limit", fill(embedded_broker.address, EVENTS))
    assert figures.events == EVENTS
    assert figures.cpu_s > 0


def test_the_pipeline_without_kafka_takes_every_event() -> None:
    assert run_contender("core", Task("", "", {}, PARTITIONS, EVENTS)).events == EVENTS


@pytest.mark.kafka
def test_a_bench_leaves_nothing_on_a_broker_that_is_not_its_own(kafka_broker: Broker) -> None:
    bench(EVENTS, kafka_broker.address, ["limit"], "json")
    deadline_s = time.monotonic() + 10
    while left := [topic for topic in probe(kafka_broker.address).topics if topic.startswith("bench-")]:
        assert time.monotonic() < deadline_s, left  # a deletion takes a moment to get around


@pytest.mark.kafka
@pytest.mark.slow
def test_all_contenders_read_the_same_topics_and_the_report_has_them_all(
    kafka_broker: Broker, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("limit", "stream_kpi", "faust_table", "quixstreams")
    bench(EVENTS, kafka_broker.address, names, "json")
    report = msgspec.json.decode(capsys.readouterr().out)
    assert report["events"] == EVENTS
    assert all(report[name]["events_per_s"] > 0 and report[name]["peak_rss_mib"] > 0 for name in names)
    assert set(report["ratios"]) == {"to_limit", "to_faust_table", "to_quixstreams"}


def test_a_run_of_service_levels_times_what_a_worker_tells(
    embedded_broker: Broker, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "LEAD_S", 4)
    monkeypatch.setattr(run, "WARM_UP_S", 1)
    monkeypatch.setattr(run, "GRACE_S", 60)  # what is due must come, however slow the machine; it ends when it has
    measure(200, 100, 2, 1, embedded_broker.address, "json")
    report = msgspec.json.decode(capsys.readouterr().out)
    assert (report["instances"], report["events_per_s"], report["workers"]) == (200, 100, 1)
    assert report["sent_per_s"] > 0
    for name in ("at_risk", "breached"):
        told = report[name]
        assert told["records"] == told["due"] > 0
        assert 0 <= told["p50_s"] <= told["p99_s"] <= told["max_s"]
