"""Writes the bench's log to topics of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaProducer

from stream_kpi.bench.log import LogRecord
from stream_kpi.events.topics import TopicKind

BATCH_BYTES = 512 * 1024
MOST_IN_FLIGHT = 24
"""Batches that may wait for their acknowledgement."""


async def produce(address: str, topics: dict[TopicKind, str], records: Iterable[LogRecord]) -> int:
    """Write the records where they belong, in order in every partition; their number. Raises KafkaError."""
    producer = AIOKafkaProducer(bootstrap_servers=address, max_batch_size=BATCH_BYTES, acks="all", linger_ms=0)
    await producer.start()
    try:
        return await _produce(producer, topics, records)
    finally:
        await producer.stop()


async def _produce(producer: AIOKafkaProducer, topics: dict[TopicKind, str], records: Iterable[LogRecord]) -> int:
    # Not the events' times: a broker deletes records whose timestamps are past its retention, here while they are read.
    timestamp_ms = time.time_ns() // 1_000_000
    batches: dict[tuple[TopicKind, int], Any] = {}
    in_flight: set[asyncio.Future[Any]] = set()

    async def send(place: tuple[TopicKind, int]) -> None:
        kind, partition = place
        in_flight.add(await producer.send_batch(batches.pop(place), topics[kind], partition=partition))
        if len(in_flight) >= MOST_IN_FLIGHT:
            done, waiting = await asyncio.wait(in_flight, return_when=asyncio.FIRST_COMPLETED)
            in_flight.clear()
            in_flight.update(waiting)
            for sent in done:
                sent.result()

    number = 0
    for record in records:
        place = (record.kind, record.partition)
        batch = batches.get(place)
        if batch is None:
            batch = batches[place] = producer.create_batch()
        if batch.append(key=record.key, value=record.value, timestamp=timestamp_ms) is None:
            await send(place)
            batch = batches[place] = producer.create_batch()
            batch.append(key=record.key, value=record.value, timestamp=timestamp_ms)
        number += 1
    for place in list(batches):
        await send(place)
    await asyncio.gather(*in_flight)
    return number
