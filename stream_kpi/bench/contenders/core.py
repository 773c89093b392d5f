"""The pipeline with no Kafka at all: the log's records straight into the shards, flushed as a worker flushes.

With a second argument, ``profile``, it also says on standard error where the time goes, by stage.
"""

from __future__ import annotations

import cProfile
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import islice

import msgspec

from stream_kpi.bench.figures import Figures, Task, peak_rss_mib, task_argument, tell
from stream_kpi.bench.log import PARTITIONS, LogRecord, log
from stream_kpi.bench.stages import stages
from stream_kpi.events.topics import TopicKind
from stream_kpi.lifecycles.options import Options
from stream_kpi.memory import tune_memory
from stream_kpi.pipeline import InputRecord
from stream_kpi.shard import Shard, ShardOptions

FLUSH_EVENTS = 25_000
"""Between two flushes: a quarter of a second at 100,000 events/s."""
FETCH_RECORDS = 500


class MemoryRecord(msgspec.Struct, gc=False):
    """A record as a consumer would give it."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


Fetched = tuple[TopicKind, int, list[InputRecord]]


def fetches(records: list[LogRecord], offsets: dict[tuple[TopicKind, int], int]) -> Iterator[Fetched]:
    """The records as a consumer gets them: by topic and partition, ``FETCH_RECORDS`` at once."""
    by_place: dict[tuple[TopicKind, int], list[InputRecord]] = {}
    for record in records:
        place = (record.kind, record.partition)
        offset = offsets[place] = offsets.get(place, -1) + 1
        by_place.setdefault(place, []).append(MemoryRecord(offset, record.time_ms, record.key, record.value))
    for start in range(0, len(records), FETCH_RECORDS):
        for (kind, partition), waiting in by_place.items():
            if batch := waiting[start : start + FETCH_RECORDS]:
                yield kind, partition, batch


def run(events: int, profile: cProfile.Profile | None = None) -> Figures:
    """Feed the log through. Making it is not measured."""
    tune_memory()
    options = ShardOptions(options=Options(), topics={kind.value: kind for kind in TopicKind})
    shards = [Shard(number, PARTITIONS, options) for number in range(PARTITIONS)]
    offsets: dict[tuple[TopicKind, int], int] = {}
    records = log(events)
    elapsed_s = cpu_s = 0.0
    while taken := list(islice(records, FLUSH_EVENTS)):
        batches = list(fetches(taken, offsets))
        wall_ms = taken[-1].time_ms
        started_s, cpu_started_s = time.perf_counter(), time.process_time()
        if profile is not None:
            profile.enable()
        for kind, partition, batch in batches:
            shards[partition].apply(kind.value, partition, batch, wall_ms)
        for shard in shards:
            shard.advance(wall_ms)
            shard.flush(caught_up=False)
        if profile is not None:
            profile.disable()
        elapsed_s += time.perf_counter() - started_s
        cpu_s += time.process_time() - cpu_started_s
    rss_mib = peak_rss_mib(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return Figures(events=events, events_per_s=events / elapsed_s, cpu_s=cpu_s, peak_rss_mib=rss_mib)


def main(task: Task, *, profiled: bool) -> None:
    """Measure, and profile in a run of its own: a profiler makes everything slower."""
    tell(run(task.events))
    if profiled:
        profile = cProfile.Profile()
        run(task.events, profile)
        for stage, seconds in stages(profile).items():
            sys.stderr.write(f"{1e6 * seconds / task.events:8.2f} us an event  {stage}\n")


if __name__ == "__main__":
    main(task_argument(), profiled=sys.argv[2:] == ["profile"])
