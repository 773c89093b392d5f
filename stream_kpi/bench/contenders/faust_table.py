"""A plain Faust agent: event by event, one table write each. Settings are Faust's own but for what makes it run."""

from __future__ import annotations

import os
from typing import Any

import faust
import msgspec

from stream_kpi.bench.figures import Meter, Task, task_argument, tell
from stream_kpi.events.decode import WIRE


def make_app(task: Task) -> faust.App:
    """The app. When the task's events are done it tells the figures and ends the process."""
    app = faust.App(
        f"{task.name}-faust",
        broker=f"kafka://{task.address}",
        store="memory://",
        topic_partitions=task.partitions,
        topic_replication_factor=1,
        consumer_auto_offset_reset="earliest",
        web_enabled=False,
    )
    decoders = {topic: msgspec.json.Decoder(WIRE[kind]) for kind, topic in task.topics.items()}
    source = app.topic(*task.topics.values(), value_serializer="raw", key_serializer="raw")
    counts = app.Table("counts", default=int, partitions=task.partitions)
    meter = Meter()
    done = 0

    @app.agent(source)
    async def count(stream: Any) -> None:  # noqa: ANN401 - Faust has no type for it
        nonlocal done
        async for event in stream.events():
            meter.start()
            subject = decoders[event.message.topic].decode(event.value).subject
            counts[subject] += 1
            done += 1
            if done == task.events:
                tell(meter.figures(done))
                os._exit(0)  # an orderly end of Faust takes seconds, and nothing of it is measured

    return app


if __name__ == "__main__":
    faust.Worker(make_app(task_argument()), loglevel="ERROR", redirect_stdouts=False).execute_from_commandline()
