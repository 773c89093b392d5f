"""What a replay of a log must end in: the records of `compute`, for everything that a worker publishes, and the SLA
events that have been told and not taken back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from stream_kpi.compute import Computation
from stream_kpi.events.decode import decode_line
from stream_kpi.events.sla import SlaEvent
from stream_kpi.events.topics import TopicKind
from stream_kpi.kpis.catalogue import catalogue, live_rows
from stream_kpi.kpis.record import KpiRecord, record_key
from stream_kpi.lifecycles.options import Options
from stream_kpi.shard import Shard, ShardOptions
from stream_kpi.windows.kinds import ROLLING, TODAY, TUMBLING, Rolling, Tumbling
from stream_kpi.windows.tiers import TIERS

_decode_sla = msgspec.json.Decoder(SlaEvent).decode
DIMENSIONS = {cut for row in catalogue() for cut in row.cuts} - {"total"}


def comparable(record: KpiRecord) -> dict[str, Any]:
    """The record without what a worker and `compute` may differ in (design.md section 5): revision and as_of."""
    built: dict[str, Any] = msgspec.to_builtins(record)
    del built["as_of"], built["revision"]
    return built


def expected_values(lines: Iterable[bytes], options: Options) -> dict[bytes, dict[str, Any]]:
    """Every record that must stand in the values topic once a log has been replayed by the event clock, by key."""
    computation = _Recent(options)
    for line in lines:
        computation.take(line)
    expected: dict[bytes, dict[str, Any]] = {}
    for window in (None, *ROLLING, TODAY, *TUMBLING):
        expected.update(computation.values(window))
    return expected


def expected_sla_events(lines: Iterable[bytes], options: Options) -> dict[str, int]:
    """The same of the SLA events, as :func:`standing` counts them."""
    topics = {kind.default_topic: kind for kind in TopicKind}
    shard = Shard(0, 1, ShardOptions(options=options, topics=topics, sla_topic="sla"))
    for line in lines:
        shard.take(*decode_line(line))
    shard.advance(shard.greatest_ms or 0)
    flush = shard.flush(caught_up=True)
    return {} if flush is None else standing(sent.value or b"" for sent in flush.outgoing)


def standing(sla_events: Iterable[bytes]) -> dict[str, int]:
    """By id, how often more an SLA event has been told than taken back: 1, unless one was lost or came twice."""
    told: Counter[str] = Counter()
    for content in sla_events:
        event = _decode_sla(content)
        if event.data.retracts is None:
            told[event.id] += 1
        else:
            told[event.data.retracts] -= 1
    return {event_id: times for event_id, times in told.items() if times}


class _Recent(Computation):
    """Of windows that follow each other only those that a worker still publishes: a log may be years long."""

    def __init__(self, options: Options) -> None:
        super().__init__(options, None, None, TIERS)
        self._first_ms: int | None = None

    def values(self, window: Rolling | Tumbling | None) -> dict[bytes, dict[str, Any]]:
        """The records of one kind of window."""
        kinds = ("instant", "total") if window is None else (window.name,)
        rows = [row for kind in kinds for row in live_rows(kind, self._options)]
        self._window = window
        shard = self._shard
        self._first_ms = shard.first_ms if self._first_ms is None else self._first_ms
        shard.first_ms = self._first_ms
        if isinstance(window, Tumbling) and window is not TODAY and self._first_ms is not None:
            oldest_ms = window.start_of(self.at_ms - window.live_ms, self._options.zone_info)
            shard.first_ms = max(self._first_ms, oldest_ms)
        return {record_key(record): comparable(record) for record in self.records(rows, DIMENSIONS)}
