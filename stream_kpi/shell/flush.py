"""How a flush is written: one Kafka transaction, or (a broker without transactions) the state as one record batch."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import IllegalOperation, InvalidProducerEpoch, KafkaError, ProducerFenced
from aiokafka.producer.message_accumulator import BatchBuilder

from stream_kpi.events.partitioner import Partitioner
from stream_kpi.events.records import size_bytes
from stream_kpi.pipeline import Flush, Outgoing
from stream_kpi.shell.options import ShellOptions
from stream_kpi.topics import LARGEST_BATCH_BYTES

Headers = list[tuple[str, bytes]]
CLOSE_TIMEOUT_S = 5.0
BATCH_MARGIN_BYTES = 64 << 10
TRUNCATED = "stream_kpi.truncated_from_bytes"
OUR_HEADERS = ("stream_kpi.", "__connect.errors.")
LONGEST_KEY_BYTES = 1_000
"""Of a record whose key and headers alone are too large for a batch."""


Record = tuple[bytes | None, bytes | None, Headers, int | None]
"""Key, value, headers, timestamp in ms (None: now)."""
Items = Sequence[tuple[bytes, bytes | None]] | Sequence[Record]
Records = Mapping[TopicPartition, Items]


class WriteError(Exception):
    """A write failed or its outcome is unknown. ``fenced``: another producer has taken over."""

    def __init__(self, cause: BaseException, *, fenced: bool) -> None:
        super().__init__(f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__)
        self.fenced = fenced


class Writer(Protocol):
    """Writes records so that none or all of them are seen. After a WriteError it is of no more use: close it."""

    async def open(self) -> None:
        """Connect; from here on a former owner's writes fail, and none of them is still under way."""

    async def write(self, records: Records) -> None:
        """Write. Returns when the broker has everything; raises WriteError."""

    async def close(self) -> None:
        """Let go of the connection, whatever state it is in. Never raises."""

    async def partitions(self, topic: str) -> Sequence[int]:
        """The partitions of a topic."""


class _ProducerWriter:
    """What both writers share. Batches are built by hand: 0.5 us a record, where send() takes 30."""

    def __init__(self, producer: Callable[[], AIOKafkaProducer], timeout_s: float) -> None:
        self._new_producer = producer
        self._timeout_s = timeout_s
        self._producer: AIOKafkaProducer | None = None

    async def open(self) -> None:
        """Connect. Raises WriteError."""
        self._producer = self._new_producer()
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._producer.start()
        except (KafkaError, TimeoutError) as error:
            raise WriteError(error, fenced=isinstance(error, ProducerFenced)) from error

    async def close(self) -> None:
        """Let go of the connection."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    # It swallows a cancellation that comes meanwhile, and whoever has cancelled us would wait for ever.
                    await asyncio.shield(producer.stop())

    async def partitions(self, topic: str) -> Sequence[int]:
        """The partitions of a topic, in order."""
        return sorted(await self._started.partitions_for(topic))

    @property
    def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise WriteError(RuntimeError("the writer is closed"), fenced=False)
        return self._producer

    async def _send(self, records: Records) -> None:
        # Every partition's first batch before any second one: a batch waits for the one before it on its partition,
        # and one request then adds all partitions to the transaction.
        acknowledged: list[asyncio.Future[object]] = []
        rest = [(tp, items, 0) for tp, items in records.items() if items]
        try:
            while rest:
                following = []
                for tp, items, begin in rest:
                    batch, end = self._fill(items, begin)
                    acknowledged.append(await self._started.send_batch(batch, tp.topic, partition=tp.partition))
                    if end < len(items):
                        following.append((tp, items, end))
                rest = following
            await asyncio.gather(*acknowledged)
        finally:
            for future in acknowledged:
                future.cancel()

    def _fill(self, items: Items, begin: int) -> tuple[BatchBuilder, int]:
        batch = self._started.create_batch()
        end = begin
        for end in range(begin, len(items)):
            item = items[end]
            if len(item) == 2:
                added = batch.append(timestamp=None, key=item[0], value=item[1])
            else:
                added = batch.append(timestamp=item[3], key=item[0], value=item[1], headers=item[2])
            if added is None:
                break
        else:
            end = len(items)
        batch.close()
        return batch, end


class TransactionalWriter(_ProducerWriter):
    """One transaction a write. Opening it fences whoever wrote under the same id, and ends what that one had begun."""

    def __init__(self, options: ShellOptions, transactional_id: str) -> None:
        super().__init__(
            lambda: AIOKafkaProducer(
                bootstrap_servers=options.broker,
                **options.security.client_options(),
                transactional_id=transactional_id,
                transaction_timeout_ms=int(2_000 * options.flush_timeout_s),
                max_batch_size=options.max_batch_bytes,
                request_timeout_ms=int(1_000 * options.flush_timeout_s),
            ),
            options.flush_timeout_s,
        )

    async def write(self, records: Records) -> None:
        """Write in one transaction. Raises WriteError."""
        producer = self._started
        try:
            async with asyncio.timeout(self._timeout_s):
                await producer.begin_transaction()
                # aiokafka commits a transaction even when one of its batches has failed: all must have succeeded.
                await self._send(records)
                await producer.commit_transaction()
        except (KafkaError, TimeoutError, AssertionError, IllegalOperation) as error:
            # aiokafka's sender has ended a transaction that is no more (IllegalOperation) when it learnt of the fence.
            fenced = isinstance(error, ProducerFenced | InvalidProducerEpoch | IllegalOperation)
            raise WriteError(error, fenced=fenced) from error


class PlainWriter(_ProducerWriter):
    """For a broker without transactions: the partitions one after the other in the given order, each in as few record
    batches as fit; no fence. One worker only, and a kill between two partitions is not exact."""

    def __init__(self, options: ShellOptions) -> None:
        super().__init__(
            lambda: AIOKafkaProducer(
                bootstrap_servers=options.broker,
                **options.security.client_options(),
                acks="all",
                enable_idempotence=False,
                # Such a broker keeps every record, in memory: as JSON, the values would take it eight times as fast.
                compression_type="gzip",
                max_batch_size=LARGEST_BATCH_BYTES - BATCH_MARGIN_BYTES,
                request_timeout_ms=int(1_000 * options.flush_timeout_s),
            ),
            options.flush_timeout_s,
        )

    async def write(self, records: Records) -> None:
        """Write. Raises WriteError."""
        try:
            async with asyncio.timeout(self._timeout_s):
                for tp, items in records.items():
                    await self._send({tp: items})
        except (KafkaError, TimeoutError) as error:
            raise WriteError(error, fenced=False) from error


class FlushRecords:
    """Lays a shard's flush out on topics and partitions."""

    def __init__(self, options: ShellOptions, shard: int) -> None:
        self._options = options
        self._state = TopicPartition(options.state_topic, shard)
        self._panes = TopicPartition(options.panes_topic, shard)
        self._clock = TopicPartition(options.clock_topic, 0)

    async def lay_out(self, flush: Flush, writer: Writer) -> dict[TopicPartition, Items]:
        """The state (with the position) first. An outgoing record past a batch's size is cut, and a header says so."""
        records: dict[TopicPartition, Items] = {self._state: flush.state, self._panes: flush.panes}
        outgoing: defaultdict[TopicPartition, list[Record]] = defaultdict(list)
        for out, partition in await _placed(flush.outgoing, writer):
            outgoing[TopicPartition(out.topic, partition)].append(_fitting(out, self._options.max_batch_bytes))
        records.update(outgoing)
        records[self._clock] = [flush.clock]
        return records


def _fitting(out: Outgoing, most_bytes: int) -> Record:
    """The record with what does not fit cut off: its value first, then headers that are not ours, then its key."""
    key, value, headers = out.key, out.value, out.headers
    if (over_bytes := size_bytes(out) - most_bytes) > 0:
        if over_bytes > len(value or b""):
            headers = [header for header in headers if header[0].startswith(OUR_HEADERS)]
            key = key and key[:LONGEST_KEY_BYTES]
            over_bytes = size_bytes(out._replace(key=key, headers=headers)) - most_bytes
        if value is not None and over_bytes > 0:
            value = value[:-over_bytes]
        headers = [*headers, (TRUNCATED, b"%d" % len(out.value or b""))]
    return key, value, headers, out.timestamp_ms


async def _placed(outgoing: Sequence[Outgoing], writer: Writer) -> list[tuple[Outgoing, int]]:
    """Each with its partition: where its key belongs, if it has none of its own."""
    unplaced: defaultdict[str, list[Outgoing]] = defaultdict(list)
    for out in outgoing:
        if out.partition is None:
            unplaced[out.topic].append(out)
    found = {
        topic: iter(partitions_of([out.key for out in waiting], await writer.partitions(topic)))
        for topic, waiting in unplaced.items()
    }
    return [(out, next(found[out.topic]) if out.partition is None else out.partition) for out in outgoing]


def partitions_of(keys: Sequence[bytes | None], partitions: Sequence[int]) -> list[int]:
    """Kafka's default partition of each key; the first for none."""
    if len(partitions) == 1:
        return [partitions[0]] * len(keys)
    owner = Partitioner("murmur2", len(partitions)).owner
    return [partitions[0 if key is None else owner(key)] for key in keys]
