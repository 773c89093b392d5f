"""What a worker does at its start and end: refuses inputs that are not its state's, takes over, lets go, says why."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from kafka.admin import NewTopic

from stream_kpi.errors import NO_BROKER, WRONG_TOPICS
from stream_kpi.shell.faust_app import App
from stream_kpi.shell.flush import TransactionalWriter, WriteError
from stream_kpi.shell.options import ShellOptions
from stream_kpi.shell.worker import CRASHED, serve
from tests.integration.shell_counting_core import CORE
from tests.integration.shell_desk import Desk, WorkerProcess, admin_client, create_topics, differences, options_for

if TYPE_CHECKING:
    from stream_kpi.brokers import Broker

kafka = pytest.mark.kafka
COUNT = 2_000


async def _count(options: ShellOptions, desk: Desk, log: Path, steps: int = 1) -> None:
    worker = WorkerProcess(options, log)
    try:
        async with AIOKafkaProducer(bootstrap_servers=options.broker, max_batch_size=900_000) as producer:
            for _ in range(steps):
                await desk.write(producer, COUNT)
        assert not differences(desk.expected, await desk.all_applied())
        assert await worker.stop() == 0
    finally:
        worker.kill()


async def test_a_worker_counts_on_a_broker_without_transactions(
    embedded_broker: Broker, topic_prefix: str, tmp_path: Path
) -> None:
    options = options_for(embedded_broker.address, topic_prefix, heartbeat_interval_s=1.5, rebalance_timeout_s=6.0)
    create_topics(options)
    desk = Desk(options, keys=100)
    await _count(options, desk, tmp_path / "first", steps=2)
    await _count(options, desk, tmp_path / "second")
    assert "no promise of exactness" in (tmp_path / "first").read_text()


@kafka
async def test_a_topic_that_was_made_anew_is_refused_and_so_is_one_that_was_cut_short(
    kafka_broker: Broker, topic_prefix: str, tmp_path: Path
) -> None:
    options = options_for(kafka_broker.address, topic_prefix)
    create_topics(options)
    desk = Desk(options, keys=100)
    await _count(options, desk, tmp_path / "log")
    topic = options.source_topics[0]
    with admin_client(options.broker) as admin:
        admin.delete_topics([topic])
        admin.create_topics([NewTopic(topic, 4, 1)])
    refused = WorkerProcess(options, tmp_path / "refused")
    try:
        assert await refused.ended() == WRONG_TOPICS
    finally:
        refused.kill()
    text = refused.log.read_text()
    assert f"{topic}, partition " in text
    assert "the topic was made anew or cut short" in text
    assert "Traceback" not in text


@kafka
async def test_input_that_retention_took_before_it_was_read_is_reported_and_the_rest_is_counted(
    kafka_broker: Broker, topic_prefix: str, tmp_path: Path
) -> None:
    options = options_for(kafka_broker.address, topic_prefix)
    create_topics(options)
    desk = Desk(options, keys=100)
    await _count(options, desk, tmp_path / "before")
    before = desk.expected.total()
    async with AIOKafkaProducer(bootstrap_servers=options.broker, max_batch_size=900_000) as producer:
        await desk.write(producer, COUNT)
    topic = options.source_topics[0]
    cut = {TopicPartition(topic, 1): COUNT // 8 + 30}  # each of 8 partitions has COUNT / 8 records of each write
    with admin_client(options.broker) as admin:
        admin.delete_records(cut)
    worker = WorkerProcess(options, tmp_path / "after")
    try:
        counts = await desk.all_applied()
    finally:
        worker.kill()
    assert f"{topic}, partition 1: 30 records were deleted before they were read" in worker.log.read_text()
    assert counts.total() == before + COUNT - 30


@kafka
async def test_the_merge_publishes_what_all_shards_have_counted_and_goes_on_after_a_kill(
    kafka_broker: Broker, topic_prefix: str, tmp_path: Path
) -> None:
    options = options_for(kafka_broker.address, topic_prefix, publish_interval_s=0.2)
    create_topics(options)
    desk = Desk(options, keys=100)
    for turn in range(2):
        worker = WorkerProcess(options, tmp_path / f"log{turn}")
        try:
            async with AIOKafkaProducer(bootstrap_servers=options.broker, max_batch_size=900_000) as producer:
                await desk.write(producer, COUNT)
            assert not differences(desk.expected, await desk.published(desk.expected.total()))
        finally:
            worker.kill()


@kafka
async def test_missing_topics_are_named_with_the_command_that_makes_them(
    kafka_broker: Broker, topic_prefix: str, tmp_path: Path
) -> None:
    options = options_for(kafka_broker.address, topic_prefix)
    refused = WorkerProcess(options, tmp_path / "log")
    try:
        assert await refused.ended() == WRONG_TOPICS
    finally:
        refused.kill()
    text = refused.log.read_text()
    assert f"topics are missing: {topic_prefix}-a" in text
    assert "stream-kpi topics create" in text
    assert "Traceback" not in text


@kafka
async def test_what_faust_crashes_of_ends_the_worker_with_a_status_of_its_own(
    kafka_broker: Broker, topic_prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    options = options_for(kafka_broker.address, topic_prefix)
    create_topics(options)
    app = App(options, CORE)
    serving = asyncio.create_task(serve(app))
    while not app.ready:
        await asyncio.sleep(0.05)
        assert not serving.done()
    await app.crash(ZeroDivisionError("of all things"))
    assert await serving == CRASHED
    assert isinstance(app.failure, ZeroDivisionError)
    assert "the worker failed" in caplog.text


async def test_a_worker_without_a_broker_ends_within_ten_seconds_and_says_where_it_looked(
    topic_prefix: str, tmp_path: Path
) -> None:
    refused = WorkerProcess(options_for("127.0.0.1:1", topic_prefix), tmp_path / "log")
    try:
        assert await refused.ended(timeout_s=10.0) == NO_BROKER
    finally:
        refused.kill()
    text = refused.log.read_text()
    assert "127.0.0.1:1" in text
    assert "Traceback" not in text


@kafka
async def test_of_two_writers_of_one_shard_the_first_is_fenced_when_the_second_opens(
    kafka_broker: Broker, topic_prefix: str
) -> None:
    options = options_for(kafka_broker.address, topic_prefix)
    create_topics(options)
    records = {TopicPartition(options.state_topic, 0): [(b"key", b"value")]}
    first, second = (TransactionalWriter(options, options.transactional_id(0)) for _ in range(2))
    try:
        await first.open()
        await first.write(records)
        await second.open()
        with pytest.raises(WriteError) as refused:
            await first.write(records)
        assert refused.value.fenced
        await second.write(records)
    finally:
        await first.close()
        await second.close()


@kafka
async def test_a_write_of_which_one_batch_fails_is_seen_by_nobody(kafka_broker: Broker, topic_prefix: str) -> None:
    options = options_for(kafka_broker.address, topic_prefix)
    create_topics(options)
    writer = TransactionalWriter(options, options.transactional_id(0))
    await writer.open()
    too_large = [(b"key", b"x" * (2 << 20))]
    good = [(b"k0", b"7")]
    with pytest.raises(WriteError):
        await writer.write(
            {TopicPartition(options.state_topic, 0): good, TopicPartition(options.panes_topic, 0): too_large}
        )
    await writer.close()
    heir = TransactionalWriter(options, options.transactional_id(0))
    await heir.open()  # as every shard's new owner does before it reads
    await heir.close()
    counts, _ = await Desk(options, keys=1).counted()
    assert not counts


@kafka
async def test_a_second_worker_takes_its_share_and_gives_it_back(
    kafka_broker: Broker, topic_prefix: str, tmp_path: Path
) -> None:
    options = options_for(kafka_broker.address, topic_prefix)
    create_topics(options)
    desk = Desk(options, keys=100)
    first = WorkerProcess(options, tmp_path / "first")
    second: WorkerProcess | None = None
    try:
        async with AIOKafkaProducer(bootstrap_servers=options.broker, max_batch_size=900_000) as producer:
            await first.logged(lambda text: text.count("open,") == 4)
            await desk.write(producer, COUNT)
            second = WorkerProcess(options, tmp_path / "second")
            await second.logged(lambda text: text.count("open,") == 2)
            await first.logged(lambda text: text.count("kept") == 2)
            await desk.write(producer, COUNT)
            assert not differences(desk.expected, await desk.all_applied())
            assert await second.stop() == 0
            await first.logged(lambda text: text.count("open,") == 6)
            await desk.write(producer, COUNT)
            assert not differences(desk.expected, await desk.all_applied())
            assert await first.stop() == 0
    finally:
        for worker in (first, second):
            if worker is not None:
                worker.kill()
    assert "Traceback" not in first.log.read_text()
