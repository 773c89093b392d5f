"""Topics, workers and counts for the shell's tests."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from stream_kpi.shell.options import ShellOptions
from stream_kpi.shell.recovery import Records, read_to_end, reader
from tests.integration.shell_counting_core import CountingShard

WORKER = Path(__file__).with_name("shell_counting_worker.py")
PARTITIONS = 4


def options_for(broker: str, app_id: str, **changes: Any) -> ShellOptions:
    defaults: dict[str, Any] = {
        "source_topics": (f"{app_id}-a", f"{app_id}-b"),
        "values_topic": f"{app_id}-values",
        "history_topic": f"{app_id}-history",
        "session_timeout_s": 6.0,
        "heartbeat_interval_s": 1.0,
        "rebalance_timeout_s": 10.0,
    }
    return ShellOptions(broker=broker, app_id=app_id, **{**defaults, **changes})


@contextmanager
def admin_client(broker: str) -> Iterator[Any]:
    admin = KafkaAdminClient(bootstrap_servers=broker)
    try:
        yield admin
    finally:
        admin.close()


def create_topics(options: ShellOptions, partitions: int = PARTITIONS) -> None:
    compacted = {"cleanup.policy": "compact"}
    with admin_client(options.broker) as admin:
        admin.create_topics(
            [NewTopic(topic, partitions, 1) for topic in options.input_topics]
            + [NewTopic(t, partitions, 1, topic_configs=compacted) for t in (options.state_topic, options.panes_topic)]
            + [NewTopic(options.history_topic, 1, 1)]
            + [
                NewTopic(t, 1, 1, topic_configs=compacted)
                for t in (options.clock_topic, options.values_topic, options.withdrawn_topic)
            ]
        )


def differences(expected: Counter[bytes], counts: Counter[bytes]) -> dict[bytes, tuple[int, int]]:
    keys = expected.keys() | counts.keys()
    return {key: (expected[key], counts[key]) for key in keys if expected[key] != counts[key]}


class Desk:
    """Writes the log that the workers count: record i has key ``k<i % keys>`` on partition ``i % partitions``."""

    def __init__(self, options: ShellOptions, keys: int) -> None:
        self.options = options
        self.keys = keys
        self.written = 0
        self.expected: Counter[bytes] = Counter()

    async def write(self, producer: AIOKafkaProducer, count: int) -> None:
        """The next ``count`` records, acknowledged."""
        batches: dict[tuple[str, int], Any] = {}
        for i in range(self.written, self.written + count):
            key = b"k%d" % (i % self.keys)
            topic = self.options.source_topics[(i // PARTITIONS) % len(self.options.source_topics)]
            batch = batches.setdefault((topic, i % self.keys % PARTITIONS), producer.create_batch())
            assert batch.append(timestamp=None, key=key, value=b"x" * 100) is not None
            self.expected[key] += 1
        self.written += count
        acknowledged = []
        for (topic, partition), batch in batches.items():
            batch.close()
            acknowledged.append(await producer.send_batch(batch, topic, partition=partition))
        await asyncio.gather(*acknowledged)

    async def counted(self) -> tuple[Counter[bytes], int]:
        """What the state topic says, and how many records the positions say were applied."""
        partitions = [TopicPartition(self.options.state_topic, p) for p in range(PARTITIONS)]
        shards = [CountingShard(p, PARTITIONS) for p in range(PARTITIONS)]

        def take(tp: TopicPartition, records: Records) -> None:
            shards[tp.partition].restore([(record.key, record.value) for record in records], ())

        async with reader(self.options.broker, partitions) as consumer:
            await read_to_end(consumer, partitions, take)
        applied = sum(at.offset + 1 for shard in shards for at in shard.position.values())
        return sum((shard.by_key for shard in shards), Counter()), applied

    async def all_applied(self, timeout_s: float = 60.0) -> Counter[bytes]:
        """The counts, once the positions say that everything written was applied."""
        deadline = time.monotonic() + timeout_s
        while True:
            counts, applied = await self.counted()
            if applied >= self.written:
                return counts
            assert time.monotonic() < deadline, f"only {applied} of {self.written} records were applied"
            await asyncio.sleep(0.3)  # between two looks, until the deadline

    async def published(self, total: int, timeout_s: float = 60.0) -> Counter[bytes]:
        """What the values topic says, once it adds up to the total."""
        tp = TopicPartition(self.options.values_topic, 0)
        deadline = time.monotonic() + timeout_s
        while True:
            values: Counter[bytes] = Counter()

            def take(_tp: TopicPartition, records: Records, values: Counter[bytes] = values) -> None:
                values.update({record.key: int(record.value) - values[record.key] for record in records})

            async with reader(self.options.broker, [tp]) as consumer:
                await read_to_end(consumer, [tp], take)
            if values.total() >= total:
                return values
            assert time.monotonic() < deadline, f"only {values.total()} of {total} were published"
            await asyncio.sleep(0.3)  # between two looks, until the deadline


class WorkerProcess:
    """A worker with the counting core, and what it logs."""

    def __init__(self, options: ShellOptions, log: Path, *flags: str) -> None:
        settings = {name: getattr(options, name) for name in options.__slots__}
        self.log = log
        with log.open("ab") as stream:
            self.process = subprocess.Popen(
                [sys.executable, str(WORKER), json.dumps(settings), *flags], stdout=stream, stderr=stream
            )

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    async def logged(self, says: Callable[[str], bool], timeout_s: float = 60.0) -> str:
        """The log, once it says so."""
        deadline = time.monotonic() + timeout_s
        while not says(text := self.log.read_text(errors="replace")):
            assert time.monotonic() < deadline, f"not in the log within {timeout_s} s:\n{text[-3000:]}"
            assert self.process.poll() is None, f"the worker ended:\n{text[-3000:]}"
            await asyncio.sleep(0.1)  # between two looks, until the deadline
        return text

    async def ended(self, timeout_s: float = 30.0) -> int:
        """The exit status, once it has ended by itself."""
        return await asyncio.to_thread(self.process.wait, timeout_s)

    async def stop(self, timeout_s: float = 30.0) -> int:
        """SIGTERM; the exit status."""
        self.signal(signal.SIGTERM)
        return await asyncio.to_thread(self.process.wait, timeout_s)
