"""``kafka-batch://``: Faust's aiokafka driver, but each fetched (partition, records) reaches the stream as one message.

Nothing else changes for Faust: it sees a message whose value is a Batch and whose offset is the last record's. Where
to begin is the shards' business, not the group's committed offsets': every seek asks the app's ``input_positions``.

The consumer lives in the app's own loop, where Faust has a thread for it. One interpreter runs one thread at a time
anyhow, and what one thread fetches on one processor another one has to get from there: with the thread, a worker did
46,000 events a second, without it 52,000 (means of five runs each in turn, two shared cores).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar, NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRecord, OffsetAndMetadata, TopicPartition
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage
from mode.utils.futures import maybe_async

from stream_kpi.shell.reading import Progress, Readings

FETCH_MAX_WAIT_MS = 50
FETCH_MIN_BYTES = 64 << 10
"""What comes within that time comes at once: at 20,000 events a second a fetch else brings a few dozen of a partition,
and what goes with a batch, here and in the broker, is paid for each of them (batches of 50 in place of 500 cost the
core alone 5 us an event)."""


class Batch(NamedTuple):
    """Consecutive records of one partition. ``start`` and ``end`` are positions: every record from start on, and
    before end, that the partition still holds is here."""

    topic: str
    partition: int
    records: Sequence[ConsumerRecord[bytes, bytes]]
    start: int
    end: int


class NoReadOffsets(dict[TP, None]):
    """Faust's memory of read offsets, switched off: a shard itself knows what it has applied."""

    def __missing__(self, key: TP) -> None:
        return None

    def __setitem__(self, key: TP, value: object) -> None:
        return


class LoopWorker:
    """In place of the thread that a ServiceThread starts: a task of the loop that is there."""

    def __init__(self, service: ConsumerService) -> None:
        self._service = service

    def start(self) -> None:
        """Begin to serve."""
        # Kept: the loop itself holds its tasks but weakly.
        self._serving = asyncio.get_running_loop().create_task(self._service._serve())  # noqa: SLF001 - what Faust's thread calls
        # The service has told the app of an error before it raises it.
        self._serving.add_done_callback(lambda task: task.cancelled() or task.exception())

    def stop(self) -> None:
        """Nothing: the service waits for its own shutdown."""


class ConsumerService(driver.AIOKafkaConsumerThread):
    """What owns the aiokafka consumer: Faust's thread, without the thread."""

    def __init__(self, consumer: Consumer) -> None:
        loop = consumer.loop
        super().__init__(consumer, loop=loop, thread_loop=loop, Worker=LoopWorker, beacon=consumer.beacon)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.readings = Readings()

    async def call_thread(self, fun: Callable[..., object], *args: object, **kwargs: object) -> object:
        """Call it: Faust would put it into a queue, where it waits up to a second for a fetch."""
        return await maybe_async(fun(*args, **kwargs))

    async def _keepalive2(self) -> None:
        """Nothing: Faust would call a loop that is busy a thread that does not respond."""

    async def _gather_remaining_tasks(self) -> None:
        """Nothing: the loop's other tasks are the app's."""

    async def on_start(self) -> None:
        """Called by Faust when the service begins."""
        await super().on_start()
        self.readings.watch(self._ensure_consumer()._fetcher)  # noqa: SLF001 - aiokafka tells of no fetch

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = FETCH_MAX_WAIT_MS  # noqa: SLF001 - Faust hard-codes 1500, 400 ms a hop
        consumer._fetch_min_bytes = FETCH_MIN_BYTES  # noqa: SLF001 - Faust does not ask for it
        consumer._isolation_level = "read_committed"  # noqa: SLF001 - Faust ties it to its own exactly-once mode
        return consumer

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - Faust's signature
        max_records: int | None = None,
    ) -> Mapping[TP, list[Batch]]:
        fetched = await super()._fetch_records(consumer, active_partitions, timeout=timeout, max_records=max_records)
        # No await between the fetcher's step that moved the positions and this: what is read here belongs to it.
        assignment = consumer._fetcher._subscriptions.subscription.assignment  # noqa: SLF001 - no other way to it
        batches = {}
        for tp, records in fetched.items():
            end = max(assignment.state_value(tp).position, records[-1].offset + 1)
            start = self.readings.delivered(tp, assignment, end)
            if start is None:
                start = records[0].offset
            batches[TP(tp.topic, tp.partition)] = [Batch(tp.topic, tp.partition, records, start, end)]
        return batches

    def move(self, positions: Mapping[TP, int], paused: Iterable[TP]) -> None:
        """Seek, and never fetch ``paused`` ones. What is not assigned any more is left out."""
        consumer = self._ensure_consumer()
        assigned = consumer.assignment()
        subscription = consumer._fetcher._subscriptions.subscription  # noqa: SLF001 - no other way to it
        for tp, offset in positions.items():
            aiokafka_tp = TopicPartition(tp.topic, tp.partition)
            if aiokafka_tp in assigned:
                consumer.seek(aiokafka_tp, offset)
                self.readings.sought(aiokafka_tp, subscription.assignment, offset)
        consumer.pause(*(TopicPartition(*tp) for tp in paused if TopicPartition(*tp) in assigned))

    def progress(self) -> dict[TP, Progress]:
        """How far each assigned partition has been read, those left out of which the broker has not told since they
        were sought."""
        subscription = self._ensure_consumer()._fetcher._subscriptions.subscription  # noqa: SLF001 - no other way to it
        if subscription is None or subscription.assignment is None:
            return {}
        return self.readings.progress(subscription.assignment)

    async def beginning(self, tp: TP) -> int:
        """Where the partition's log begins now."""
        aiokafka_tp = TopicPartition(*tp)
        return int((await self._ensure_consumer().beginning_offsets([aiokafka_tp]))[aiokafka_tp])

    async def is_member(self, positions: Mapping[TP, int]) -> bool:
        """True when the broker takes a commit of our generation: these partitions are still ours."""
        offsets = {TopicPartition(*tp): OffsetAndMetadata(offset, "") for tp, offset in positions.items()}
        try:
            await self._ensure_consumer().commit(offsets)
        except (CommitFailedError, IllegalStateError, KafkaError):
            return False
        return True


class Consumer(driver.Consumer):
    """Faust's consumer, with batches for messages and the shards' positions for committed offsets."""

    _thread: ConsumerService

    def on_init(self) -> None:
        """Called by Faust at the end of construction and of a restart."""
        self._read_offset = NoReadOffsets()

    def _new_consumer_thread(self) -> ConsumerService:
        return ConsumerService(self)

    def _to_message(self, tp: TP, record: Batch) -> ConsumerMessage:
        last = record.records[-1]
        return ConsumerMessage(
            record.topic,
            record.partition,
            last.offset,
            last.timestamp / 1000.0,
            last.timestamp_type,
            None,
            None,
            record,
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )

    def on_buffer_full(self, tp: TP) -> None:
        """Nothing: Faust would stop fetching for a second at a time; the bounded queue holds the fetcher back."""

    def on_buffer_drop(self, tp: TP) -> None:
        """Nothing, as on_buffer_full."""

    def _new_offset(self, tp: TP) -> int | None:
        # Batches are acknowledged in order, each for all that came before it: offsets that no message stands for
        # are no gaps.
        acked = self._acked[tp]
        if not acked:
            return None
        offset: int = max(acked) + 1
        acked.clear()
        self._acked_index[tp].clear()
        return offset

    async def perform_seek(self) -> None:
        """Seek every input to the shards' positions; Faust calls this when an assignment is complete."""
        changelogs = [tp for tp in self.assignment() if self._is_changelog_tp(tp)]
        self._thread.move(self.app.input_positions(), changelogs)

    def move(self, positions: Mapping[TP, int]) -> None:
        """Seek these inputs."""
        self._thread.move(positions, ())

    def progress(self) -> dict[TP, Progress]:
        """How far each assigned partition has been read."""
        return self._thread.progress()

    async def beginning(self, tp: TP) -> int:
        """Where the partition's log begins now."""
        return await self._thread.beginning(tp)

    async def is_member(self, positions: Mapping[TP, int]) -> bool:
        """True when the group's coordinator still takes commits from us."""
        return await self._thread.is_member(positions)

    # Faust's table recovery asks these three of changelogs only: told that they are empty, it has nothing to replay.

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """Zero: our tables recover themselves."""
        return dict.fromkeys(partitions, 0)

    async def earliest_offsets(self, *partitions: TP) -> Mapping[TP, int]:
        """Zero, as highwaters."""
        return dict.fromkeys(partitions, 0)

    async def seek_wait(self, partitions: Mapping[TP, int]) -> None:
        """Nothing: the changelogs are never read through this consumer."""

    async def verify_all_partitions_active(self) -> None:
        """Nothing: Faust's livelock detector knows no batches; health tells whether the worker moves."""


class Transport(driver.Transport):
    """Registered as ``kafka-batch://``."""

    Consumer: ClassVar[type[Consumer]] = Consumer
