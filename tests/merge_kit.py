"""A shard, the merge, and the topics that the merge writes."""

from __future__ import annotations

from collections import deque

import msgspec

from stream_kpi.kpis.history import HistoryRecord
from stream_kpi.kpis.record import KpiRecord
from stream_kpi.lifecycles.options import Options
from stream_kpi.merge import Merge
from stream_kpi.published import Publication
from stream_kpi.steps import all_of
from tests.shard_kit import MINUTE_MS, TICKETS, new_shard, records

GRACE_MS = 10 * MINUTE_MS


class Publisher:
    """A shard, the merge, and the values topic between them and the world."""

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self.shard = new_shard(options=self.options)
        self.merge = Merge(self.options, grace_ms=GRACE_MS)
        self.panes: dict[bytes, bytes | None] = {}
        self.values: dict[bytes, bytes | None] = {}
        self.history: list[tuple[bytes, HistoryRecord]] = []
        self.withdrawn: dict[bytes, bytes | None] = {}
        self.offset = 0

    def take(self, *values: bytes, topic: str = TICKETS) -> None:
        """Apply events, flush."""
        self.shard.apply(topic, 0, records(*values, first=self.offset), 1 << 60)
        self.offset += len(values)
        self.flush()

    def flush(self) -> None:
        flush = self.shard.flush(caught_up=True)
        for key, value in flush.panes if flush is not None else ():
            self.panes[key] = value
            self.merge.apply(0, key, value)

    def publish(self, now_ms: int) -> dict[bytes, KpiRecord | None]:
        """Everything that changes until nothing waits any more."""
        self.shard.advance(now_ms)
        self.flush()
        return self.publish_only(now_ms)

    def publish_only(self, now_ms: int) -> dict[bytes, KpiRecord | None]:
        """The same while the shard says nothing: it has no open entities, and no events come."""
        changed: dict[bytes, KpiRecord | None] = {}
        complete = False
        while not complete:
            publication = self.step(now_ms)
            changed.update(decoded(publication))
            complete = publication.complete
        return changed

    def step(self, now_ms: int) -> Publication:
        """One publish."""
        publication = all_of(self.merge.publish(now_ms, self.shard.first_ms))
        self.values.update(publication.changed)
        self.history += [(key, msgspec.json.decode(value, type=HistoryRecord)) for key, value in publication.history]
        self.withdrawn.update(publication.withdrawn)
        return publication

    def restart(self) -> None:
        """The merge starts anew, from its topics."""
        self.merge = Merge(self.options, grace_ms=GRACE_MS)
        for key, value in self.panes.items():
            self.merge.restore(0, key, value)
        for key, value in self.values.items():
            self.merge.restore_published(key, value)
        for key, value in self.withdrawn.items():
            self.merge.restore_withdrawn(key, value)
        deque(self.merge.restored(), maxlen=0)

    def told(self, key: bytes) -> list[HistoryRecord]:
        """What history was told under a key, in order."""
        return [record for told, record in self.history if told == key]

    def value(self, key: bytes) -> KpiRecord:
        """What stands in the values topic."""
        value = self.values[key]
        assert value is not None
        return msgspec.json.decode(value, type=KpiRecord)


def decoded(publication: Publication) -> dict[bytes, KpiRecord | None]:
    return {
        key: None if value is None else msgspec.json.decode(value, type=KpiRecord) for key, value in publication.changed
    }
