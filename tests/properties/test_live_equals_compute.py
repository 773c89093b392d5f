"""However a log is cut into shards, batches, flushes and crashes, and whatever its order: live ends as `compute`."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator, Sequence

import msgspec
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from stream_kpi.events.partitioner import Partitioner
from stream_kpi.events.topics import TopicKind
from stream_kpi.kpis.record import KpiRecord
from stream_kpi.lifecycles.options import Options
from stream_kpi.merge import Merge
from stream_kpi.pipeline import Flush
from stream_kpi.shard import Shard, ShardOptions
from stream_kpi.simulator.disorder import disorder
from stream_kpi.simulator.simulation import Simulation
from stream_kpi.windows.clock import GlobalClock
from tests.live_values import comparable, expected_values

START_MS = 1_772_409_600_000  # 2026-03-02T00:00:00Z
HOUR_MS = 3_600_000
OPTIONS = Options(zone="Asia/Kolkata")
TOPICS = {kind.default_topic: kind for kind in TopicKind}


class Record(msgspec.Struct):
    """A consumed Kafka record."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class Cluster:
    """Shards and a merge around the topics that they leave behind: what is in these survives a crash."""

    def __init__(self, shards: int) -> None:
        self.count = shards
        self.state: list[dict[bytes, bytes | None]] = [{} for _ in range(shards)]
        self.panes: list[dict[bytes, bytes | None]] = [{} for _ in range(shards)]
        self.values: dict[bytes, bytes | None] = {}
        self.clock = GlobalClock()
        self.shards = [self._new_shard(number) for number in range(shards)]
        self.merge = Merge(OPTIONS, grace_ms=0)
        self.to_merge: list[deque[tuple[bytes, bytes | None]]] = [deque() for _ in range(shards)]
        """Records of the panes topics that the merge has not read."""

    def _new_shard(self, number: int) -> Shard:
        shard = Shard(number, self.count, ShardOptions(options=OPTIONS, topics=TOPICS, rekeyed_topic="rekeyed"))
        shard.restore(list(self.state[number].items()), list(self.panes[number].items()))
        deque(shard.restored(), maxlen=0)
        return shard

    def flush(self, number: int, *, caught_up: bool) -> None:
        """Write atomically."""
        flush: Flush | None = self.shards[number].flush(caught_up=caught_up)
        if flush is None:
            return
        assert not flush.outgoing
        self.state[number].update(flush.state)
        self.panes[number].update(flush.panes)
        self.clock.update(*flush.clock)
        self.to_merge[number].extend(flush.panes)

    def read(self, number: int, at_most: int) -> None:
        """The merge reads on, whether or not that is the end of a flush."""
        for _ in range(min(at_most, len(self.to_merge[number]))):
            self.merge.apply(number, *self.to_merge[number].popleft())

    def crash(self, number: int) -> None:
        """What was not flushed is gone."""
        self.shards[number] = self._new_shard(number)

    def crash_merge(self) -> None:
        """The merge starts from the panes topic and what it has published."""
        self.merge = Merge(OPTIONS, grace_ms=0)
        for number in range(self.count):
            self.to_merge[number].clear()
            for key, value in self.panes[number].items():
                self.merge.apply(number, key, value)
        for key, value in self.values.items():
            if value is not None:
                self.merge.restore_published(key, value)

    def publish(self) -> bool:
        """One publish; whether nothing waits for the next."""
        now_ms = self.clock.now_ms(None)
        if now_ms is None:
            return True
        publication = self.merge.publish(now_ms, self.clock.first_ms)
        self.values.update(publication.changed)
        return publication.complete


def replay(logs: dict[tuple[str, int], list[Record]], shards: int, choose: random.Random) -> dict[bytes, bytes]:
    """Feed every partition's log in batches of any size, with flushes, crashes and publishes at any moment. A shard may
    think that it has read everything when more is about to come: then the others take `now` past it."""
    cluster = Cluster(shards)
    open_inputs = sorted(logs)
    while open_inputs:
        topic, partition = choose.choice(open_inputs)
        shard = cluster.shards[partition]
        log = logs[topic, partition]
        applied = shard.position.get((topic, partition))
        begin = 0 if applied is None else applied.offset + 1
        if begin >= len(log):
            open_inputs.remove((topic, partition))
            cluster.flush(partition, caught_up=False)
            continue
        shard.apply(topic, partition, log[begin : begin + choose.randint(1, 400)], 1 << 60)
        what = choose.random()
        if what < 0.5:
            shard.advance(shard.greatest_ms or 0)
            cluster.flush(partition, caught_up=choose.random() < 0.2)
        elif what < 0.6:
            cluster.crash(partition)
            open_inputs = sorted(logs)
        elif what < 0.65:
            cluster.crash_merge()
        cluster.read(choose.randrange(shards), choose.choice([10, 1 << 60]))
        if choose.random() < 0.2:
            cluster.publish()
    for _ in range(2):  # the first round tells the clock that all is read, the second brings every shard to its now
        now_ms = cluster.clock.now_ms(None)
        for number in range(shards):
            cluster.shards[number].advance(now_ms or 0)
            cluster.flush(number, caught_up=True)
    for number in range(shards):
        cluster.read(number, 1 << 60)
    while not cluster.publish():
        pass
    return {key: value for key, value in cluster.values.items() if value is not None}


def logs_of(events: Iterator[tuple[str, bytes, bytes, int]], shards: int) -> dict[tuple[str, int], list[Record]]:
    """Events as partitions of their topics, as a producer would lay them."""
    partitioner = Partitioner("murmur2", shards)
    logs: dict[tuple[str, int], list[Record]] = {}
    for topic, key, value, time_ms in events:
        log = logs.setdefault((topic, partitioner.owner(key)), [])
        log.append(Record(len(log), time_ms, key, value))
    return logs


@settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.generate],  # a seed does not shrink: smaller is no simpler
)
@given(seed=st.integers(0, 10_000), shards=st.integers(1, 3), hours=st.sampled_from([2, 30]))
def test_a_log_in_any_order_batches_and_crashes_ends_as_compute_says(seed: int, shards: int, hours: int) -> None:
    team_start_ms = START_MS + seed % 24 * HOUR_MS
    events = list(Simulation(seed, team_start_ms).events_until(team_start_ms + hours * HOUR_MS))[:1500]
    disordered = list(disorder(events, seed, late_within_ms=600_000, duplicate_share=0.05))
    logs = logs_of(((event.topic.default_topic, event.key, event.value, event.time_ms) for event in disordered), shards)
    values = replay(logs, shards, random.Random(seed))
    live = {key: comparable(msgspec.json.decode(value, type=KpiRecord)) for key, value in values.items()}
    expected = expected_values((event.value for event in events), OPTIONS)
    assert live.keys() == expected.keys()
    for key, record in expected.items():
        assert live[key] == record, key
    assert len(live) > 500
