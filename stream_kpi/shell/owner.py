"""All shards of this worker: opened when their partitions are assigned, dropped when they are revoked or lost.

Opening a shard, in this order: fence the former owner, read the changelogs to their end, check that the inputs are
still the state's, seek them to applied + 1. A shard whose write failed is thrown away and opened again from Kafka;
if another producer has fenced it, only while the group still counts us in.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from aiokafka import TopicPartition
from faust.types import TP

from stream_kpi.errors import NO_BROKER, UserError
from stream_kpi.shell.core import Core, ShardCore
from stream_kpi.shell.flush import WriteError, Writer
from stream_kpi.shell.guard import Known, check_input, check_partition_counts
from stream_kpi.shell.options import ShellOptions
from stream_kpi.shell.processor import BatchMessage, Processor
from stream_kpi.shell.reading import Progress
from stream_kpi.shell.recovery import Records, look_at_input, read_to_end, reader
from stream_kpi.shell.stats import Stats
from stream_kpi.shell.turns import Turns

log = logging.getLogger(__name__)
MEMBERSHIP_INTERVAL_S = 1.0


class Inputs(Protocol):
    """What the owner needs of Faust's consumer."""

    def move(self, positions: Mapping[TP, int]) -> None:
        """Seek."""

    def progress(self) -> Mapping[TP, Progress]:
        """How far each input has been read."""

    async def beginning(self, tp: TP) -> int:
        """Where the input's log begins now."""

    async def is_member(self, positions: Mapping[TP, int]) -> bool:
        """True when the group's coordinator takes our commits."""

    async def commit_acknowledged(self) -> object:
        """Commit what is acknowledged."""

    def acknowledge(self, message: BatchMessage) -> None:
        """The message is flushed."""


class Lost(Exception):  # noqa: N818 - the end of a shard that another worker goes on with
    """The shard's last flush was not written, and it is not ours any more."""


class Owner:
    """Holds the shards. ``fail`` is called with the first error that no new opening can mend."""

    def __init__(
        self,
        options: ShellOptions,
        core: Core,
        inputs: Inputs,
        new_writer: Callable[[int], Writer],
        event_now_ms: Callable[[], int | None],
        fail: Callable[[BaseException], Awaitable[None]],
    ) -> None:
        self.options = options
        self.stats = Stats()
        self.turns = Turns()
        self.processors: dict[int, Processor] = {}
        self.shards = 0
        """The partition count; set by the app before the first assignment."""
        self._core = core
        self._inputs = inputs
        self._new_writer = new_writer
        self._event_now_ms = event_now_ms
        self._fail = fail
        self._holding: dict[int, asyncio.Task[None]] = {}
        self._parked: dict[int, Processor] = {}
        self._looking: dict[TP, asyncio.Task[None]] = {}
        self._opened = asyncio.Condition()
        self._revoking = asyncio.Lock()
        self.stopped = False
        """From when :meth:`stop` has been called."""
        self._wanted: set[int] = set()

    # What a processor needs.

    @property
    def progress(self) -> Mapping[TP, Progress]:
        """How far each input has been read, as of now: what a shard's clock goes by must not be older than it has to
        be."""
        return self._inputs.progress()

    def event_now_ms(self) -> int | None:
        """The global clock's time."""
        return self._event_now_ms()

    def acknowledge(self, message: BatchMessage) -> None:
        """The message is flushed."""
        self._inputs.acknowledge(message)

    def seek(self, positions: Mapping[TP, int]) -> None:
        """Read these inputs again from here. From now on, nothing is known of how far they have been read."""
        self._inputs.move(positions)

    def skipped(self, tp: TP, start: int, first: int) -> None:
        """Offsets without records are a transaction's markers, or what compaction or retention has deleted: the last is
        lost input, and only where the log now begins tells it."""
        if tp not in self._looking:
            self._looking[tp] = asyncio.create_task(self._look_for_loss(tp, start, first))

    async def _look_for_loss(self, tp: TP, start: int, first: int) -> None:
        try:
            lost = min(first, await self._inputs.beginning(tp)) - start
            if lost > 0:
                self._count_lost(tp.topic, tp.partition, lost)
        finally:
            del self._looking[tp]

    def _count_lost(self, topic: str, partition: int, lost: int) -> None:
        self.stats.counts["lost_input", topic] += lost
        log.error("%s, partition %d: %d records were deleted before they were read", topic, partition, lost)

    # What the app calls.

    @property
    def ready(self) -> bool:
        """True when every assigned shard is open."""
        return self._wanted <= self.processors.keys()

    @property
    def opening(self) -> int:
        """How many assigned shards are not open."""
        return len(self._wanted - self.processors.keys())

    def positions(self) -> dict[TP, int]:
        """Where every input of the open shards is to be read from."""
        return {tp: at for processor in self.processors.values() for tp, at in processor.positions.items()}

    async def take(self, message: BatchMessage) -> None:
        """Hand a batch to its shard. A batch of a shard that is not open is dropped: it will be read again."""
        processor = self.processors.get(message.value.partition)
        if processor is not None:
            await processor.take(message)

    async def assigned(self, numbers: set[int]) -> None:
        """Open these shards, and drop what was kept of others; returns when all are open. Nothing after a stop."""
        if self.stopped:
            return
        self._wanted = set(numbers)
        for number in self._parked.keys() - numbers:
            await self._parked.pop(number).writer.close()
        for number in numbers - self._holding.keys():
            self._holding[number] = asyncio.create_task(self._hold(number), name=f"shard-{number}")
        async with self._opened:
            await self._opened.wait_for(lambda: self.ready)

    async def revoked(self) -> None:
        """Flush and let go of every shard. One that is clean is kept for the case that it comes back: if it had another
        owner in between, its next flush is fenced. Returns when all are let go of, whoever has asked for it: a stop in
        the middle of a rebalance must not close the consumer while the shards still have something to commit."""
        async with self._revoking:
            await self._let_go()

    async def _let_go(self) -> None:
        self._wanted = set()
        for working in self.processors.values():
            working.stop()
        holding, self._holding = self._holding, {}
        for number, task in holding.items():
            if number not in self.processors:
                task.cancel()
        outcomes = await asyncio.gather(*holding.values(), return_exceptions=True)
        for number, outcome in zip(holding, outcomes, strict=True):
            processor = self.processors.pop(number, None)
            if processor is not None and outcome is None:
                self._parked[number] = processor
        self.stats.shards.clear()
        await self._inputs.commit_acknowledged()

    async def stop(self) -> None:
        """As revoked, for good."""
        self.stopped = True
        await self.revoked()
        await asyncio.gather(*(processor.writer.close() for processor in self._parked.values()))
        self._parked.clear()

    # One shard, from its opening to its end.

    async def _hold(self, number: int) -> None:
        # Returns when the shard was let go of clean; every other end is an error.
        processor = self._parked.pop(number) if number in self._parked else None
        try:
            while True:
                if processor is None:
                    processor = await self._open(number)
                else:
                    processor.resume()
                    log.info("shard %d: kept", number)
                try:
                    await self._announce(processor)
                    self.processors[number] = processor
                    self.stats.shards[number] = processor.stats
                    self.seek(processor.positions)
                    async with self._opened:
                        self._opened.notify_all()
                    await processor.run()
                    await processor.flush()
                    return
                except WriteError as error:
                    await self._lose(processor, error)
                processor = None
        except Lost:
            raise
        except Exception as error:
            await self._fail(error)
            raise

    async def _announce(self, processor: Processor) -> None:
        # Before anything is applied, the global clock learns that the shard is behind: its former owner may have said
        # that it was caught up, and that was before all that waits now.
        try:
            await processor.flush()
        except BaseException:
            await processor.writer.close()
            raise

    async def _lose(self, processor: Processor, error: WriteError) -> None:
        # Returns when the shard may be opened again. Raises Lost when it is no longer wanted here.
        number = processor.number
        self.processors.pop(number, None)
        self.stats.shards.pop(number, None)
        self.stats.counts["shard_lost", "fenced" if error.fenced else "failed"] += 1
        log.warning("shard %d: a flush was not written (%s); what it held is read again", number, error)
        processor.stop()
        await processor.writer.close()
        # Fenced: someone else may rightly own it by now, and to fence back would take it from him.
        if error.fenced:
            await self._counted_in(processor)
        if number not in self._wanted:
            raise Lost from error

    async def _counted_in(self, processor: Processor) -> None:
        # Returns when the group's coordinator takes our commit, or the shard is not wanted here any more. Only the
        # broker knows, and it tells only who asks.
        while not await self._inputs.is_member(processor.committable):
            if processor.number not in self._wanted:
                return
            await asyncio.sleep(MEMBERSHIP_INTERVAL_S)

    async def _open(self, number: int) -> Processor:
        options, started = self.options, time.monotonic()
        writer = self._new_writer(number)
        try:
            await self._fence(number, writer)
            core = self._core.shard(number, self.shards)
            recovered = await self._restore(number, core)
            begin = await self._check_inputs(number, core)
        except BaseException:
            await writer.close()
            raise
        seconds = time.monotonic() - started
        self.stats.recovery_seconds = seconds
        self.stats.counts["recovered_records",] += recovered
        log.info("shard %d: open, %d records recovered in %.1f s", number, recovered, seconds)
        return Processor(number, core, writer, {topic: begin[topic] for topic in options.input_topics}, self)

    async def _fence(self, number: int, writer: Writer) -> None:
        try:
            await writer.open()
        except WriteError as error:
            raise UserError(
                f"shard {number} cannot be opened: {self.options.broker} does not answer as it should ({error}). "
                "Look at the brokers' health; the worker can be started again at any time.",
                NO_BROKER,
            ) from error

    async def _restore(self, number: int, core: ShardCore) -> int:
        state = TopicPartition(self.options.state_topic, number)
        panes = TopicPartition(self.options.panes_topic, number)

        def take(tp: TopicPartition, records: Records) -> None:
            items = [(record.key, record.value or None) for record in records]
            core.restore(*((items, ()) if tp == state else ((), items)))

        async with reader(self.options.broker, [state, panes], self.options.security) as consumer:
            count = await read_to_end(consumer, [state, panes], take)
        await self.turns.take(core.restored())
        return count

    async def _check_inputs(self, number: int, core: ShardCore) -> dict[str, int]:
        # Where to read each input from. Raises UserError for an input that is not the state's any more.
        options, begin = self.options, {}
        if core.position:
            check_partition_counts(options.app_id, dict.fromkeys(options.input_topics, self.shards), core.shards)
        for topic in options.input_topics:
            tp = TopicPartition(topic, number)
            applied = core.position.get((topic, number))
            async with reader(options.broker, [tp], options.security) as consumer:
                if applied is None:
                    begin[topic] = (await consumer.beginning_offsets([tp]))[tp]
                    continue
                known = Known(applied.offset, applied.timestamp_ms, applied.checksum)
                found = await look_at_input(consumer, tp, known)
            lost = check_input(options.app_id, topic, number, known, found)
            if lost:
                self._count_lost(topic, number, lost)
            begin[topic] = known.offset + 1 + lost
        return begin
