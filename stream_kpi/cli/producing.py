"""How `produce` and `demo` send: whole record batches a partition, so that a file goes as fast as it can be read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from stream_kpi.brokers.probe import BrokerFacts, no_broker
from stream_kpi.brokers.security import security_of
from stream_kpi.cli.files import Line, read_lines
from stream_kpi.cli.progress import WorkProgress
from stream_kpi.errors import UserError
from stream_kpi.events.partitioner import Partitioner
from stream_kpi.events.times import event_time_ms
from stream_kpi.settings import Settings
from stream_kpi.topics import kind_of, source_topics

_HEADERS = [("content-type", b"application/cloudevents+json")]
_BATCH_BYTES = 512 * 1024
_FLUSH_EVERY_S = 0.05
"""With --speed: an event waits no longer than this for others to share its batch."""


class _Envelope(msgspec.Struct, gc=False):
    type: str
    subject: str
    time: str | None = None


class Sent(NamedTuple):
    """What was sent, and how long it took."""

    events: int
    seconds: float


class RecordBatches:
    """The open record batch of each partition. Raises UserError for an event that fits into none."""

    def __init__(self, producer: Any) -> None:  # noqa: ANN401 - aiokafka has no types
        self._producer = producer
        self._open: dict[tuple[str, int], Any] = {}

    async def add(self, topic: str, partition: int, key: bytes, value: bytes) -> None:
        """Put an event into its partition's batch, which is sent when it is full."""
        place, now_ms = (topic, partition), time.time_ns() // 1_000_000
        batch = self._open.get(place)
        if batch is None:
            batch = self._open[place] = self._producer.create_batch()
        if batch.append(key=key, value=value, timestamp=now_ms, headers=_HEADERS) is None:
            if batch.record_count() == 0:
                message = f"an event of {len(value):,} bytes is too large for a record batch of {_BATCH_BYTES:,}"
                raise UserError(message)
            await self._send(place)
            await self.add(topic, partition, key, value)

    async def _send(self, place: tuple[str, int]) -> Any:  # noqa: ANN401 - as above
        batch = self._open.pop(place)
        batch.close()
        return await self._producer.send_batch(batch, place[0], partition=place[1])

    async def flush(self) -> None:
        """Return when everything is acknowledged."""
        acknowledged = [await self._send(place) for place in list(self._open)]
        await self._producer.flush()
        for future in acknowledged:
            await future


@asynccontextmanager
async def record_batches(settings: Settings, facts: BrokerFacts) -> AsyncIterator[RecordBatches]:
    """Yield the batches of a producer of their own; flush them before the end. Raises UserError: no broker answers."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.broker.address,
        max_batch_size=_BATCH_BYTES,
        enable_idempotence=facts.transactional,
        **security_of(settings.broker).client_options(),
    )
    try:
        await producer.start()
        yield RecordBatches(producer)
    except KafkaError as error:
        raise no_broker(settings.broker.address, str(error) or type(error).__name__) from error
    finally:
        await producer.stop()


def _events(files: list[Path]) -> Iterator[tuple[Path, Line, _Envelope, int]]:
    """Yield each line with its envelope and how much of all files has been read."""
    decode = msgspec.json.Decoder(_Envelope).decode
    done_bytes = 0
    for path in files:
        for line in read_lines(path):
            try:
                yield path, line, decode(line.text), done_bytes + line.read_bytes
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
                raise UserError(f"{path} line {line.number}: no event ({error})") from error
        done_bytes += path.stat().st_size


class _Pace:
    """Waits until an event's time has come, ``speed`` times faster than it was."""

    def __init__(self, speed: float) -> None:
        self._speed = speed
        self._first_ms: int | None = None
        self._started_s = time.monotonic()

    def wait_s(self, event_ms: int) -> float:
        """Return how long an event of that time is to wait; a late one never waits."""
        if self._first_ms is None:
            self._first_ms = event_ms
        due_s = self._started_s + (event_ms - self._first_ms) / 1000 / self._speed
        return due_s - time.monotonic()


async def produce_files(files: list[Path], settings: Settings, facts: BrokerFacts, speed: float | None) -> Sent:
    """Send every line of the files, paced by their times where ``speed`` is given.

    The source topics exist. Raises UserError: a file cannot be read, a line is no event, the broker refuses.
    """
    total_bytes = sum(path.stat().st_size for path in files if path.exists())
    started_s = time.monotonic()
    async with record_batches(settings, facts) as batches:
        with WorkProgress("Sending events", total_bytes) as progress:
            events = await _send_all(files, settings, facts, batches, _Pace(speed) if speed else None, progress)
    return Sent(events, max(time.monotonic() - started_s, 1e-9))


async def _send_all(
    files: list[Path],
    settings: Settings,
    facts: BrokerFacts,
    batches: RecordBatches,
    pace: _Pace | None,
    progress: WorkProgress,
) -> int:
    topics = source_topics(settings)
    partitioners = {topic: Partitioner(settings.broker.partitioner, facts.topics[topic]) for topic in topics.values()}
    events, flushed_s = 0, time.monotonic()
    try:
        for path, line, envelope, read_bytes in _events(files):
            kind = kind_of(envelope.type)
            if kind is None:
                raise UserError(f"{path} line {line.number}: no topic takes events of type {envelope.type!r}")
            if pace is not None and time.monotonic() - flushed_s > _FLUSH_EVERY_S:
                await batches.flush()
                flushed_s = time.monotonic()
            if pace is not None and envelope.time and (wait_s := pace.wait_s(_time_ms(path, line, envelope.time))) > 0:
                await batches.flush()
                await asyncio.sleep(wait_s)
                flushed_s = time.monotonic()
            key = envelope.subject.encode()
            await batches.add(topics[kind], partitioners[topics[kind]].owner(key), key, line.text)
            events += 1
            progress.update(read_bytes, f"{events:,} events")
    finally:
        await batches.flush()
    return events


def _time_ms(path: Path, line: Line, time_text: str) -> int:
    try:
        return event_time_ms(time_text)
    except ValueError as error:
        raise UserError(f"{path} line {line.number}: --speed needs the event's time ({error})") from error
