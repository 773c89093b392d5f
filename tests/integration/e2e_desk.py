"""The real worker on a real broker: topics, logs laid on partitions, worker processes, the values that they end in."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import URLError

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from stream_kpi.brokers.process import free_port
from stream_kpi.brokers.topic_admin import create_topics
from stream_kpi.events.partitioner import Partitioner
from stream_kpi.events.topics import TopicKind
from stream_kpi.kpis.record import KpiRecord
from stream_kpi.lifecycles.options import Options
from stream_kpi.settings import load_settings
from stream_kpi.shell.recovery import at_end, reader
from stream_kpi.topics import source_topics
from tests.live_values import comparable, standing
from tests.told_history import history_amiss

PARTITIONS = 4
ORGANISATION = Path(__file__).with_name("e2e_organisation.toml").read_text()
"""The part of the settings that decides what KPIs there are and what they say. It begins with single settings."""
POLL_S = 0.1
Headers = tuple[tuple[str, bytes], ...]
_decode = msgspec.json.Decoder(KpiRecord).decode


class Sent(NamedTuple):
    """A record to produce, ``partition`` included: where it lands is part of what is tested."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Input(NamedTuple):
    """An event before it is laid on a partition."""

    kind: TopicKind
    key: bytes
    value: bytes
    time_ms: int


class Ending(NamedTuple):
    """What the topics must say in the end."""

    values: dict[bytes, dict[str, Any]]
    sla_events: dict[str, int]


def options() -> Options:
    """What the organisation has set."""
    return load_settings(overrides=tomllib.loads(ORGANISATION)).options()


class Desk:
    """One app's topics and settings on a broker. ``changes`` are single settings that have no section."""

    def __init__(self, broker: str, prefix: str, folder: Path, **changes: object) -> None:
        self.broker = broker
        self.folder = folder
        topics = {kind.name.lower() + "s": f"{prefix}.{kind.name.lower()}s" for kind in TopicKind}
        self._settings: dict[str, Any] = {
            "app_id": prefix,
            "clock": "event",
            "publish_interval_s": 0.2,
            **changes,
            "broker": {
                "address": broker,
                "session_timeout_s": 6,
                "heartbeat_interval_s": 1,
                "rebalance_timeout_s": 10,
            },
            "topics": {**topics, "values": f"{prefix}.values", "history": f"{prefix}.history", "sla": f"{prefix}.sla"},
        }
        self.settings = load_settings(overrides={**tomllib.loads(ORGANISATION), **self._settings})
        self.topics = source_topics(self.settings)
        self._partitioner = Partitioner("murmur2", PARTITIONS)
        create_topics(self.settings, PARTITIONS)

    def config(self, port: int) -> Path:
        """The TOML file of a worker that listens on ``port``."""
        lines = [ORGANISATION]
        for name, content in {**self._settings, "web": {"port": port}}.items():
            if not isinstance(content, dict):
                lines.insert(0, f"{name} = {content!r}")
                continue
            lines += [f"[{name}]", *(f"{key} = {setting!r}" for key, setting in content.items())]
        path = self.folder / f"worker-{port}.toml"
        path.write_text("\n".join(lines))
        return path

    def owner(self, key: bytes) -> int:
        """The partition that a key belongs to."""
        return self._partitioner.owner(key)

    def laid(self, events: Iterable[Input]) -> list[Sent]:
        """Events on their partitions, keyed by their subject."""
        return [Sent(self.topics[e.kind], self.owner(e.key), e.key, e.value) for e in events]

    async def send(self, producer: AIOKafkaProducer, records: Sequence[Sent]) -> None:
        """Produce the records in their order by partition; returns when all are acknowledged."""
        batches: dict[tuple[str, int], Any] = {}
        acknowledged = []

        async def close(place: tuple[str, int]) -> None:
            batch = batches.pop(place)
            batch.close()
            acknowledged.append(await producer.send_batch(batch, place[0], partition=place[1]))

        for topic, partition, key, value, headers in records:
            place = (topic, partition)
            for _ in range(2):
                batch = batches.setdefault(place, producer.create_batch())
                if batch.append(timestamp=None, key=key, value=value, headers=list(headers)) is not None:
                    break
                await close(place)
        for place in list(batches):
            await close(place)
        await asyncio.gather(*acknowledged)


class Worker:
    """A process of ``stream-kpi worker``."""

    def __init__(self, desk: Desk) -> None:
        self.port = free_port()
        self.log = desk.folder / f"worker-{self.port}.log"
        command = [sys.executable, "-m", "stream_kpi", "worker", "--config", str(desk.config(self.port))]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """kill -9, whatever state it is in."""
        self.process.kill()
        self.process.wait()

    async def stopped(self, timeout_s: float = 30.0) -> int:
        """SIGTERM; the exit status."""
        self.signal(signal.SIGTERM)
        return await asyncio.to_thread(self.process.wait, timeout_s)

    async def ready(self, detail: str = "shards", timeout_s: float = 60.0) -> None:
        """Return when its shards are open, and its health says ``detail``."""
        deadline = time.monotonic() + timeout_s
        while detail not in (said := await asyncio.to_thread(self._get, "/health/ready")) or said.startswith("not"):
            self.check(said, deadline)
            await asyncio.sleep(POLL_S)

    async def counted(self) -> Counter[str]:
        """Its own counters, summed over their labels."""
        counters: Counter[str] = Counter()
        for line in (await asyncio.to_thread(self._get, "/metrics")).splitlines():
            name, _, value = line.rpartition(" ")
            if name.startswith("stream_kpi_") and "_total" in name:
                counters[name.partition("{")[0]] += int(float(value))
        return counters

    async def has_counted(self, name: str, at_least: int, timeout_s: float = 60.0) -> int:
        """Return the counter when it has come so far."""
        deadline = time.monotonic() + timeout_s
        while (count := (await self.counted())[name]) < at_least:
            self.check(f"{name} {count}", deadline)
            await asyncio.sleep(POLL_S)
        return count

    async def has_logged(self, text: str, since: int, timeout_s: float = 60.0) -> None:
        """Return when its log says so, ``since`` characters from its begin."""
        deadline = time.monotonic() + timeout_s
        while text not in self.log.read_text()[since:]:
            self.check("silent", deadline)
            await asyncio.sleep(POLL_S)

    def check(self, state: str, deadline: float) -> None:
        """Fail when the process has ended or the time is up."""
        assert self.process.poll() is None, f"the worker ended:\n{self.tail()}"
        assert time.monotonic() < deadline, f"still {state!r}:\n{self.tail()}"

    def tail(self) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])

    def _get(self, path: str) -> str:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return str(answer.read(), "utf-8")
        except (URLError, OSError):
            return "not reachable"


class Values:
    """The values topic as a reader of committed records sees it: the last value by key, and all there were."""

    def __init__(self) -> None:
        self.last: dict[bytes, bytes] = {}
        self.history: list[tuple[bytes, bytes]] = []
        self._touched: set[bytes] = set()

    def take(self, records: Sequence[Any]) -> None:
        """Take records in log order; one without a value is a tombstone."""
        for record in records:
            self._touched.add(record.key)
            if record.value:
                self.last[record.key] = record.value
                self.history.append((record.key, record.value))
            else:
                self.last.pop(record.key, None)

    def touched(self) -> set[bytes]:
        """Keys of the records since this was last asked."""
        touched, self._touched = self._touched, set()
        return touched

    def value(self, key: bytes) -> dict[str, Any] | None:
        """What stands, without what may differ from `compute`."""
        content = self.last.get(key)
        return None if content is None else comparable(_decode(content))


class Differences:
    """Keys whose value is not the expected one."""

    def __init__(self, values: Values, expected: Mapping[bytes, dict[str, Any]]) -> None:
        self._values = values
        self._expected = expected
        values.touched()
        self.keys = {key for key in values.last.keys() | expected.keys() if self._differs(key)}

    def _differs(self, key: bytes) -> bool:
        return self._values.value(key) != self._expected.get(key)

    def update(self) -> None:
        """Look again at what came since."""
        for key in self._values.touched():
            (self.keys.add if self._differs(key) else self.keys.discard)(key)

    def shown(self) -> str:
        """The first few, in words."""
        lines = [f"{len(self.keys)} of {len(self._expected)} values differ"]
        for key in sorted(self.keys)[:8]:
            value, expected = self._values.value(key), self._expected.get(key)
            if value is None or expected is None:
                lines.append(f"{key.decode()}: {'absent' if value is None else 'not expected'}")
                continue
            fields = {name: (value[name], expected[name]) for name in expected if value.get(name) != expected[name]}
            lines.append(f"{key.decode()} (found, expected): {fields}")
        return "\n".join(lines)


async def _poll(consumer: AIOKafkaConsumer, values: Values) -> None:
    for records in (await consumer.getmany(timeout_ms=int(POLL_S * 1000), max_records=20_000)).values():
        values.take(records)


async def values_until(
    desk: Desk, workers: Sequence[Worker], says: Callable[[Values], bool], timeout_s: float = 90.0
) -> Values:
    """Return the values topic when it says so, read to its end."""
    values, deadline = Values(), time.monotonic() + timeout_s
    tp = TopicPartition(desk.settings.topics.values, 0)
    async with reader(desk.broker, [tp]) as consumer:
        await consumer.seek_to_beginning(tp)
        while not await at_end(consumer, tp) or not says(values):
            for worker in workers:
                worker.check("running", time.monotonic() + 1)
            assert time.monotonic() < deadline, f"only {len(values.last)} values:\n{workers[0].tail()}"
            await _poll(consumer, values)
    return values


async def ends_in(desk: Desk, workers: Sequence[Worker], expected: Ending, timeout_s: float = 90.0) -> None:
    """Return when the values topic says what is expected, key by key; then stop the workers, and see that they end
    well, that it still does, that history tells the same of the windows that are over, and that every SLA event stands
    once."""
    values, deadline = Values(), time.monotonic() + timeout_s
    tp = TopicPartition(desk.settings.topics.values, 0)
    async with reader(desk.broker, [tp]) as consumer:
        await consumer.seek_to_beginning(tp)
        differences = Differences(values, expected.values)
        while differences.keys or not await at_end(consumer, tp):
            for worker in workers:
                worker.check("running", time.monotonic() + 1)
            assert time.monotonic() < deadline, differences.shown()
            await _poll(consumer, values)
            differences.update()
        for worker in workers:
            status = await worker.stopped()
            assert status == 0, worker.tail()
            assert "Traceback" not in worker.log.read_text(errors="replace"), worker.tail()
        end = (await consumer.end_offsets([tp]))[tp]
        while await consumer.position(tp) < end:
            await _poll(consumer, values)
        differences.update()
        assert not differences.keys, differences.shown()
    told = await read_all(desk.broker, desk.settings.topics.history, (0,))
    amiss = history_amiss(((record.key, record.value) for record in told), expected.values)
    assert len(told) > 1_000
    assert not amiss, f"{len(amiss)} of history amiss: {amiss[:8]}"
    sla_events = await read_all(desk.broker, desk.settings.topics.sla, range(PARTITIONS))
    stands = standing(event.value for event in sla_events)
    wrong = stands.items() ^ expected.sla_events.items()
    assert not wrong, f"{len(wrong)} SLA events stand amiss: {sorted(wrong)[:8]}"


async def read_all(broker: str, topic: str, partitions: Iterable[int]) -> list[Any]:
    """Every committed record of a topic."""
    found: list[Any] = []
    for partition in partitions:
        tp = TopicPartition(topic, partition)
        async with reader(broker, [tp]) as consumer:
            await consumer.seek_to_beginning(tp)
            end = (await consumer.end_offsets([tp]))[tp]
            while await consumer.position(tp) < end:
                for records in (await consumer.getmany(timeout_ms=100, max_records=20_000)).values():
                    found += records
    return found


def chunks(records: Sequence[Sent], size: int) -> Iterator[Sequence[Sent]]:
    """The records, so many at a time."""
    for begin in range(0, len(records), size):
        yield records[begin : begin + size]
