"""Sums facts up by pane: numpy does for a flush's facts at once what a dictionary would do one by one.

A fact goes to some seven cuts and five tiers. In pure Python that costs about 15 us an event; sorting integer keys of
(pane start, cut, slot) and adding up runs of equal ones costs about 2 us.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_kpi.lifecycles.facts import Fact, rows_of
from stream_kpi.measures.compound import BY_NUMBER as COMPOUNDS
from stream_kpi.measures.compound import FIRST_NUMBER
from stream_kpi.measures.histogram import EDGES_MS, score_bin
from stream_kpi.measures.registry import BY_NUMBER, CLOCK_EPOCH_MS, SLOTS_PER_MEASURE, Kind
from stream_kpi.windows.ages import AgeSets
from stream_kpi.windows.cut_table import CutTable
from stream_kpi.windows.spread import CUTS, PER_START, StartSums
from stream_kpi.windows.sum_table import Integers, ranked, summed_by_cut
from stream_kpi.windows.tiers import FINE

_MOST_ROWS = 1 << 17
"""Facts that are summed at once: 0.2 s with all their cuts, in which nobody else has a turn; fewer would go to the
tiers in more steps. A key has room for the starts of many more."""
_FINE_MS = FINE.grain_ms or 1

_EDGES = np.array(EDGES_MS, dtype=np.int64)
_COUNTS, _DURATIONS, _SCORES, _AGES = range(4)
_CODES = {Kind.COUNT: _COUNTS, Kind.LEVEL: _COUNTS, Kind.DURATION: _DURATIONS, Kind.SCORE: _SCORES, Kind.AGE: _AGES}
_KIND_OF = np.array(
    [_CODES[BY_NUMBER[n].kind] if n in BY_NUMBER else _COUNTS for n in range(FIRST_NUMBER)], dtype=np.int64
)
_FIRST_COMPOUND_SLOT = FIRST_NUMBER * SLOTS_PER_MEASURE


class _PartColumns(NamedTuple):
    """The n-th part of the compounds, those of them that have so many: by number of the compound less the first."""

    known: NDArray[np.bool_]
    slot_shift: Integers
    """From a slot of the compound to that of the part's measure."""
    each: Integers
    each_ms: Integers
    epoch_ms: Integers
    """From when milliseconds are counted."""


def _part_columns(place: int) -> _PartColumns:
    length = max(COMPOUNDS) + 1 - FIRST_NUMBER
    columns = _PartColumns(np.zeros(length, dtype=np.bool_), *(np.zeros(length, dtype=np.int64) for _ in range(4)))
    for number, compound in COMPOUNDS.items():
        if place < len(compound.parts):
            part, at = compound.parts[place], number - FIRST_NUMBER
            columns.known[at] = True
            columns.slot_shift[at] = part.measure.slot - compound.slot
            columns.each[at], columns.each_ms[at] = part.each, part.each_ms
            columns.epoch_ms[at] = CLOCK_EPOCH_MS - part.after_ms
    return columns


_PARTS = [_part_columns(place) for place in range(max(len(compound.parts) for compound in COMPOUNDS.values()))]


class FactSums:
    """Takes facts, gives what they add up to."""

    def __init__(self, table: CutTable, ages: AgeSets) -> None:
        self._table = table
        self._ages = ages
        self._tables: list[Integers] = []

    @property
    def waiting(self) -> int:
        """Facts that have not been taken."""
        return sum(map(len, self._tables))

    def add(self, facts: list[Fact]) -> None:
        """Take facts in: best a batch at once, while the processor's cache still holds them (later costs 1 us more an
        event, measured)."""
        if facts:
            self._tables.append(np.frombuffer(rows_of(facts), dtype="<i8").reshape(-1, 5))

    def take(self) -> Iterator[StartSums]:
        """The sums of the facts since the last call, by fine start."""
        tables, self._tables = self._tables, []
        for table in _chunks(tables):
            yield self._by_cut(*self._changes(table))

    def _changes(self, table: Integers) -> tuple[Integers, Integers, Integers, Integers]:
        """Facts as changes of slots: slot, fine start index, cut set, amount. Ages go to their sets."""
        fact_slots, times_ms, sets, fact_values, signs = np.ascontiguousarray(table.T)
        facts, slots, values = _spelled_out(fact_slots, times_ms, fact_values)
        numbers = slots // SLOTS_PER_MEASURE
        kinds = _KIND_OF[numbers]
        ages, plain = np.flatnonzero(kinds == _AGES), np.flatnonzero(kinds != _AGES)
        aged = facts[ages]
        columns = (times_ms[aged], numbers[ages], sets[aged], values[ages], signs[aged])
        self._ages.take(zip(*(column.tolist() for column in columns), strict=True))
        durations, scores = np.flatnonzero(kinds == _DURATIONS), np.flatnonzero(kinds == _SCORES)
        bins = 1 + slots[durations] + np.searchsorted(_EDGES, values[durations], side="left")
        score_bins = 1 + slots[scores] + np.array([score_bin(v) for v in values[scores].tolist()], dtype=np.int64)
        changing = facts[np.concatenate((plain, durations, scores))]
        amounts = signs[changing]
        amounts[: len(plain)] *= values[plain]
        return np.concatenate((slots[plain], bins, score_bins)), times_ms[changing] // _FINE_MS, sets[changing], amounts

    def _by_cut(self, slots: Integers, starts: Integers, sets: Integers, amounts: Integers) -> StartSums:
        """Each change for every cut of its set, summed."""
        expanded = self._table.expand(sets)
        if len(self._table.numbers.cuts) > CUTS:
            raise OverflowError(f"more than {CUTS} different values of dimensions in one shard")
        known, index = ranked(starts)
        sums = summed_by_cut(index * PER_START + slots, amounts, expanded)
        return StartSums([start * _FINE_MS for start in known.tolist()], sums)


def _spelled_out(slots: Integers, times_ms: Integers, values: Integers) -> tuple[Integers, Integers, Integers]:
    """The facts with those of compounds as facts of their parts (lifecycles.facts.spelled_out): the row, slot and value
    of each."""
    compounds = np.flatnonzero(slots >= _FIRST_COMPOUND_SLOT)
    of = slots[compounds] // SLOTS_PER_MEASURE - FIRST_NUMBER
    plain = np.flatnonzero(slots < _FIRST_COMPOUND_SLOT)
    spelled = [(plain, slots[plain], values[plain])]
    for columns in _PARTS:
        has = np.flatnonzero(columns.known[of])
        rows, numbers = compounds[has], of[has]
        each = columns.each[numbers] + columns.each_ms[numbers] * (times_ms[rows] - columns.epoch_ms[numbers])
        spelled.append((rows, slots[rows] + columns.slot_shift[numbers], values[rows] * each))
    rows, slots, values = map(np.concatenate, zip(*spelled, strict=True))
    return rows, slots, values


def _chunks(tables: Sequence[Integers]) -> Iterator[Integers]:
    """The tables one under the other, at most ``_MOST_ROWS`` together."""
    ends = np.cumsum([len(table) for table in tables])
    first = 0
    while first < len(tables):
        rows_before = ends[first] - len(tables[first])
        end = max(first + 1, int(np.searchsorted(ends, rows_before + _MOST_ROWS, side="right")))
        yield np.concatenate(tables[first:end])
        first = end
