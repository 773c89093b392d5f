"""A shard's panes, one vector per (tier, start, cut), and the records that state them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from stream_kpi.lifecycles.facts import Cut
from stream_kpi.windows.ages import AgeSets
from stream_kpi.windows.cut_table import CutTable
from stream_kpi.windows.sum_table import Integers, SumTable, packed_vectors, unpacked_vectors
from stream_kpi.windows.sums import FactSums
from stream_kpi.windows.tiers import TIERS, Tier

AGES_KEY = b"ages"
"""Key of the shard's sets that age, beside its panes (a packed pane key never starts with a letter)."""

Record = tuple[bytes, bytes | None]


class PaneKey(NamedTuple):
    """One pane's place. Its record's value is its whole vector (sum_table.packed_vectors), so that the last one is
    enough and a repeat changes nothing."""

    tier: int
    start_ms: int
    cut: Cut


_encode = msgspec.msgpack.Encoder().encode
_decode_key = msgspec.msgpack.Decoder(tuple[int, int, list[str]]).decode


def pack_key(key: PaneKey) -> bytes:
    """The Kafka key of a pane's record."""
    return _encode(key)


def unpack_key(packed: bytes) -> PaneKey:
    """The inverse of :func:`pack_key`."""
    tier, start_ms, cut = _decode_key(packed)
    return PaneKey(tier, start_ms, (cut[0], cut[1]) if cut else ())


class _Slice:
    """The panes of one tier and start, by number of their cut."""

    __slots__ = ("changed", "restored", "table", "written")

    def __init__(self) -> None:
        self.table = SumTable()
        self.changed: list[Integers] = []
        """Cuts to be written."""
        self.written: set[int] = set()
        """Cuts that have a record."""
        self.restored: dict[int, bytes] = {}
        """Vectors that recovery has read so far."""


class Panes:
    """The panes of one shard. :meth:`add` takes facts as they come, :meth:`flush` brings the panes up to date."""

    def __init__(self, table: CutTable, ages: AgeSets, zone: ZoneInfo, tiers: tuple[Tier, ...] = TIERS) -> None:
        """``tiers``: those that are kept; `compute` keeps only what its window is read from."""
        self._sums = FactSums(table, ages)
        self._numbers = table.numbers
        self._zone = zone
        self._tiers = tiers
        self._slices: dict[int, dict[int, _Slice]] = {tier.number: {} for tier in tiers}
        self._changed: dict[tuple[int, int], _Slice] = {}
        self._expired_before: dict[int, int] = {}
        self.add = self._sums.add

    def spread(self, clock_ms: int) -> Generator[None, None, None]:
        """Take what was added to every cut, every tier that still keeps its time, and the sets that age, a step at a
        time. To be iterated over."""
        for tier, changes in self._sums.spread(self._tiers, clock_ms, self._zone):
            for start_ms, sums in changes:
                changed = self._slice(tier.number, start_ms)
                changed.table.add(sums)
                changed.changed.append(sums.cuts())
                self._changed[tier.number, start_ms] = changed
                yield

    def restore(self, key: PaneKey, value: bytes | None) -> None:
        """Put a pane back as it was flushed (recovery), in log order; None: it is gone."""
        restored = self._slice(key.tier, key.start_ms).restored
        number = self._numbers.of(key.cut)
        if value is None:
            restored.pop(number, None)
        else:
            restored[number] = value

    def restored(self) -> Generator[None, None, None]:
        """Recovery is over. To be iterated over, a step at a time."""
        for slices in self._slices.values():
            for restored in slices.values():
                restored.table = SumTable(unpacked_vectors(restored.restored))
                restored.written = set(restored.restored)
                restored.restored = {}
                yield

    def flush(self, clock_ms: int) -> Generator[None, None, list[Record]]:
        """The records of all panes that changed since the last flush, a step at a time; panes past their retention
        leave with a tombstone."""
        yield from self.spread(clock_ms)
        records: list[Record] = []
        for gone in self._expired(clock_ms):
            records += gone
            yield
        for (tier, start_ms), changed in self._changed.items():
            cuts = np.unique(np.concatenate(changed.changed))
            changed.changed = []
            for number, vector in zip(cuts.tolist(), packed_vectors(changed.table.sums, cuts), strict=True):
                if vector:
                    changed.written.add(number)
                    records.append((self._key(tier, start_ms, number), vector))
                elif number in changed.written:
                    changed.written.discard(number)
                    records.append((self._key(tier, start_ms, number), None))
            yield
        self._changed = {}
        return records

    def _slice(self, tier: int, start_ms: int) -> _Slice:
        slices = self._slices[tier]
        found = slices.get(start_ms)
        if found is None:
            found = slices[start_ms] = _Slice()
        return found

    def _key(self, tier: int, start_ms: int, number: int) -> bytes:
        return pack_key(PaneKey(tier, start_ms, self._numbers.cuts[number]))

    def _expired(self, clock_ms: int) -> Iterator[list[Record]]:
        for tier in self._tiers:
            if not tier.due(clock_ms, self._expired_before):
                continue
            slices = self._slices[tier.number]
            for start_ms in [start for start in slices if start < tier.expires_before(clock_ms)]:
                self._changed.pop((tier.number, start_ms), None)
                yield [(self._key(tier.number, start_ms, number), None) for number in slices.pop(start_ms).written]
