"""Reading what is to be known before a shard may work: its changelogs to their end, and what its inputs hold.

Fresh for every assignment, after the former owner was fenced: whatever that one has written is committed or aborted.
Ends are the high watermarks of fetch responses; the embedded broker's end offsets are wrong. Every error is raised.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from zlib import crc32

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from stream_kpi.brokers.security import OPEN, Security
from stream_kpi.shell.guard import Found, Known

Records = Sequence[ConsumerRecord[bytes, bytes]]
POLL_MS = 50
POLL_RECORDS = 2_000
"""What is taken in at once while nobody else has a turn: 10 ms."""


class RecoveryError(Exception):
    """A log could not be read to its end."""


@asynccontextmanager
async def reader(
    broker: str, partitions: Sequence[TopicPartition], security: Security = OPEN
) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer of its own, read_committed, without a group, on these partitions."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=POLL_MS,
        max_partition_fetch_bytes=8 << 20,
        **security.client_options(),
    )
    try:
        await consumer.start()
        consumer.assign(list(partitions))
        yield consumer
    finally:
        # It swallows a cancellation that comes meanwhile, and whoever has cancelled us would wait for ever.
        await asyncio.shield(consumer.stop())


async def at_end(consumer: AIOKafkaConsumer, tp: TopicPartition) -> bool:
    """True when the consumer stands at the end that the broker last told."""
    highwater = consumer.highwater(tp)
    return highwater is not None and await consumer.position(tp) >= highwater


async def read_to_end(
    consumer: AIOKafkaConsumer,
    partitions: Sequence[TopicPartition],
    take: Callable[[TopicPartition, Records], None],
    idle_timeout_s: float = 30.0,
) -> int:
    """Read from the earliest records to the end; how many there were. Raises RecoveryError when nothing comes for
    ``idle_timeout_s`` before the end."""
    await consumer.seek_to_beginning(*partitions)
    return await follow_to_end(consumer, partitions, take, idle_timeout_s)


async def follow_to_end(
    consumer: AIOKafkaConsumer,
    partitions: Sequence[TopicPartition],
    take: Callable[[TopicPartition, Records], None],
    idle_timeout_s: float = 30.0,
) -> int:
    """As read_to_end, from where the consumer stands."""
    count, left, moved_at = 0, set(partitions), time.monotonic()
    while True:
        fetched: Mapping[TopicPartition, Records] = await consumer.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS)
        for tp, records in fetched.items():
            take(tp, records)
            count += len(records)
        left = {tp for tp in left if not await at_end(consumer, tp)}
        if not left:
            return count
        if fetched:
            moved_at = time.monotonic()
            await asyncio.sleep(0)
        elif time.monotonic() - moved_at > idle_timeout_s:
            raise RecoveryError(f"no records for {idle_timeout_s:.0f} s before the end of {sorted(left)}")


async def look_at_input(consumer: AIOKafkaConsumer, tp: TopicPartition, known: Known) -> Found:
    """Start and end of an input, and the record at the applied offset. ``consumer`` is a reader of ``tp`` alone."""
    begin = (await consumer.beginning_offsets([tp]))[tp]
    if begin > known.offset:
        consumer.seek(tp, begin)
    else:
        consumer.seek(tp, known.offset)
    first: ConsumerRecord[bytes, bytes] | None = None
    deadline = time.monotonic() + 10.0
    while first is None and (consumer.highwater(tp) is None or not await at_end(consumer, tp)):
        fetched = await consumer.getmany(tp, timeout_ms=POLL_MS, max_records=1)
        first = next((record for records in fetched.values() for record in records), None)
        if time.monotonic() > deadline:
            raise RecoveryError(f"cannot read {tp.topic}, partition {tp.partition}")
    highwater = consumer.highwater(tp)
    same = first is not None and first.offset == known.offset
    return Found(
        begin, highwater or 0, (first.timestamp, checksum(first.value)) if first is not None and same else None
    )


def checksum(value: bytes | None) -> int:
    """Of a record's value, as the state keeps it."""
    return crc32(value or b"")
