"""What a contender measures of itself, and how it is told what to read."""

from __future__ import annotations

import resource
import sys
import time

import msgspec

from stream_kpi.events.topics import TopicKind


class Task(msgspec.Struct, frozen=True):
    """What every contender is started with: read ``events`` records of these topics from their start."""

    name: str
    """Every topic and consumer group of this bench begins with it."""
    address: str
    topics: dict[TopicKind, str]
    partitions: int
    events: int


class Figures(msgspec.Struct, frozen=True):
    """One contender's result, from the first event to the last; starting up is not in it."""

    events: int
    events_per_s: float
    cpu_s: float
    """User and system time of the process, all threads."""
    peak_rss_mib: float
    """Of the process since it started."""


def peak_rss_mib(max_rss: int) -> float:
    """MiB of a ``ru_maxrss``, which macOS gives in bytes and Linux in KiB."""
    return max_rss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


class Meter:
    """Measures this process from :meth:`start` to :meth:`figures`."""

    def __init__(self) -> None:
        self._started_s: float | None = None
        self._cpu_s = 0.0

    def start(self) -> None:
        """The first events are here; every later call changes nothing."""
        if self._started_s is None:
            self._started_s = time.perf_counter()
            self._cpu_s = time.process_time()

    def figures(self, events: int) -> Figures:
        """The result, now that ``events`` events are done. Raises RuntimeError when it was never started."""
        if self._started_s is None:
            raise RuntimeError("nothing was measured: no event came")
        elapsed_s = time.perf_counter() - self._started_s
        return Figures(
            events=events,
            events_per_s=events / elapsed_s,
            cpu_s=time.process_time() - self._cpu_s,
            peak_rss_mib=peak_rss_mib(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss),
        )


def task_argument() -> Task:
    """The task that this process was started with."""
    return msgspec.json.decode(sys.argv[1], type=Task)


def tell(figures: Figures) -> None:
    """Print the result as the last line, for the process that started this one."""
    sys.stdout.write(msgspec.json.encode(figures).decode() + "\n")
    sys.stdout.flush()
