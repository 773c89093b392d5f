"""quixstreams: one count in state and one tumbling count an event, without changelog topics."""

from __future__ import annotations

import os
import tempfile

import msgspec
from quixstreams import Application, State

from stream_kpi.bench.figures import Meter, Task, task_argument, tell
from stream_kpi.events.decode import WIRE
from stream_kpi.events.envelope import Event

WINDOW_MS = 60_000


def run(task: Task, state_folder: str) -> None:
    """Read the task's events; tell the figures and end the process when they are done."""
    app = Application(
        broker_address=task.address,
        consumer_group=f"{task.name}-quixstreams",
        auto_offset_reset="earliest",
        use_changelog_topics=False,
        state_dir=state_folder,
        loglevel="ERROR",
    )
    meter = Meter()
    done = 0

    def count(_: Event, state: State) -> None:
        meter.start()
        state.set("count", state.get("count", 0) + 1)

    def finish(_: object) -> None:
        nonlocal done
        done += 1
        if done == task.events:
            tell(meter.figures(done))
            os._exit(0)  # closing its state takes a while, and nothing of it is measured

    for kind, name in task.topics.items():
        decoder = msgspec.json.Decoder(WIRE[kind])
        topic = app.topic(name, key_deserializer="bytes", value_deserializer="bytes")
        frame = app.dataframe(topic).apply(decoder.decode).update(count, stateful=True)
        frame.tumbling_window(WINDOW_MS).count().current().update(finish)
    app.run()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        run(task_argument(), folder)
