"""Every worker follows the clock topic: the global clock is the same function of the same records everywhere."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, TopicPartition

from stream_kpi.shell.options import ShellOptions
from stream_kpi.shell.recovery import POLL_MS, Records, read_to_end, reader
from stream_kpi.windows.clock import GlobalClock


def wall_ms() -> int:
    """The wall clock in epoch ms."""
    return time.time_ns() // 1_000_000


class ClockListener:
    """Keeps a GlobalClock up to date from ``<app>-clock``. ``run`` ends only by being cancelled or by an error."""

    def __init__(self, options: ShellOptions) -> None:
        self._options = options
        self._tp = TopicPartition(options.clock_topic, 0)
        self.clock = GlobalClock()
        self._consumer: AIOKafkaConsumer | None = None
        self._read = asyncio.Event()

    def now_ms(self) -> int | None:
        """``now`` of all shards; None while nothing is known."""
        return self.clock.now_ms(None if self._options.event_clock else wall_ms())

    async def up_to_date(self) -> None:
        """Return when everything is read that was on the topic when this was called."""
        await self._read.wait()
        consumer = self._consumer
        assert consumer is not None  # noqa: S101 - set before the event
        end = (await consumer.end_offsets([self._tp]))[self._tp]
        while await consumer.position(self._tp) < end:  # noqa: ASYNC110 - aiokafka tells nobody that a position moved
            await asyncio.sleep(POLL_MS / 1000)

    async def run(self) -> None:
        """Follow the topic from its beginning."""
        tp = self._tp
        async with reader(self._options.broker, [tp], self._options.security) as consumer:
            await read_to_end(consumer, [tp], self._take)
            self._consumer = consumer
            self._read.set()
            while True:
                for records in (await consumer.getmany(timeout_ms=POLL_MS * 10)).values():
                    self._take(tp, records)

    def _take(self, _tp: TopicPartition, records: Records) -> None:
        update: Callable[[bytes | None, bytes | None], None] = self.clock.update
        for record in records:
            update(record.key, record.value)
