"""Writes events to the bench's own topics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaProducer

from stream_kpi.bench.log import LogRecord
from stream_kpi.events.topics import TopicKind

BATCH_BYTES = 512 * 1024
MOST_IN_FLIGHT = 24
"""Batches that may wait for their acknowledgement."""


class Batches:
    """Gathers records into one batch a partition, which is sent when it is full, or when all are."""

    def __init__(self, producer: AIOKafkaProducer, topics: Mapping[TopicKind, str]) -> None:
        self._producer = producer
        self._topics = topics
        self._open: dict[tuple[TopicKind, int], Any] = {}
        self._in_flight: set[asyncio.Future[Any]] = set()

    async def add(self, record: LogRecord, timestamp_ms: int) -> None:
        """Add a record, in its place after those of its partition. Raises KafkaError when an earlier one failed."""
        place = (record.kind, record.partition)
        batch = self._open.get(place)
        if batch is None:
            batch = self._open[place] = self._producer.create_batch()
        if batch.append(key=record.key, value=record.value, timestamp=timestamp_ms) is None:
            await self._send(place)
            batch = self._open[place] = self._producer.create_batch()
            batch.append(key=record.key, value=record.value, timestamp=timestamp_ms)

    async def send(self) -> None:
        """Send every batch that has records, as it is. Raises KafkaError."""
        for place in list(self._open):
            await self._send(place)

    async def settle(self) -> None:
        """Send everything, and wait until the broker has it all. Raises KafkaError."""
        await self.send()
        await asyncio.gather(*self._in_flight)

    async def _send(self, place: tuple[TopicKind, int]) -> None:
        kind, partition = place
        batch = self._open.pop(place)
        self._in_flight.add(await self._producer.send_batch(batch, self._topics[kind], partition=partition))
        if len(self._in_flight) >= MOST_IN_FLIGHT:
            done, self._in_flight = await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)
            for sent in done:
                sent.result()


def new_producer(address: str) -> AIOKafkaProducer:
    """A producer, not started, for :class:`Batches`."""
    return AIOKafkaProducer(bootstrap_servers=address, max_batch_size=BATCH_BYTES, acks="all", linger_ms=0)


async def produce(address: str, topics: Mapping[TopicKind, str], records: Iterable[LogRecord]) -> int:
    """Write the records where they belong, in order in every partition; their number. Raises KafkaError."""
    # Not the events' times: a broker deletes records whose timestamps are past its retention, here while they are read.
    timestamp_ms = time.time_ns() // 1_000_000
    number = 0
    async with new_producer(address) as producer:
        batches = Batches(producer, topics)
        for record in records:
            await batches.add(record, timestamp_ms)
            number += 1
        await batches.settle()
    return number
