"""Whether the history topic tells what `compute` says of the windows that are over, each revision once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import msgspec

from stream_kpi.kpis.history import HistoryRecord
from tests.live_values import comparable

_decode = msgspec.json.Decoder(HistoryRecord).decode
_OF_HISTORY = ("status", "former", "withdrawn")


def history_amiss(told: Iterable[tuple[bytes, bytes]], expected: Mapping[bytes, dict[str, Any]]) -> list[str]:
    """What is wrong with the topic's records (in its order), in words. ``expected``: every record that must stand in
    the values topic; windows older than those are only looked at for revisions that are missing or come twice."""
    by_key: defaultdict[bytes, list[HistoryRecord]] = defaultdict(list)
    for key, value in told:
        by_key[key].append(_decode(value))
    closed = {key: value for key, value in expected.items() if b"@" in key and value["final"]}
    return [
        *(f"{key.decode()}: {problem}" for key, records in by_key.items() for problem in _out_of_turn(records)),
        *_differing(by_key, closed),
    ]


def _out_of_turn(records: list[HistoryRecord]) -> Iterator[str]:
    revisions = [record.revision for record in records]
    if revisions != list(range(len(records))):
        yield f"revisions {revisions}"
    if (records[0].status, records[0].former) != ("final", None):
        yield f"begins with {records[0].status}, former {records[0].former}"
    for before, after in pairwise(records):
        if (after.status, after.former) != ("revised", before.value):
            yield f"revision {after.revision} is {after.status}, former {after.former} in place of {before.value}"


def _differing(by_key: Mapping[bytes, list[HistoryRecord]], closed: Mapping[bytes, dict[str, Any]]) -> Iterator[str]:
    windows = {_window(value) for value in closed.values()}
    stands = {
        key: {name: field for name, field in comparable(records[-1]).items() if name not in _OF_HISTORY}
        for key, records in by_key.items()
        if not records[-1].withdrawn
    }
    for key, value in closed.items():
        if stands.get(key) != value:
            yield f"{key.decode()}: found {stands.get(key)}, expected {value}"
    for key, value in stands.items():
        if key not in closed and _window(value) in windows:
            yield f"{key.decode()}: not expected"


def _window(record: Mapping[str, Any]) -> tuple[str, str]:
    return record["window"]["kind"], record["window"]["start"]
