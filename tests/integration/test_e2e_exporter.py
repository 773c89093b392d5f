"""Two workers, an exporter, a real Redis, a real Kafka. Whatever is killed, all that the exporter ever shows is what
the values topic said at one moment; at worst it is called stale."""

from __future__ import annotations

import asyncio
import re
import signal
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from prometheus_client import CollectorRegistry, generate_latest

from stream_kpi.kpis.catalogue import catalogue
from stream_kpi.kpis.families import family_names
from stream_kpi.kpis.record import KpiRecord, record_key
from stream_kpi.kpis.rows import Kpi
from stream_kpi.publish.live_store import MemoryStore
from stream_kpi.publish.prometheus import KpiCollector
from tests.integration.e2e_desk import Desk, Worker, chunks, read_all
from tests.integration.e2e_logs import MONDAY_MS, disordered, simulated
from tests.redis_kit import RedisServer

if TYPE_CHECKING:
    from stream_kpi.brokers import Broker

pytestmark = [pytest.mark.kafka, pytest.mark.slow]
HOURS_MS = 6 * 3_600_000
KPIS = ("ticket_volume", "ticket_backlog", "first_response_time", "chat_volume", "mrr")
TIMEOUT_S = 120.0
State = frozenset[tuple[bytes, bytes]]
"""Keys and values of one KPI."""


class Answer(msgspec.Struct):
    """What /api/v1/kpis/ID says."""

    values_at: str | None
    stale: bool
    records: list[KpiRecord]


class Exporter(Worker):
    """A process of ``stream-kpi exporter``."""

    command = "exporter"


class Seen(NamedTuple):
    kpi: str
    values_at: str | None
    stale: bool
    state: State
    newest: str


class Watch:
    """Asks an exporter for all there is, all the time, until it is ended."""

    def __init__(self, exporter: Exporter) -> None:
        self.seen: list[Seen] = []
        self.scrapes: list[list[str]] = []
        """Lines of /metrics."""
        self._exporter = exporter
        self._ended = False
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while not self._ended:
            for kpi in KPIS:
                content = await asyncio.to_thread(self._exporter._get, f"/api/v1/kpis/{kpi}")
                self.seen.append(_seen(kpi, content))
            self.scrapes.append((await asyncio.to_thread(self._exporter._get, "/metrics")).splitlines())

    async def end(self) -> None:
        self._ended = True
        await self._task

    async def sees(self, what: str, holds: Callable[[Seen], bool]) -> None:
        """Return when the newest round of answers is so."""
        begin = len(self.seen)
        async with asyncio.timeout(TIMEOUT_S):
            while len(self.seen) < begin + 2 * len(KPIS) or not all(map(holds, self.seen[-len(KPIS) :])):
                assert not self._task.done(), self._task.exception()
                self._exporter.check(what, float("inf"))
                await asyncio.sleep(0.05)


def _seen(kpi: str, content: str) -> Seen:
    answer = msgspec.json.decode(content, type=Answer)
    state = frozenset((record_key(record), msgspec.json.encode(record)) for record in answer.records)
    return Seen(kpi, answer.values_at, answer.stale, state, max((one.as_of for one in answer.records), default=""))


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    server = RedisServer()
    yield server
    server.stop()


@pytest.fixture
async def producer(kafka_broker: Broker) -> AsyncIterator[AIOKafkaProducer]:
    async with AIOKafkaProducer(bootstrap_servers=kafka_broker.address, max_batch_size=900_000) as producer:
        yield producer


@pytest.fixture
def running() -> Iterator[list[Worker]]:
    """Ended with the test, whatever becomes of it."""
    processes: list[Worker] = []
    yield processes
    for process in processes:
        process.kill()


async def said(desk: Desk) -> tuple[dict[str, set[State]], dict[str, State]]:
    """By KPI: every state that the values topic was in, and the last."""
    states: defaultdict[str, dict[bytes, bytes]] = defaultdict(dict)
    every: defaultdict[str, set[State]] = defaultdict(lambda: {frozenset()})
    for record in await read_all(desk.broker, desk.settings.topics.values, range(1)):
        kpi = record.key.partition(b"|")[0].decode()
        if kpi not in KPIS:
            continue
        if record.value:
            states[kpi][record.key] = record.value
        else:
            states[kpi].pop(record.key, None)
        every[kpi].add(frozenset(states[kpi].items()))
    return every, {kpi: frozenset(state.items()) for kpi, state in states.items()}


def series(lines: Iterable[str], kpi: Kpi) -> frozenset[str]:
    """Those of a KPI's own families."""
    names = set(family_names(kpi))
    return frozenset(line for line in lines if re.split("[{ ]", line, maxsplit=1)[0] in names)


def series_of(state: State, kpi: Kpi) -> frozenset[str]:
    """Those that a state of the values topic is."""
    store, registry = MemoryStore(), CollectorRegistry(auto_describe=False)
    store.replace(msgspec.json.decode(value, type=KpiRecord) for _, value in state)
    registry.register(KpiCollector(store, rows=[kpi]))
    return series(generate_latest(registry).decode().splitlines(), kpi)


async def merging(workers: list[Worker]) -> Worker:
    """The worker that publishes."""
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            for worker in workers:
                for line in (await asyncio.to_thread(worker._get, "/metrics")).splitlines():
                    if line.startswith("stream_kpi_values_timestamp_seconds ") and float(line.split()[1]) > 0:
                        return worker
            await asyncio.sleep(0.1)


async def test_an_exporter_shows_only_what_the_values_topic_said_though_worker_and_redis_are_killed(
    kafka_broker: Broker,
    topic_prefix: str,
    tmp_path: Path,
    redis: RedisServer,
    producer: AIOKafkaProducer,
    running: list[Worker],
) -> None:
    await redis.ready()
    desk = Desk(kafka_broker.address, topic_prefix, tmp_path, redis={"address": f"127.0.0.1:{redis.port}"})
    records = desk.laid(disordered(simulated(2, MONDAY_MS, HOURS_MS), seed=2))
    workers = [Worker(desk), Worker(desk)]
    exporter = Exporter(desk)
    running += [*workers, exporter]
    for worker in workers:
        await worker.ready()
    parts = list(chunks(records, -(-len(records) // 4)))
    await desk.send(producer, parts[0])
    await exporter.ready("ready")
    watch = Watch(exporter)
    await watch.sees("values", lambda seen: seen.values_at is not None and not seen.stale)

    killed = await merging(workers)
    killed.signal(signal.SIGKILL)
    await desk.send(producer, parts[1])
    await watch.sees("stale", lambda seen: seen.stale)
    workers = [worker for worker in workers if worker is not killed]
    before = watch.seen[-1].values_at or ""
    await watch.sees("newer values", lambda seen: (seen.values_at or "") > before and not seen.stale)

    redis.restart()
    await desk.send(producer, parts[2])
    await watch.sees("stale", lambda seen: seen.stale)
    await redis.ready()
    await watch.sees("values again", lambda seen: seen.values_at is not None and not seen.stale)
    await desk.send(producer, parts[3])
    await ends_as_the_topic(desk, watch)
    await watch.end()

    every, _ = await said(desk)
    wrong = [
        (seen.kpi, seen.values_at, seen.newest)
        for seen in watch.seen
        if seen.state not in every[seen.kpi] or seen.newest > (seen.values_at or "")
    ]
    assert not wrong, f"{len(wrong)} of {len(watch.seen)} answers are wrong: {wrong[:5]}"
    assert len({seen.state for seen in watch.seen}) > len(KPIS)
    for kpi in (kpi for kpi in catalogue(desk.settings.options()) if kpi.id in KPIS):
        shown = {series(lines, kpi) for lines in watch.scrapes}
        assert len(shown) > 1
        assert shown <= {series_of(state, kpi) for state in every[kpi.id]}, kpi.id
    assert await exporter.stopped() == 0
    assert await workers[0].stopped() == 0


async def ends_as_the_topic(desk: Desk, watch: Watch) -> None:
    """Return when the exporter shows what the topic says, and the topic has come to the end of the input."""
    async with asyncio.timeout(TIMEOUT_S):
        before: dict[str, State] = {}
        while True:
            _, last = await said(desk)
            shown = {seen.kpi: seen.state for seen in watch.seen[-len(KPIS) :]}
            if last == before and shown == last:
                return
            before = last
            await asyncio.sleep(1)
