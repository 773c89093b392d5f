"""The real worker on a real Apache Kafka: whatever befalls it, a log ends in the records of `compute`, all of them, and
in each SLA event once; history tells the same of the windows that are over, each revision once. Policies, opening hours
and options are those of e2e_organisation.toml."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

import pytest
from aiokafka import AIOKafkaProducer

from stream_kpi.events.decode import decode
from stream_kpi.events.rejection import Rejected
from stream_kpi.events.topics import dead_letter_topic
from stream_kpi.topics import InternalTopics
from tests.integration.e2e_desk import PARTITIONS, Desk, Ending, Input, Sent, Worker, chunks, ends_in, read_all
from tests.integration.e2e_logs import (
    DAY_MS,
    MONDAY_MS,
    disordered,
    ending,
    garbage,
    helpdesk_and_simulated_day,
    owners,
    simulated,
)

if TYPE_CHECKING:
    from stream_kpi.brokers import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
HOUR_MS = 3_600_000
KILLS = 5
GOOD_RECORDS = 100_000


class Log(NamedTuple):
    """Events in the order of their arrival, and what they must end in (computed beside the test)."""

    events: list[Input]
    expected: Future[Ending]


@pytest.fixture(scope="module")
def computing() -> Iterator[ProcessPoolExecutor]:
    """A process that computes while the workers work."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield pool


def _log(computing: ProcessPoolExecutor, ordered: Sequence[Input], events: list[Input]) -> Log:
    return Log(events, computing.submit(ending, [event.value for event in ordered]))


@pytest.fixture(scope="module")
def real_log(computing: ProcessPoolExecutor, shared_data: Path) -> Log:
    """The help-desk log and a simulated day, shuffled within ten minutes, five in a hundred twice."""
    ordered = helpdesk_and_simulated_day(shared_data, seed=1)
    return _log(computing, ordered, disordered(ordered, seed=1))


@pytest.fixture(scope="module")
def day(computing: ProcessPoolExecutor) -> Log:
    """A simulated day, disordered."""
    ordered = simulated(2, MONDAY_MS, DAY_MS)
    return _log(computing, ordered, disordered(ordered, seed=2))


@pytest.fixture
async def producer(kafka_broker: Broker) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(bootstrap_servers=kafka_broker.address, max_batch_size=900_000) as producer:
        yield producer


@pytest.fixture
def desk(kafka_broker: Broker, topic_prefix: str, tmp_path: Path) -> Desk:
    return Desk(kafka_broker.address, topic_prefix, tmp_path)


@pytest.fixture
def workers() -> Iterator[list[Worker]]:
    """Ended with the test, whatever becomes of it."""
    running: list[Worker] = []
    yield running
    for worker in running:
        worker.kill()


async def _expected(log: Log) -> Ending:
    expected = await asyncio.wrap_future(log.expected)
    assert len(expected.values) > 10_000
    assert len(expected.sla_events) > 1_000
    return expected


class Feed:
    """Produces a log little by little beside the test, until told to send the rest at once."""

    def __init__(self, desk: Desk, producer: AIOKafkaProducer, records: Sequence[Sent]) -> None:
        self._hurry = asyncio.Event()
        self.sent = 0
        self._task = asyncio.create_task(self._run(desk, producer, records))

    async def _run(self, desk: Desk, producer: AIOKafkaProducer, records: Sequence[Sent]) -> None:
        for chunk in chunks(records, 15):
            if self._hurry.is_set():
                break
            await desk.send(producer, chunk)
            self.sent += len(chunk)
            try:
                await asyncio.wait_for(self._hurry.wait(), 0.05)
            except TimeoutError:
                continue
        await desk.send(producer, records[self.sent :])

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def rest(self) -> None:
        """Send what is left; returns when it is acknowledged."""
        assert not self._task.done(), "the log was too short for the test"
        self._hurry.set()
        await self._task


async def test_a_disordered_log_read_by_two_workers_ends_as_compute_says(
    desk: Desk, producer: AIOKafkaProducer, workers: list[Worker], real_log: Log
) -> None:
    await desk.send(producer, desk.laid(real_log.events))
    workers += [Worker(desk), Worker(desk)]
    await ends_in(desk, workers, await _expected(real_log))


async def test_a_worker_killed_at_five_random_moments_changes_no_value(
    desk: Desk, producer: AIOKafkaProducer, workers: list[Worker], real_log: Log, topic_prefix: str
) -> None:
    print(f"seed of the moments: {topic_prefix}")  # noqa: T201 - shown when the test fails
    moments = random.Random(topic_prefix)
    workers += [Worker(desk), Worker(desk)]
    async with Feed(desk, producer, desk.laid(real_log.events)) as feed:
        for _ in range(KILLS):
            victim = moments.randrange(2)
            await workers[victim].ready()
            await asyncio.sleep(moments.uniform(0.0, 1.5))
            workers[victim].kill()
            workers[victim] = Worker(desk)
        await feed.rest()
    await ends_in(desk, workers, await _expected(real_log))


async def test_a_worker_that_sleeps_past_its_session_changes_no_value(
    kafka_broker: Broker,
    producer: AIOKafkaProducer,
    workers: list[Worker],
    day: Log,
    topic_prefix: str,
    tmp_path: Path,
) -> None:
    # Flushes are rare, so that it falls asleep on events that it has applied and not written.
    desk = Desk(kafka_broker.address, topic_prefix, tmp_path, flush_interval_s=2)
    sleeper, other = Worker(desk), Worker(desk)
    workers += [sleeper, other]
    await sleeper.ready()
    await other.ready()
    async with Feed(desk, producer, desk.laid(day.events)) as feed:
        await sleeper.has_counted("stream_kpi_events_total", 500)
        await other.has_counted("stream_kpi_events_total", 500)
        sleeper.signal(signal.SIGSTOP)
        await other.ready("shards 0, 1, 2, 3")
        taken = (await other.counted())["stream_kpi_events_total"]
        await other.has_counted("stream_kpi_events_total", taken + 300)
        logged = len(sleeper.log.read_text())
        sleeper.signal(signal.SIGCONT)
        await sleeper.has_logged("shard ", since=logged)  # fenced, or opened or kept after the next rebalance
        await feed.rest()
    await ends_in(desk, workers, await _expected(day))


async def test_sigterm_in_full_flow_ends_well_and_the_next_start_goes_on(
    desk: Desk, producer: AIOKafkaProducer, workers: list[Worker], day: Log
) -> None:
    async with Feed(desk, producer, desk.laid(day.events)) as feed:
        first = Worker(desk)
        workers.append(first)
        await first.has_counted("stream_kpi_events_total", 500)
        assert await first.stopped() == 0, first.tail()
        assert "Traceback" not in first.log.read_text(), first.tail()
        await feed.rest()
    workers[:] = [Worker(desk)]
    await ends_in(desk, workers, await _expected(day))


async def test_a_mis_keyed_log_ends_in_the_same_values_and_is_counted(
    desk: Desk, producer: AIOKafkaProducer, workers: list[Worker], day: Log
) -> None:
    dice, records, sent_on = random.Random(6), list[Sent](), Counter[tuple[int, bytes | None]]()
    for event, record in zip(day.events, desk.laid(day.events), strict=True):
        match dice.randrange(3):
            case 0:
                laid = record
            case 1:
                laid = record._replace(key=None, partition=dice.randrange(PARTITIONS))
            case _:
                key = b"%d" % dice.randrange(1000)
                laid = record._replace(key=key, partition=desk.owner(key))
        # Even a record with the right key is sent on to the owners of others that its event is about.
        sent_on.update((owner, laid.value) for owner in owners(event, desk) - {laid.partition})
        records.append(laid)
    await desk.send(producer, records)
    workers.append(Worker(desk))
    assert await workers[0].has_counted("stream_kpi_rekeyed_total", sent_on.total()) == sent_on.total()
    await ends_in(desk, workers, await _expected(day))
    rekeyed = await read_all(desk.broker, InternalTopics.of(desk.settings.app_id).rekeyed, range(PARTITIONS))
    assert Counter((record.partition, record.value) for record in rekeyed) == sent_on


async def test_garbage_changes_no_value_and_each_piece_is_a_dead_letter_once(
    desk: Desk, producer: AIOKafkaProducer, workers: list[Worker], computing: ProcessPoolExecutor
) -> None:
    ordered = simulated(5, MONDAY_MS, 7 * DAY_MS * 12)[:GOOD_RECORDS]
    assert len(ordered) == GOOD_RECORDS
    log = _log(computing, ordered, ordered)
    dice, records = random.Random(5), list[Sent]()
    bad = set[tuple[str, bytes, bytes]]()
    for event, good, spoiled in zip(ordered, desk.laid(ordered), garbage(ordered, seed=5), strict=True):
        # A number of their own in a header: the same bytes may well come twice.
        number = b"%d" % len(bad)
        bad.add((good.topic, number, spoiled))
        with pytest.raises(Rejected):
            decode(event.kind, spoiled, (), -1)
        piece = Sent(good.topic, dice.randrange(PARTITIONS), None, spoiled, (("number", number),))
        records += [good, piece] if dice.random() < 0.5 else [piece, good]
    await desk.send(producer, records)
    workers.append(Worker(desk))
    await ends_in(desk, workers, await _expected(log), timeout_s=150.0)
    letters = []
    for topic in desk.topics.values():
        for letter in await read_all(desk.broker, dead_letter_topic(topic), range(PARTITIONS)):
            headers = dict(letter.headers)
            assert headers["stream_kpi.reason"]
            letters.append((topic, headers["number"], letter.value))
    assert len(letters) == GOOD_RECORDS
    assert set(letters) == bad
