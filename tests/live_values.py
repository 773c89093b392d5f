"""What a replay of a log must end in: the records of `compute`, for everything that a worker publishes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from stream_kpi.compute import Computation
from stream_kpi.kpis.catalogue import catalogue, live_rows
from stream_kpi.kpis.record import KpiRecord, record_key
from stream_kpi.lifecycles.options import Options
from stream_kpi.windows.kinds import ROLLING, TODAY, TUMBLING, Rolling, Tumbling

DIMENSIONS = {cut for row in catalogue() for cut in row.cuts} - {"total"}


def comparable(record: KpiRecord) -> dict[str, Any]:
    """The record without what a worker and `compute` may differ in (design.md section 5): revision and as_of."""
    built: dict[str, Any] = msgspec.to_builtins(record)
    del built["as_of"], built["revision"]
    return built


def expected_values(lines: Iterable[bytes], options: Options) -> dict[bytes, dict[str, Any]]:
    """Every record that must stand in the values topic once a log has been replayed by the event clock, by key."""
    lines = list(lines)
    every: tuple[Rolling | Tumbling, ...] = (*ROLLING, TODAY, *TUMBLING)
    of_one_tier: dict[int, list[Rolling | Tumbling | None]] = {-1: [None]}
    for kind in every:
        of_one_tier.setdefault(kind.tier.number, []).append(kind)
    expected: dict[bytes, dict[str, Any]] = {}
    for windows in of_one_tier.values():
        computation = _Recent(options, windows[0])
        for line in lines:
            computation.take(line)
        for window in windows:
            expected.update(computation.values(window))
    return expected


class _Recent(Computation):
    """Of windows that follow each other only those that a worker still publishes: a log may be years long."""

    def __init__(self, options: Options, window: Rolling | Tumbling | None) -> None:
        super().__init__(options, window, None)
        self._first_ms: int | None = None

    def values(self, window: Rolling | Tumbling | None) -> dict[bytes, dict[str, Any]]:
        """The records of one kind of window, which must be of the same tier as the first."""
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
