"""Sums facts up by pane: numpy does for a flush's facts at once what a dictionary would do one by one.

A fact goes to some seven cuts and five tiers. In pure Python that costs about 15 us an event; sorting integer keys of
(pane start, cut, slot) and adding up runs of equal ones costs about 2 us.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from stream_kpi.lifecycles.facts import Cut, Fact
from stream_kpi.measures.histogram import EDGES_MS, score_bin
from stream_kpi.measures.registry import BY_NUMBER, SLOTS_PER_MEASURE, Kind
from stream_kpi.measures.vector import Vector
from stream_kpi.windows.ages import AgeSets
from stream_kpi.windows.cut_table import CutTable, Integers
from stream_kpi.windows.tiers import FINE, Tier

_SLOT_BITS = 20
_CUT_BITS = 22
_SLOTS = 1 << _SLOT_BITS
_CUTS = 1 << _CUT_BITS
"""What one 64-bit key has room for, beside the pane's start: a million slots, four million cuts."""
_FINE_MS = FINE.grain_ms or 1

_EDGES = np.array(EDGES_MS, dtype=np.int64)
_COUNTS, _DURATIONS, _SCORES, _AGES = range(4)
_CODES = {Kind.COUNT: _COUNTS, Kind.LEVEL: _COUNTS, Kind.DURATION: _DURATIONS, Kind.SCORE: _SCORES, Kind.AGE: _AGES}
_KIND_OF = np.array(
    [_CODES[BY_NUMBER[n].kind] if n in BY_NUMBER else _COUNTS for n in range(max(BY_NUMBER) + 1)], dtype=np.int64
)


class PaneDelta(NamedTuple):
    """What a flush's facts change in the panes of one start and cut."""

    start_ms: int
    cut: Cut
    vector: Vector


class _Entries(NamedTuple):
    """Sums by (start, cut, slot): ``keys`` ascending, a start being an index into ``starts_ms``."""

    starts_ms: list[int]
    keys: Integers
    sums: Integers


class FactSums:
    """Takes facts, gives what they change, tier by tier."""

    def __init__(self, table: CutTable, ages: AgeSets) -> None:
        self._table = table
        self._ages = ages
        self._facts: list[Fact] = []

    def add(self, facts: Iterable[Fact]) -> None:
        """Take facts in."""
        self._facts.extend(facts)

    def spread(
        self, tiers: Sequence[Tier], clock_ms: int, zone: ZoneInfo
    ) -> Iterator[tuple[Tier, Iterator[PaneDelta]]]:
        """What the facts since the last call change, for each tier; panes past a tier's retention are left out."""
        facts, self._facts = self._facts, []
        if not facts:
            return
        slots, starts, sets, amounts = self._changes(facts)
        entries = self._by_cut(slots, starts, sets, amounts)
        for tier in tiers:
            entries = _coarser(entries, [tier.start_of(start_ms, zone) for start_ms in entries.starts_ms])
            yield tier, self._deltas(entries, tier.expires_before(clock_ms))

    def _changes(self, facts: list[Fact]) -> tuple[Integers, Integers, Integers, Integers]:
        """Facts as changes of slots: slot, fine start index, cut set, amount. Ages go to their sets."""
        table = np.fromiter(chain.from_iterable(facts), dtype=np.int64, count=5 * len(facts)).reshape(-1, 5)
        kinds = _KIND_OF[table[:, 0] // SLOTS_PER_MEASURE]
        ages = kinds == _AGES
        if ages.any():
            add = self._ages.add
            for slot, _, cuts, value, sign in table[ages].tolist():
                add(slot // SLOTS_PER_MEASURE, cuts, value, sign)
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

    def _by_cut(self, slots: Integers, starts: Integers, sets: Integers, amounts: Integers) -> _Entries:
        """Each change for every cut of its set, summed."""
        change, cut = self._table.expand(sets)
        known, index = np.unique(starts, return_inverse=True)
        keys = ((index[change] * _CUTS) + cut) * _SLOTS + slots[change]
        return _summed([start * _FINE_MS for start in known.tolist()], keys, amounts[change])

    def _deltas(self, entries: _Entries, expires_before_ms: int) -> Iterator[PaneDelta]:
        keys, starts_ms, all_cuts = entries.keys, entries.starts_ms, self._table.cuts
        places = keys // _SLOTS
        firsts = np.flatnonzero(np.diff(places, prepend=-1)).tolist()
        slots, sums = (keys % _SLOTS).tolist(), entries.sums.tolist()
        ends = [*firsts[1:], len(slots)][: len(firsts)]
        for first, end, place in zip(firsts, ends, places[firsts].tolist(), strict=True):
            start_ms = starts_ms[place // _CUTS]
            if start_ms >= expires_before_ms:
                vector = dict(zip(slots[first:end], sums[first:end], strict=True))
                yield PaneDelta(start_ms, all_cuts[place % _CUTS], vector)


def _coarser(entries: _Entries, starts_ms: list[int]) -> _Entries:
    """The same sums where each start is replaced by another, several of which may fall together."""
    together = sorted(set(starts_ms))
    if len(together) == len(starts_ms):
        return _Entries(together, entries.keys, entries.sums)
    index_of = {start_ms: index for index, start_ms in enumerate(together)}
    index = np.array([index_of[start_ms] for start_ms in starts_ms], dtype=np.int64)
    per_start = _CUTS * _SLOTS
    keys = index[entries.keys // per_start] * per_start + entries.keys % per_start
    return _summed(together, keys, entries.sums)


def _summed(starts_ms: list[int], keys: Integers, amounts: Integers) -> _Entries:
    """One entry a key, ascending, without zeros."""
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    firsts = np.flatnonzero(np.diff(keys, prepend=-1))
    sums = np.add.reduceat(amounts[order], firsts) if len(firsts) else amounts
    stays = sums != 0
    return _Entries(starts_ms, keys[firsts][stays], sums[stays])
