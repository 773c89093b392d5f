"""The limit: fetch batches and decode them into typed events, nothing else."""

from __future__ import annotations

import asyncio

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from stream_kpi.bench.figures import Figures, Meter, Task, task_argument, tell
from stream_kpi.events.decode import WIRE


async def run(task: Task) -> Figures:
    """Read the task's events and decode them."""
    decoders = {topic: msgspec.json.Decoder(WIRE[kind]) for kind, topic in task.topics.items()}
    consumer = AIOKafkaConsumer(
        bootstrap_servers=task.address,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=50,
        isolation_level="read_committed",
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, p) for topic in task.topics.values() for p in range(task.partitions)])
        meter = Meter()
        done = 0
        while done < task.events:
            fetched = await consumer.getmany(timeout_ms=1_000)
            for tp, records in fetched.items():
                meter.start()
                decode = decoders[tp.topic].decode
                for record in records:
                    decode(record.value)
                done += len(records)
        return meter.figures(done)
    finally:
        await consumer.stop()


if __name__ == "__main__":
    tell(asyncio.run(run(task_argument())))
