"""The shell on a real Apache Kafka: no kill and no pause makes any count wrong by one."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer

from tests.integration.shell_desk import Desk, WorkerProcess, create_topics, differences, options_for

if TYPE_CHECKING:
    from stream_kpi.brokers import Broker

pytestmark = pytest.mark.kafka
STEP = 2_000


@pytest.fixture
async def producer(kafka_broker: Broker) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(bootstrap_servers=kafka_broker.address, max_batch_size=900_000) as producer:
        yield producer


async def test_a_worker_counts_everything_once_and_ends_cleanly_on_sigterm(
    kafka_broker: Broker, topic_prefix: str, producer: AIOKafkaProducer, tmp_path: Path
) -> None:
    options = options_for(kafka_broker.address, topic_prefix)
    create_topics(options)
    desk = Desk(options, keys=1_000)
    await desk.write(producer, 4 * STEP)
    worker = WorkerProcess(options, tmp_path / "log")
    try:
        assert not differences(desk.expected, await desk.all_applied())
        await desk.write(producer, 4 * STEP)
        assert await worker.stop() == 0
    finally:
        worker.kill()
    assert "Traceback" not in worker.log.read_text()
    worker = WorkerProcess(options, tmp_path / "log")
    try:
        assert not differences(desk.expected, await desk.all_applied())
        await desk.write(producer, STEP)
        assert not differences(desk.expected, await desk.all_applied())
    finally:
        worker.kill()


@pytest.mark.slow
async def test_two_workers_of_which_one_is_killed_at_random_moments_count_everything_once(
    kafka_broker: Broker, topic_prefix: str, producer: AIOKafkaProducer, tmp_path: Path
) -> None:
    moments = random.Random(topic_prefix)  # printed with the test's name when it fails
    options = options_for(kafka_broker.address, topic_prefix)
    create_topics(options)
    desk = Desk(options, keys=10_000)
    workers = [WorkerProcess(options, tmp_path / f"log{n}") for n in range(2)]
    kills = 0
    try:
        for worker in workers:
            await worker.logged(lambda text: "open," in text)
        while kills < 3:
            await desk.write(producer, STEP)
            await asyncio.sleep(moments.uniform(0.0, 0.3))
            if moments.random() < 0.2:
                victim = moments.randrange(2)
                workers[victim].kill()
                workers[victim] = WorkerProcess(options, tmp_path / f"log{victim}-{kills}")
                kills += 1
                await workers[victim].logged(lambda text: "open," in text)
        assert not differences(desk.expected, await desk.all_applied())
    finally:
        for worker in workers:
            worker.kill()


async def _pause_past_the_session(
    options_broker: str, app_id: str, producer: AIOKafkaProducer, tmp_path: Path, *flags: str
) -> dict[bytes, tuple[int, int]]:
    options = options_for(options_broker, app_id, flush_interval_s=3.0)
    create_topics(options)
    desk = Desk(options, keys=40_000)
    paused = WorkerProcess(options, tmp_path / "paused", *flags)
    other: WorkerProcess | None = None
    try:
        await paused.logged(lambda text: text.count("open,") == 4)
        for _ in range(20):  # four seconds of writing: its last flush cannot hold all of it
            await desk.write(producer, STEP)
            await asyncio.sleep(0.2)  # paces the writing, so that a flush is due in the midst of it
        paused.signal(signal.SIGSTOP)
        await desk.write(producer, 20 * STEP)
        other = WorkerProcess(options, tmp_path / "other", *flags)
        await other.logged(lambda text: text.count("open,") == 4)
        await desk.all_applied()
        paused.signal(signal.SIGCONT)
        await paused.logged(lambda text: "was not written" in text or "kept" in text)
        for _ in range(5):
            await desk.write(producer, 10)
            await asyncio.sleep(1.0)  # paces the writing over more than one flush of a worker that should have none
        return differences(desk.expected, await desk.all_applied())
    finally:
        for worker in (paused, other):
            if worker is not None:
                worker.kill()


@pytest.mark.slow
async def test_a_worker_that_slept_past_its_session_spoils_nothing_when_it_wakes(
    kafka_broker: Broker, topic_prefix: str, producer: AIOKafkaProducer, tmp_path: Path
) -> None:
    assert not await _pause_past_the_session(kafka_broker.address, topic_prefix, producer, tmp_path)


@pytest.mark.slow
async def test_without_the_fence_a_worker_that_slept_past_its_session_spoils_the_counts(
    kafka_broker: Broker, topic_prefix: str, producer: AIOKafkaProducer, tmp_path: Path
) -> None:
    assert await _pause_past_the_session(kafka_broker.address, topic_prefix, producer, tmp_path, "no-fence")
