"""One run on a broker: tickets are opened, events sent at their times, what the workers tell is timed."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from stream_kpi.bench.figures import Task
from stream_kpi.bench.kafka import Batches, new_producer
from stream_kpi.bench.log import LogRecord, log
from stream_kpi.bench.sla.lateness import Lateness
from stream_kpi.bench.sla.stretch import Stretch
from stream_kpi.bench.worker import events_done, metrics, sla_topic

LEAD_S = 15
"""Before the stretch: for the tickets to be opened, and taken in."""
MADE_PER_MS = 40
"""Events of the log that a slow machine makes in a millisecond."""
WARM_UP_S = 5
"""So long before the stretch the events begin."""
GRACE_S = 10
"""So long after the stretch what was due in it is waited for; events go on."""
_TICK_S = 0.05
"""Between two looks at which events' time has come."""
_MOST_AT_ONCE = 2_000
"""Events that are sent, when many are due, before arrivals are looked at again."""


class Outcome(NamedTuple):
    """What was told, and the rates while it was."""

    lateness: Lateness
    sent_per_s: float
    """Events sent in the stretch."""
    handled_per_s: float
    """Events that the workers did in it."""


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


async def run(task: Task, ports: Sequence[int], instances: int, seconds: int, events_per_s: int) -> Outcome:
    """Measure the workers that read the task's topics and serve their metrics at ``ports``. Raises KafkaError."""
    count = events_per_s * (WARM_UP_S + seconds + GRACE_S)
    stretch = Stretch(_wall_ms() + 1_000 * LEAD_S + count // MADE_PER_MS, seconds, instances)
    lateness = Lateness(stretch)
    begin_ms = stretch.start_ms - 1_000 * WARM_UP_S
    # Made beforehand: what it takes to make them is none of the workers' business, and the processors are theirs.
    events = list(log(count, start_ms=begin_ms, events_per_s=events_per_s))
    gc.freeze()
    await asyncio.sleep((stretch.start_ms - _wall_ms()) / 1_000 - LEAD_S)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=task.address,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=50,
        isolation_level="read_committed",
    )
    async with consumer, new_producer(task.address) as producer:
        consumer.assign([TopicPartition(sla_topic(task), p) for p in range(task.partitions)])
        batches = Batches(producer, task.topics)
        for opening in stretch.openings(task.partitions):
            await batches.add(opening, _wall_ms())
        await batches.settle()
        told = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(_listen(consumer, stretch, lateness, told))
            handled = group.create_task(_handled(ports, stretch))
            sent = group.create_task(_send(batches, events, stretch, told))
        await batches.settle()
    return Outcome(lateness, sent.result() / seconds, handled.result() / seconds)


async def _listen(consumer: AIOKafkaConsumer, stretch: Stretch, lateness: Lateness, told: asyncio.Event) -> None:
    """Time what is told until everything that was due has been."""
    while (now_ms := _wall_ms()) < stretch.end_ms or not (
        lateness.complete or now_ms > stretch.end_ms + 1_000 * GRACE_S
    ):
        fetched = await consumer.getmany(timeout_ms=200)
        arrived_ms = _wall_ms()
        for records in fetched.values():
            for record in records:
                lateness.take(record.value, arrived_ms)
    told.set()


async def _send(batches: Batches, events: Iterable[LogRecord], stretch: Stretch, told: asyncio.Event) -> int:
    """Send each event when its time has come; how many in the stretch."""
    in_stretch = 0
    for number, event in enumerate(events):
        while event.time_ms > (now_ms := _wall_ms()):
            if told.is_set():
                return in_stretch
            await batches.send()
            await asyncio.sleep(_TICK_S)
        await batches.add(event, now_ms)
        in_stretch += stretch.holds(now_ms)
        if number % _MOST_AT_ONCE == 0:
            await asyncio.sleep(0)
    return in_stretch


async def _handled(ports: Sequence[int], stretch: Stretch) -> int:
    """How many events the workers do in the stretch."""
    done: list[int] = []
    for at_ms in (stretch.start_ms, stretch.end_ms):
        await asyncio.sleep((at_ms - _wall_ms()) / 1_000)
        pages = await asyncio.gather(*(asyncio.to_thread(metrics, port) for port in ports))
        done.append(sum(map(events_done, pages)))
    return done[1] - done[0]
