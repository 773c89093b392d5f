"""A shard's panes, one vector per (tier, start, cut), and the records that state them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import chain
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from stream_kpi.lifecycles.facts import Cut
from stream_kpi.windows.ages import AgeSets
from stream_kpi.windows.cut_table import CutTable
from stream_kpi.windows.spread import StartSums, over_tiers
from stream_kpi.windows.sum_table import Integers, Sums, SumTable, packed_vectors, unpacked_vectors
from stream_kpi.windows.sums import FactSums
from stream_kpi.windows.tiers import FRESH, TIERS, Tier

AGES_KEY = b"ages"
"""Key of the shard's sets that age, beside its panes (a packed pane key never starts with a letter)."""

FLUSHED_KEY = b"flushed"
"""Key of the last record of a flush that has any: what came before it goes together."""

Record = tuple[bytes, bytes | None]


class PaneKey(NamedTuple):
    """One pane's place. Its record's value is its whole vector (sum_table.packed_vectors), so that the last one is
    enough and a repeat changes nothing. What a shard's panes hold is what its tiers state and what is fresh."""

    tier: int
    """Its number; or FRESH: not in any tier yet."""
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
    """The panes of one shard. :meth:`add` takes facts as they come, :meth:`spread` or :meth:`keep_fresh` sums them up,
    :meth:`flush` states what has changed."""

    def __init__(self, table: CutTable, ages: AgeSets, zone: ZoneInfo, tiers: tuple[Tier, ...] = TIERS) -> None:
        """``tiers``: those that are kept; `compute` keeps only what its window is read from."""
        self._sums = FactSums(table, ages)
        self._numbers = table.numbers
        self._zone = zone
        self._tiers = tiers
        self._slices: dict[int, dict[int, _Slice]] = {number: {} for number in (FRESH, *(t.number for t in tiers))}
        self._changed: dict[tuple[int, int], _Slice] = {}
        self._expired_before: dict[int, int] = {}
        self._no_longer_fresh: list[bytes] = []
        """Keys of records that are to go."""
        self.add = self._sums.add

    @property
    def waiting(self) -> int:
        """About how much the tiers do not hold yet: facts, and sums that are fresh."""
        return self._sums.waiting + sum(len(fresh.table.sums.keys) for fresh in self._slices[FRESH].values())

    def keep_fresh(self) -> Generator[None, None, None]:
        """Take what was added to the sums that are fresh, and to the sets that age, a step at a time; the tiers are
        left alone. To be iterated over."""
        for fine in self._sums.take():
            for start_ms, sums in fine.by_start():
                self._add(FRESH, start_ms, sums)
                yield

    def spread(self, clock_ms: int) -> Generator[None, None, None]:
        """Take what was added, and what is fresh, to every tier that still keeps its time, and to the sets that age, a
        step at a time. To be iterated over."""
        fresh, self._slices[FRESH] = self._slices[FRESH], {}
        for start_ms, spread in fresh.items():
            self._changed.pop((FRESH, start_ms), None)
            self._no_longer_fresh += (self._key(FRESH, start_ms, cut) for cut in spread.written)
        sums_of_fresh = StartSums.of({start_ms: spread.table.sums for start_ms, spread in fresh.items()})
        for fine in chain([sums_of_fresh], self._sums.take()):
            for tier, changes in over_tiers(fine, self._tiers, lambda tier: tier.expires_before(clock_ms), self._zone):
                for start_ms, sums in changes:
                    self._add(tier.number, start_ms, sums)
                    yield

    def restore(self, key: PaneKey, value: bytes | None) -> None:
        """Put a pane back as it was flushed (recovery), in log order; None: it is gone."""
        number = self._numbers.of(key.cut)
        if value is not None:
            self._slice(key.tier, key.start_ms).restored[number] = value
        elif key.start_ms in self._slices[key.tier]:
            self._slices[key.tier][key.start_ms].restored.pop(number, None)

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
        records: list[Record] = [(key, None) for key in self._no_longer_fresh]
        self._no_longer_fresh = []
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

    def _add(self, tier: int, start_ms: int, sums: Sums) -> None:
        changed = self._changed[tier, start_ms] = self._slice(tier, start_ms)
        changed.table.add(sums)
        changed.changed.append(sums.cuts())

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
