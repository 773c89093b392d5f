"""The merge, on the worker that owns shard 0: all shards' panes in, KPI values out."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Generator, Mapping
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition

from stream_kpi.shell.clock import ClockListener
from stream_kpi.shell.core import MergeCore, PublicationCore
from stream_kpi.shell.flush import Record, WriteError, Writer, partitions_of
from stream_kpi.shell.options import ShellOptions
from stream_kpi.shell.recovery import Records, read_to_end, reader
from stream_kpi.shell.stats import Stats
from stream_kpi.shell.turns import SHORT_TURN_S, Turns

log = logging.getLogger(__name__)
REST = 4
REST_BEHIND = 9
REST_FAR_BEHIND = 49
"""From one publish's begin to the next one's it is at least so many times the processor time that it took: the shards
need the processor too, more while they have something to read, and most with a backlog, whose values are old anyway."""
PUBLISH_REST = 3.0
"""While the shards have something to read, a publish leaves them the processor for so many times its turn: one that
takes a second of it would else keep what falls due in them waiting."""
LOST_PAUSE_S = 1.0
MOST_RECORDS = 20_000
"""Panes that are read at once: while values settle a publish follows each read, and takes as long however few they
are."""
HISTORY_STEP_MS = 3_600_000
"""A publish tells history of the windows that `now` has passed since the one before it, and of those of five minutes
only while they are kept, three hours: with a backlog it comes after so much of the events' time at the latest."""
READ_ON_S = 10.0
"""So long a publish waits for panes that are written and not read: it would be of windows that lack them."""

Show = Callable[[Any, int | None], None]
"""Takes each publication, and the moment as of which it is in epoch ms, to the live store; None: another worker
publishes from now on."""


class Shards(Protocol):
    """What the merge needs of the worker's shards."""

    stats: Stats
    turns: Turns

    @property
    def processors(self) -> Collection[int]:
        """The numbers of those that are open."""


class MergeService:
    """``run`` ends by being cancelled, or by an error that reading anew cannot mend."""

    def __init__(
        self,
        options: ShellOptions,
        new_core: Callable[[], MergeCore],
        new_writer: Callable[[], Writer],
        clock: ClockListener,
        shards: Shards,
        show: Show,
    ) -> None:
        self._options = options
        self._new_core = new_core
        self._new_writer = new_writer
        self._clock = clock
        self._shards = shards
        self._stats = shards.stats
        self._turns = shards.turns
        self._show = show
        self._published_ms: int | None = None

    async def run(self) -> None:
        """Merge and publish. After a failed write everything is read anew, once shard 0 is open here."""
        while True:
            # The app ends this when shard 0 is assigned to another. That it is not open may be for a moment only: it
            # has been fenced as well, and is read anew.
            if 0 in self._shards.processors:
                await self._until_lost()
            await asyncio.sleep(LOST_PAUSE_S)

    async def _until_lost(self) -> None:
        writer = self._new_writer()
        try:
            await writer.open()
            await self._serve(writer)
        except WriteError as error:
            self._stats.counts["merge_lost", "fenced" if error.fenced else "failed"] += 1
            log.warning("a publish was not written (%s)", error)
        finally:
            self._stats.merging = False
            self._stats.values_ms = None
            self._show(None, None)
            await writer.close()

    async def _serve(self, writer: Writer) -> None:
        options, core = self._options, self._new_core()
        said = [
            TopicPartition(topic, partition)
            for topic in (options.values_topic, options.withdrawn_topic)
            for partition in await writer.partitions(topic)
        ]
        panes = [TopicPartition(options.panes_topic, p) for p in await writer.partitions(options.panes_topic)]

        def take_said(tp: TopicPartition, records: Records) -> None:
            restore = core.restore_published if tp.topic == options.values_topic else core.restore_withdrawn
            for record in records:
                restore(record.key, record.value)

        def restore_panes(tp: TopicPartition, records: Records) -> None:
            for record in records:
                core.restore(tp.partition, record.key, record.value or None)

        async with reader(options.broker, said, options.security) as consumer:
            await read_to_end(consumer, said, take_said)
        async with reader(options.broker, panes, options.security) as consumer:
            await read_to_end(consumer, panes, restore_panes)
            await self._turns.take(core.restored())
            # Every shard of ours has said that it is behind before we came here: what was said before it is outdated.
            await self._clock.up_to_date()
            self._stats.merging = True
            await self._follow(consumer, core, writer)

    async def _follow(self, consumer: AIOKafkaConsumer, core: MergeCore, writer: Writer) -> None:
        published_s, work_s, settling = time.monotonic() - self._options.publish_interval_s, 0.0, False
        while True:
            # Looked at again within an interval: the shards may have caught up, and the pause be a shorter one.
            due_s = published_s + self._pause_s(work_s, settling=settling)
            wait_s = max(0.0, min(self._options.publish_interval_s, due_s - time.monotonic()))
            fetched = await consumer.getmany(timeout_ms=int(1000 * wait_s), max_records=MOST_RECORDS)
            await self._turns.take(_taken_in(core, fetched), SHORT_TURN_S)
            now_s = time.monotonic()
            more = sum(map(len, fetched.values())) >= MOST_RECORDS
            if now_s < published_s + self._pause_s(work_s, settling=settling) + READ_ON_S * more:
                continue
            published_s = now_s
            settling, work_s = await self._publish(core, writer)
            self._stats.publish_seconds.append(time.monotonic() - published_s)

    def _pause_s(self, work_s: float, *, settling: bool) -> float:
        """From a publish's begin to the next one's, by what it took of the processor."""
        behind = self._behind()
        if settling and not behind:
            return 0.0
        shards = self._stats.shards.values()
        far_behind = sum(shard.behind for shard in shards) > len(shards)
        rest = REST_FAR_BEHIND if far_behind and not self._history_waits() else REST_BEHIND if behind else REST
        return max(self._options.publish_interval_s, rest * work_s)

    def _history_waits(self) -> bool:
        now_ms, published_ms = self._clock.now_ms(), self._published_ms
        return now_ms is not None and published_ms is not None and now_ms - published_ms >= HISTORY_STEP_MS

    def _behind(self) -> bool:
        return not all(shard.caught_up for shard in self._stats.shards.values())

    async def _publish(self, core: MergeCore, writer: Writer) -> tuple[bool, float]:
        """Whether the values of a `now` that stands still are not all published (where it moves on, there is always
        something left), and the processor time that it took to evaluate them."""
        now_ms = self._clock.now_ms()
        if now_ms is None:
            return False, 0.0
        stands_still, self._published_ms = now_ms == self._published_ms, now_ms
        publication, work_s = await self._turns.take(
            core.publish(now_ms, self._clock.clock.first_ms), SHORT_TURN_S, PUBLISH_REST if self._behind() else 0.0
        )
        if publication.unbalanced:
            self._stats.counts["data_problems", "balance_broken"] += publication.unbalanced
        if publication.untold:
            self._stats.counts["untold",] += publication.untold
        if publication.changed or publication.withdrawn:
            await writer.write(await self._laid_out(publication, writer))
            self._stats.counts["published",] += len(publication.changed)
        self._show(publication, now_ms)
        self._stats.values_ms = now_ms
        return stands_still and not publication.complete, work_s

    async def _laid_out(self, publication: PublicationCore, writer: Writer) -> dict[TopicPartition, list[Record]]:
        """History first: where there are no transactions, a kill lets it be told twice, which its readers can see."""
        options = self._options
        records: defaultdict[TopicPartition, list[Record]] = defaultdict(list)
        for topic, told in (
            (options.history_topic, publication.history),
            (options.withdrawn_topic, publication.withdrawn),
            (options.values_topic, publication.changed),
        ):
            partitions = partitions_of([key for key, _ in told], await writer.partitions(topic)) if told else ()
            for (key, value), partition in zip(told, partitions, strict=True):
                records[TopicPartition(topic, partition)].append((key, value, [], None))
        return records


def _taken_in(core: MergeCore, fetched: Mapping[TopicPartition, Records]) -> Generator[None, None, None]:
    for tp, records in fetched.items():
        for record in records:
            core.apply(tp.partition, record.key, record.value or None)
            yield
    yield from core.settle()
