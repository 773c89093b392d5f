"""A core that only counts: the thing around the shell in its tests, and whether it is exact can be seen at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Generator, Sequence
from typing import NamedTuple
from zlib import crc32

import msgspec

from stream_kpi.pipeline import Flush, InputRecord
from stream_kpi.shell.core import Core, StateRecords
from stream_kpi.windows.clock import ShardClock, clock_record

POSITION = b"position"


class Applied(NamedTuple):
    offset: int
    timestamp_ms: int
    checksum: int


class Position(NamedTuple):
    shards: int
    applied: list[tuple[str, int, Applied]]


class CountingShard:
    """Counts records by key; state and panes hold the counts."""

    def __init__(self, number: int, shards: int) -> None:
        self.number = number
        self.shards = shards
        self.greatest_ms: int | None = None
        self.counts: Counter[tuple[str, ...]] = Counter()
        self.position: dict[tuple[str, int], Applied] = {}
        self.by_key: Counter[bytes] = Counter()
        self.clock_ms = 0
        self._dirty: set[bytes] = set()
        self._said: bool | None = None

    def restore(self, state: StateRecords, panes: StateRecords) -> None:
        del panes
        for key, value in state:
            assert value is not None
            if key == POSITION:
                position = msgspec.msgpack.decode(value, type=Position)
                self.shards = position.shards
                self.position = {(topic, partition): at for topic, partition, at in position.applied}
            else:
                self.by_key[key] = int(value)

    def restored(self) -> Generator[None, None, None]:
        yield

    def apply_steps(
        self, topic: str, partition: int, records: Sequence[InputRecord], wall_ms: int
    ) -> Generator[None, None, None]:
        yield
        del wall_ms
        keys = [record.key or b"" for record in records]
        self.by_key.update(keys)
        self._dirty.update(keys)
        self.counts["events", topic] += len(keys)
        last = records[-1]
        self.greatest_ms = max(self.greatest_ms or 0, last.timestamp)
        self.position[topic, partition] = Applied(last.offset, last.timestamp, crc32(last.value or b""))

    def advance_steps(self, clock_ms: int | None, unread: Collection[str]) -> Generator[None, None, None]:
        yield
        reached_ms = self.greatest_ms if unread else clock_ms
        self.clock_ms = max(self.clock_ms, reached_ms or 0)

    def flush_steps(self, *, caught_up: bool) -> Generator[None, None, Flush | None]:
        yield
        if not self._dirty and caught_up == self._said:
            return None
        self._said = caught_up
        state: list[tuple[bytes, bytes | None]] = [(key, b"%d" % self.by_key[key]) for key in self._dirty]
        panes = list(state)
        self._dirty.clear()
        applied = [(topic, partition, at) for (topic, partition), at in self.position.items()]
        state.append((POSITION, msgspec.msgpack.encode(Position(self.shards, applied))))
        return Flush(state, panes, clock_record(self.number, ShardClock(self.greatest_ms, None, caught_up)), [])


class Publication(NamedTuple):
    changed: list[tuple[bytes, bytes | None]]
    history: Sequence[tuple[bytes, bytes]] = ()
    withdrawn: Sequence[tuple[bytes, bytes | None]] = ()
    complete: bool = True
    unbalanced: int = 0
    untold: int = 0


class CountingMerge:
    """Adds the shards' counts up by key."""

    def __init__(self) -> None:
        self.parts: dict[tuple[int, bytes], int] = {}
        self.totals: Counter[bytes] = Counter()
        self._dirty: set[bytes] = set()

    def restore_published(self, key: bytes, value: bytes | None) -> None:
        pass

    def restore_withdrawn(self, key: bytes, value: bytes | None) -> None:
        pass

    def restore(self, shard: int, key: bytes, value: bytes | None) -> None:
        self.apply(shard, key, value)

    def restored(self) -> Generator[None, None, None]:
        yield

    def apply(self, shard: int, key: bytes, value: bytes | None) -> None:
        count = int(value or b"0")
        self.totals[key] += count - self.parts.get((shard, key), 0)
        self.parts[shard, key] = count
        self._dirty.add(key)

    def settle(self) -> Generator[None, None, None]:
        yield

    def publish(self, now_ms: int, first_ms: int | None) -> Generator[None, None, Publication]:
        del now_ms, first_ms
        yield
        changed: list[tuple[bytes, bytes | None]] = [(key, b"%d" % self.totals[key]) for key in self._dirty]
        self._dirty.clear()
        return Publication(changed)


CORE = Core(CountingShard, CountingMerge)
