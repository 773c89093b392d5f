"""One shard at work: applies batches in order, advances its clock, flushes; one flush in flight, applying goes on."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from faust.types import TP

from stream_kpi.pipeline import Flush, InputRecord
from stream_kpi.shell.clock import wall_ms
from stream_kpi.shell.core import AppliedRecord, ShardCore
from stream_kpi.shell.flush import FlushRecords, Writer
from stream_kpi.shell.options import ShellOptions
from stream_kpi.shell.reading import Progress
from stream_kpi.shell.stats import ShardStats, Stats
from stream_kpi.shell.transport import Batch
from stream_kpi.shell.turns import Turns

CATCHING_UP = 16
"""Flush intervals that a shard far behind lets pass between two flushes: its values are old anyway, and what a flush
costs, here and in the merge, goes with the cells that it touches more than with the events."""
READ_BETWEEN_FLUSHES = 0.2
"""This part of ``flush_events`` the shards of a worker read between two flushes, about half a second, each its share. A
shard lets so many intervals pass as it would take to catch up: what is written before that is behind anyway."""
FLUSH_PANES = 25_000
"""Panes of the tiers that a flush's events should change at most: about a third of a second's work, and a transaction
of a few MB, for which ten seconds must do on the busiest machine. 50,000 events of a dense log change 3,000 of them;
events that are hours apart 35 each."""
CAUTIOUS_EVENTS = 500
"""So many events make a flush before it is known how many panes they have, and however many they have."""
PIECE_RECORDS = 512
"""So many records of a batch are applied before a flush may come."""


class BatchMessage(Protocol):
    """A Faust message whose value is a batch."""

    value: Batch


class Surroundings(Protocol):
    """What a processor needs of its owner."""

    options: ShellOptions
    stats: Stats
    turns: Turns

    @property
    def progress(self) -> Mapping[TP, Progress]:
        """How far each input has been read since it was last sought; nothing of one that the broker has not told of."""

    def event_now_ms(self) -> int | None:
        """The global clock's event time."""

    def acknowledge(self, message: BatchMessage) -> None:
        """What the message holds is flushed."""

    def seek(self, positions: Mapping[TP, int]) -> None:
        """Read these inputs again from here."""

    def skipped(self, tp: TP, start: int, first: int) -> None:
        """No record of this input has come from ``start`` to before ``first``."""


class Gathered(NamedTuple):
    """What a flush writes (None: nothing), up to where it has applied the inputs, and the messages that it holds."""

    flush: Flush | None
    position: Mapping[tuple[str, int], AppliedRecord]
    messages: list[BatchMessage]


class Processor:
    """Serialises apply, advance and flush of one shard. A WriteError of ``run`` means: throw all of this away."""

    def __init__(
        self, number: int, core: ShardCore, writer: Writer, begin: Mapping[str, int], around: Surroundings
    ) -> None:
        self.number = number
        self.core = core
        self.writer = writer
        self.stats = ShardStats()
        self._around = around
        self._options = around.options
        self._expected = {TP(topic, number): offset for topic, offset in begin.items()}
        self._layout = FlushRecords(around.options, number)
        self._unflushed: list[BatchMessage] = []
        self._waiting_events = 0
        self._most_events = min(CAUTIOUS_EVENTS, around.options.flush_events)
        """After so many, a flush."""
        self._working = asyncio.Lock()
        """Held by whoever is in the middle of something with the core."""
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._sought: set[TP] = set()
        self._stopping = False
        self._broken = False
        self._said_caught_up = False
        self._flushed: Mapping[tuple[str, int], AppliedRecord] = dict(core.position)

    @property
    def positions(self) -> Mapping[TP, int]:
        """What each input is to be read from next."""
        return dict(self._expected)

    @property
    def committable(self) -> Mapping[TP, int]:
        """What the state in Kafka has at least applied, as offsets to commit."""
        return {TP(topic, partition): at.offset + 1 for (topic, partition), at in self._flushed.items()}

    @property
    def intervals(self) -> float:
        """How many flush intervals to let pass before the next flush, unless many events wait for it."""
        return min(max(1.0, self.stats.behind), CATCHING_UP)

    @property
    def pause_s(self) -> float:
        """From one flush to the next, unless many events wait for it."""
        # What has told of itself that it has caught up must not wait to tell that it no longer has.
        return self._options.flush_interval_s * (1.0 if self._said_caught_up else self.intervals)

    async def take(self, message: BatchMessage) -> None:
        """Apply a batch, a piece at a time; returns when there is room for another, or at a stop. One that leaves a
        hole is not applied: its input is read again from the hole (Faust drops what is on its way when partitions
        move)."""
        batch = message.value
        tp = TP(batch.topic, batch.partition)
        expected = self._expected[tp]
        if batch.start > expected:
            self._around.stats.counts["out_of_order_batches",] += 1
            if tp not in self._sought:
                self._sought.add(tp)
                self._around.seek({tp: expected})
            return
        self._sought.discard(tp)
        if batch.end > expected:
            records = batch.records
            if records[0].offset < expected:
                records = [record for record in records if record.offset >= expected]
            if records and records[0].offset > max(batch.start, expected):
                self._around.skipped(tp, max(batch.start, expected), records[0].offset)
            for first in range(0, len(records), PIECE_RECORDS):
                if not await self._take_piece(tp, records[first : first + PIECE_RECORDS]):
                    return
            self._expected[tp] = batch.end
            self._around.stats.counts["batches",] += 1
            self._around.stats.batch_records.append(len(records))
        self._unflushed.append(message)
        await self._room.wait()

    async def _take_piece(self, tp: TP, records: Sequence[InputRecord]) -> bool:
        # False when the shard has been stopped meanwhile: what is not applied by then is read again.
        await self._room.wait()
        async with self._working:
            if self._stopping:
                return False
            await self._apply(tp.topic, tp.partition, records)
            self._expected[tp] = records[-1].offset + 1
            self._waiting_events += len(records)
            if self._waiting_events >= self._most_events:
                self._wake.set()
            if self._waiting_events >= 2 * self._most_events and not self._stopping:
                self._room.clear()
        return True

    async def _apply(self, topic: str, partition: int, records: Sequence[InputRecord]) -> None:
        try:
            await self._around.turns.take(self.core.apply_steps(topic, partition, records, wall_ms()))
        except BaseException:
            # A part of the records is applied: nothing of this memory may be written any more.
            self._broken = True
            raise

    async def run(self) -> None:
        """Tick and flush until ``stop``. Raises WriteError when a flush fails or its outcome is unknown."""
        gathered_s = -math.inf
        while not self._stopping:
            with contextlib.suppress(TimeoutError):
                due_s = gathered_s + self.pause_s
                async with asyncio.timeout(max(0.0, min(self._options.tick_s, due_s - time.monotonic()))):
                    await self._wake.wait()
            self._wake.clear()
            async with self._working:
                await self.tick()
                now_s = time.monotonic()
                # The pause anew: a shard that has caught up by this tick makes nobody wait for what it had put off.
                if now_s < gathered_s + self.pause_s and self._waiting_events < self._most_events:
                    continue
                gathered_s = now_s
                # Not a moment after the tick: whether the shard has caught up is as of then.
                gathered = await self._gather()
            await self._write(gathered)

    def resume(self) -> None:
        """Make ready for another ``run``, after one that ended clean."""
        self._stopping = False
        self.stats.caught_up = False
        self._sought.clear()

    def stop(self) -> None:
        """Let ``run`` return when the flush that is in flight has ended, and whoever waits in ``take`` go."""
        self._stopping = True
        self._wake.set()
        self._room.set()

    async def tick(self) -> None:
        """Let the shard's clock go on: the world's for what every input of which has been read to its end, else that of
        the events read of the inputs that have not."""
        around, stats = self._around, self.stats
        known_ms = self._known_ms()
        unread = {tp.topic for tp, lag in stats.lag.items() if lag}
        stats.caught_up = known_ms is not None and not unread
        stats.greatest_ms = self.core.greatest_ms
        if stats.caught_up:
            stats.flushed_at_s = time.monotonic()
        if known_ms is not None:
            now_ms = around.event_now_ms() if self._options.event_clock else known_ms
            await around.turns.take(self.core.advance_steps(now_ms, unread))

    def _known_ms(self) -> int | None:
        # The moment up to which, by the broker's own word, nothing is unread of the inputs that have been read to their
        # end; None while the broker has not told of one.
        known_ms, lag = wall_ms(), {}
        for tp, expected in self._expected.items():
            progress = self._around.progress.get(tp)
            if progress is None:
                self.stats.lag, self.stats.behind = {}, 0.0
                return None
            unread = progress.delivered > expected or progress.position < progress.highwater
            lag[tp] = max(1, progress.highwater - expected) if unread else 0
            if not unread:
                known_ms = min(known_ms, progress.known_ms)
        self.stats.lag = lag
        read_between = READ_BETWEEN_FLUSHES * self._options.flush_events / max(1, len(self._around.stats.shards))
        self.stats.behind = sum(lag.values()) / read_between
        return known_ms

    def _most_events_at(self, panes_per_event: float) -> int:
        most = self._options.flush_events
        if panes_per_event * most > FLUSH_PANES:
            most = min(most, max(CAUTIOUS_EVENTS, int(FLUSH_PANES / panes_per_event)))
        return most

    async def flush(self) -> None:
        """Write what has changed, then acknowledge the batches that it holds. Raises WriteError. Does nothing after an
        apply that failed."""
        async with self._working:
            gathered = await self._gather()
        await self._write(gathered)

    async def _gather(self) -> Gathered:
        if self._broken:
            return Gathered(None, self._flushed, [])
        messages, self._unflushed = self._unflushed, []
        events, self._waiting_events = self._waiting_events, 0
        position = dict(self.core.position)
        self._said_caught_up = self.stats.caught_up
        flush = (await self._around.turns.take(self.core.flush_steps(caught_up=self.stats.caught_up))).result
        self._around.stats.counts.update(self.core.counts)
        self.core.counts.clear()
        if flush is not None and events:
            self._most_events = self._most_events_at(flush.tier_panes / events)
        self._room.set()
        return Gathered(flush, position, messages)

    async def _write(self, gathered: Gathered) -> None:
        flush, position, messages = gathered
        stats = self._around.stats
        if flush is not None:
            started = time.monotonic()
            await self.writer.write(await self._layout.lay_out(flush, self.writer))
            self.stats.flushed_at_s = time.monotonic()
            stats.flush_seconds.append(self.stats.flushed_at_s - started)
            stats.counts["flushes",] += 1
            stats.counts["flushed_records",] += len(flush.state) + len(flush.panes) + len(flush.outgoing)
        self._flushed = position
        for message in messages:
            self._around.acknowledge(message)
