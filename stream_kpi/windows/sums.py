"""Sums facts up by pane: numpy does for a flush's facts at once what a dictionary would do one by one.

A fact goes to some seven cuts and five tiers. In pure Python that costs about 15 us an event; sorting integer keys of
(pane start, cut, slot) and adding up runs of equal ones costs about 2 us.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from stream_kpi.lifecycles.facts import Cut, Fact
from stream_kpi.measures.histogram import EDGES_MS, score_bin
from stream_kpi.measures.registry import BY_NUMBER, SLOTS_PER_MEASURE, Kind
from stream_kpi.measures.vector import Vector
from stream_kpi.windows.ages import AgeSets
from stream_kpi.windows.cut_table import CutTable, Integers, runs
from stream_kpi.windows.tiers import FINE, MINUTE_MS, Tier

_SLOT_BITS = 20
_CUT_BITS = 22
_SLOTS = 1 << _SLOT_BITS
_CUTS = 1 << _CUT_BITS
"""What one 64-bit key has room for, beside the pane's start: a million slots, four million cuts."""
_FINE_MS = FINE.grain_ms or 1
_QUARTER_MS = 15 * MINUTE_MS
"""Every zone's midnights fall on quarters of an hour, so that a slice up to this long lies within one local day."""

_EDGES = np.array(EDGES_MS, dtype=np.int64)
_COUNTS, _DURATIONS, _SCORES, _AGES = range(4)
_CODES = {Kind.COUNT: _COUNTS, Kind.LEVEL: _COUNTS, Kind.DURATION: _DURATIONS, Kind.SCORE: _SCORES, Kind.AGE: _AGES}
_KIND_OF = np.array(
    [_CODES[BY_NUMBER[n].kind] if n in BY_NUMBER else _COUNTS for n in range(max(BY_NUMBER) + 1)], dtype=np.int64
)


class PaneDelta(NamedTuple):
    """What a flush's facts change in the panes of one start and cut."""

    start: int
    """Index of the start."""
    cut: Cut
    vector: Vector


class TierDeltas(NamedTuple):
    """All that changes in a tier. Tiers share vectors: copy one before changing it."""

    tier: Tier
    starts_ms: list[int]
    deltas: list[PaneDelta]


class _Entries(NamedTuple):
    """Sums by (start, cut, slot), packed into ``keys``, ascending."""

    keys: Integers
    sums: Integers


class FactSums:
    """Takes facts, gives what they change, tier by tier."""

    def __init__(self, table: CutTable, ages: AgeSets) -> None:
        self._table = table
        self._ages = ages
        self._tables: list[Integers] = []

    def add(self, facts: Sequence[Fact]) -> None:
        """Take facts in: best a batch at once, while the processor's cache still holds them (later costs 1 us more an
        event, measured)."""
        if facts:
            self._tables.append(
                np.fromiter(chain.from_iterable(facts), dtype=np.int64, count=5 * len(facts)).reshape(-1, 5)
            )

    def spread(self, tiers: Sequence[Tier], clock_ms: int, zone: ZoneInfo) -> Iterator[TierDeltas]:
        """What the facts since the last call change, for each tier; panes past a tier's retention are left out."""
        tables, self._tables = self._tables, []
        if not tables:
            return
        starts_ms, entries = self._by_cut(*self._changes(np.concatenate(tables)))
        if not starts_ms:  # nothing but ages
            return
        deltas = self._deltas(entries)
        short, slice_ms = (starts_ms, entries), _FINE_MS
        for tier in tiers:
            if tier.grain_ms is None and any(
                tier.start_of(start_ms, zone) != tier.start_of(start_ms + slice_ms - 1, zone) for start_ms in starts_ms
            ):
                starts_ms, entries = short
                deltas = self._deltas(entries)
            coarser_ms = [tier.start_of(start_ms, zone) for start_ms in starts_ms]
            together_ms = sorted(set(coarser_ms))
            if len(together_ms) < len(starts_ms):
                places = {start_ms: place for place, start_ms in enumerate(together_ms)}
                entries = _joined(entries, [places[start_ms] for start_ms in coarser_ms])
                deltas = self._deltas(entries)
            starts_ms, expired_ms = together_ms, tier.expires_before(clock_ms)
            if tier.grain_ms:
                slice_ms = tier.grain_ms
                if slice_ms <= _QUARTER_MS:
                    short = starts_ms, entries
            if starts_ms[0] < expired_ms:
                yield TierDeltas(tier, starts_ms, [delta for delta in deltas if starts_ms[delta.start] >= expired_ms])
            else:
                yield TierDeltas(tier, starts_ms, deltas)

    def _changes(self, table: Integers) -> tuple[Integers, Integers, Integers, Integers]:
        """Facts as changes of slots: slot, fine start index, cut set, amount. Ages go to their sets."""
        kinds = _KIND_OF[table[:, 0] // SLOTS_PER_MEASURE]
        ages = kinds == _AGES
        if ages.any():
            add = self._ages.add
            for slot, time_ms, cuts, value, sign in table[ages].tolist():
                add(slot // SLOTS_PER_MEASURE, time_ms, cuts, value, sign)
            table, kinds = table[~ages], kinds[~ages]
        slots, times_ms, sets, values, signs = table.T
        starts = times_ms // _FINE_MS
        durations, scores = kinds == _DURATIONS, kinds == _SCORES
        bins = 1 + slots[durations] + np.searchsorted(_EDGES, values[durations], side="left")
        score_bins = 1 + slots[scores] + np.array([score_bin(v) for v in values[scores].tolist()], dtype=np.int64)
        return (
            np.concatenate((slots, bins, score_bins)),
            np.concatenate((starts, starts[durations], starts[scores])),
            np.concatenate((sets, sets[durations], sets[scores])),
            np.concatenate((values * signs, signs[durations], signs[scores])),
        )

    def _by_cut(
        self, slots: Integers, starts: Integers, sets: Integers, amounts: Integers
    ) -> tuple[list[int], _Entries]:
        """The starts that occur, and each change for every cut of its set, summed."""
        rows, cuts = self._table.expand(sets)
        known, index = np.unique(starts, return_inverse=True)
        row_keys = index * (_CUTS * _SLOTS) + slots
        return [start * _FINE_MS for start in known.tolist()], _summed(row_keys[rows] + cuts * _SLOTS, amounts[rows])

    def _deltas(self, entries: _Entries) -> list[PaneDelta]:
        all_cuts = self._table.cuts
        places = entries.keys // _SLOTS
        firsts = runs(places)
        bounds = [*firsts.tolist(), len(places)]
        slots, sums = (entries.keys % _SLOTS).tolist(), entries.sums.tolist()
        return [
            PaneDelta(
                place // _CUTS, all_cuts[place % _CUTS], dict(zip(slots[first:end], sums[first:end], strict=True))
            )
            for first, end, place in zip(bounds, bounds[1:], places[firsts].tolist(), strict=False)
        ]


def _joined(entries: _Entries, start_of: list[int]) -> _Entries:
    """The same sums where start ``i`` has become start ``start_of[i]``."""
    per_start = _CUTS * _SLOTS
    index = np.array(start_of, dtype=np.int64)
    return _summed(index[entries.keys // per_start] * per_start + entries.keys % per_start, entries.sums)


def _summed(keys: Integers, amounts: Integers) -> _Entries:
    """One entry a key, ascending, without zeros."""
    order = np.argsort(keys)
    keys = keys[order]
    firsts = runs(keys)
    sums = np.add.reduceat(amounts[order], firsts) if len(firsts) else amounts
    stays = sums != 0
    return _Entries(keys[firsts][stays], sums[stays])
