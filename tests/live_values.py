"""What a replay of a log must end in: the records of `compute`, for everything that a worker publishes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from stream_kpi.compute import Computation
from stream_kpi.kpis.catalogue import catalogue, live_rows
from stream_kpi.kpis.record import KpiRecord, record_key, timestamp
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
    expected: dict[bytes, dict[str, Any]] = {}
    for kind in (None, *ROLLING, TODAY, *TUMBLING):
        expected.update(_of_kind(kind, lines, options))
    return expected


def _of_kind(kind: Rolling | Tumbling | None, lines: list[bytes], options: Options) -> Mapping[bytes, dict[str, Any]]:
    computation = Computation(options, kind, None)
    for line in lines:
        computation.take(line)
    rows = live_rows("total" if kind is None else kind.name)
    if kind is None:
        rows += live_rows("instant")
    oldest = ""
    if isinstance(kind, Tumbling) and kind is not TODAY:
        oldest = timestamp(kind.start_of(computation.at_ms - kind.live_ms, options.zone_info))
    return {
        record_key(record): comparable(record)
        for record in computation.records(rows, DIMENSIONS)
        if not oldest or (record.window.start or "") >= oldest
    }
