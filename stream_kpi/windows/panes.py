"""A shard's panes: facts summed by slot, per (tier, start, cut)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from stream_kpi.lifecycles.facts import Cut, CutSets, Fact
from stream_kpi.measures.histogram import bin_of
from stream_kpi.measures.registry import BY_NUMBER, SLOTS_PER_MEASURE, Kind
from stream_kpi.measures.vector import Vector, add_into
from stream_kpi.windows.ages import AgeSets
from stream_kpi.windows.tiers import FINE, TIERS, Tier

_FINE_MS = FINE.grain_ms or 1
_SETS = 1 << 32
"""Cut-set ids below this share one integer key with the start: half the cost of a tuple key, measured."""


AGES_KEY = b"ages"
"""Key of the shard's sets that age, beside its panes (a packed pane key never starts with a letter)."""


class PaneKey(NamedTuple):
    """One pane's place."""

    tier: int
    start_ms: int
    cut: Cut


_encode = msgspec.msgpack.Encoder().encode
_decode_key = msgspec.msgpack.Decoder(tuple[int, int, list[str]]).decode
_decode_vector = msgspec.msgpack.Decoder(dict[int, int]).decode


def pack_key(key: PaneKey) -> bytes:
    """The Kafka key of a pane's record."""
    return _encode(key)


def unpack_key(packed: bytes) -> PaneKey:
    """The inverse of :func:`pack_key`."""
    tier, start_ms, cut = _decode_key(packed)
    return PaneKey(tier, start_ms, (cut[0], cut[1]) if cut else ())


def unpack_vector(packed: bytes | None) -> Vector:
    """A pane's content; a tombstone is an empty one."""
    return _decode_vector(packed) if packed else {}


_COUNT, _DURATION, _SCORE, _AGE = 0, 1, 2, 3
_KIND_CODES = {Kind.COUNT: _COUNT, Kind.LEVEL: _COUNT, Kind.DURATION: _DURATION, Kind.SCORE: _SCORE, Kind.AGE: _AGE}
_KIND_OF = [_KIND_CODES[BY_NUMBER[n].kind] if n in BY_NUMBER else _COUNT for n in range(max(BY_NUMBER) + 1)]


def score_bin(millionths: int) -> int:
    """Component of a score on 1..5: exact bins of a thousandth."""
    return 1 + (millionths - 1_000_000 + 500) // 1000


class Panes:
    """Adds facts up. Two steps: :meth:`add` sums by fine slice and *set* of cuts, as they come; :meth:`spread`, once a
    flush, takes those few sums to every cut and tier - facts of busy moments share most of that work."""

    def __init__(self, cut_sets: CutSets, ages: AgeSets, zone: ZoneInfo, tiers: tuple[Tier, ...] = TIERS) -> None:
        """``tiers``: those that are kept; `compute` keeps only what its window is read from."""
        self._cut_sets = cut_sets
        self._ages = ages
        self._zone = zone
        self._tiers = tiers
        self._sums: dict[int, Vector] = {}
        self._starts: dict[int, dict[int, set[Cut]]] = {tier.number: {} for tier in tiers}
        self._expired_before: dict[int, int] = {}
        self.panes: dict[PaneKey, Vector] = {}
        self.dirty: set[PaneKey] = set()

    def add(self, facts: Iterable[Fact]) -> None:
        """Sum facts up; the panes change at the next :meth:`spread`."""
        sums = self._sums
        kinds = _KIND_OF
        for slot, time_ms, cuts, value, sign in facts:
            kind = kinds[slot // SLOTS_PER_MEASURE]
            if kind == _AGE:
                self._ages.add(slot // SLOTS_PER_MEASURE, cuts, value, sign)
                continue
            key = time_ms // _FINE_MS * _SETS + cuts
            vector = sums.get(key)
            if vector is None:
                vector = sums[key] = {}
            vector[slot] = vector.get(slot, 0) + value * sign
            if kind != _COUNT:
                slot += 1 + bin_of(value) if kind == _DURATION else score_bin(value)  # noqa: PLW2901 the bin's slot
                vector[slot] = vector.get(slot, 0) + sign

    def spread(self, clock_ms: int) -> None:
        """Take what was added to every cut and every tier that still keeps its time."""
        fine: dict[tuple[int, Cut], Vector] = {}
        all_cuts = self._cut_sets.cuts
        for key, vector in self._sums.items():
            start_ms = key // _SETS * _FINE_MS
            for cut in all_cuts[key % _SETS]:
                into = fine.get((start_ms, cut))
                if into is None:
                    fine[start_ms, cut] = dict(vector)
                else:
                    add_into(into, vector)
        self._sums = {}
        for tier in self._tiers:
            self._spread_tier(tier, fine, tier.expires_before(clock_ms))

    def _spread_tier(self, tier: Tier, fine: dict[tuple[int, Cut], Vector], expires_before: int) -> None:
        zone, number, panes = self._zone, tier.number, self.panes
        places: dict[int, int] = {}
        for (fine_start_ms, cut), vector in fine.items():
            start_ms = places.get(fine_start_ms)
            if start_ms is None:
                start_ms = places[fine_start_ms] = tier.start_of(fine_start_ms, zone)
            if start_ms < expires_before:
                continue
            key = PaneKey(number, start_ms, cut)
            pane = panes.get(key)
            if pane is None:
                pane = panes[key] = {}
                self._starts[number].setdefault(start_ms, set()).add(cut)
            add_into(pane, vector)
            self.dirty.add(key)

    def restore(self, key: PaneKey, vector: Vector) -> None:
        """Put a pane back as it was flushed (recovery)."""
        if vector:
            self.panes[key] = vector
            self._starts[key.tier].setdefault(key.start_ms, set()).add(key.cut)
        elif self.panes.pop(key, None) is not None:
            self._starts[key.tier].get(key.start_ms, set()).discard(key.cut)

    def flush(self, clock_ms: int) -> list[tuple[bytes, bytes | None]]:
        """The records of all panes that changed since the last flush; panes past their retention leave with a
        tombstone."""
        self.spread(clock_ms)
        gone = self._expire(clock_ms)
        panes = self.panes
        records: list[tuple[bytes, bytes | None]] = []
        for key in self.dirty:
            vector = panes.get(key)
            records.append((pack_key(key), _encode(vector) if vector else None))
            if vector is not None and not vector:
                del panes[key]
                self._starts[key.tier][key.start_ms].discard(key.cut)
        records.extend((pack_key(key), None) for key in gone)
        self.dirty = set()
        return records

    def _expire(self, clock_ms: int) -> list[PaneKey]:
        gone: list[PaneKey] = []
        for tier in self._tiers:
            before = tier.expires_before(clock_ms)
            if not tier.grain_ms or before - self._expired_before.get(tier.number, -(1 << 62)) < tier.grain_ms:
                continue
            self._expired_before[tier.number] = before
            starts = self._starts[tier.number]
            for start_ms in [start for start in starts if start < before]:
                gone.extend(PaneKey(tier.number, start_ms, cut) for cut in starts.pop(start_ms))
        for key in gone:
            self.panes.pop(key, None)
            self.dirty.discard(key)
        return gone
