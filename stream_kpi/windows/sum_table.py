"""Sums by cut and slot: what panes and windows hold, as two parallel arrays.

A dictionary a cut costs 80 ns and 100 bytes for every slot that is touched, and a flush touches some 700 slots of each
of 200 cuts in five tiers. Sorted arrays cost a tenth of both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stream_kpi.lifecycles.facts import Cut
from stream_kpi.measures.registry import SLOTS_PER_MEASURE, Measure
from stream_kpi.measures.vector import Vector

Integers = NDArray[np.int64]

SLOT_BITS = 20
"""Room for a million slots, of which a measure has :data:`SLOTS_PER_MEASURE`."""
SLOTS = 1 << SLOT_BITS
_SLOT_MASK = SLOTS - 1
_ENTRY_BYTES = 12
_MOST_CELLS_A_ROW = 16
"""Above it, sorting the rows takes less time than going through the cells (measured, ~3 ns a cell and ~55 a row)."""
_MOST_FLAGS_A_VALUE = 64
"""Above it, sorting the values takes less time than going through the flags."""
_MERGED_FROM = 8
"""A table that is not so many times as long as what is added to it is merged with it; else the places are looked up."""
_NO_INTEGERS = np.empty(0, dtype=np.int64)

MeasureFlags = NDArray[np.bool_]
"""A flag for each measure's number."""


def runs(ascending: Integers) -> Integers:
    """Where each run of equal numbers begins."""
    begins = np.ones(len(ascending), dtype=np.bool_)
    np.not_equal(ascending[1:], ascending[:-1], out=begins[1:])
    return np.flatnonzero(begins)


class _Numbering(dict[Cut, int]):
    """Gives a cut that is asked for its number. A flush brings thousands of new groups of cuts: a dictionary that fills
    itself answers them in half the time of a function that looks into one."""

    def __init__(self) -> None:
        super().__init__()
        self.cuts: list[Cut] = []

    def __missing__(self, cut: Cut) -> int:
        number = self[cut] = len(self.cuts)
        self.cuts.append(cut)
        return number


class CutNumbers:
    """Numbers cuts, from 0, for as long as the process lives."""

    def __init__(self) -> None:
        numbering = _Numbering()
        self.cuts = numbering.cuts
        """The cut of each number."""
        self.of: Callable[[Cut], int] = numbering.__getitem__
        """The number of a cut, a new one if it has none."""
        self.find: Callable[[Cut], int | None] = numbering.get
        """The number of a cut, if it has one."""

    def named(self, numbers: Integers) -> list[Cut]:
        """The cuts of these numbers."""
        cuts = self.cuts
        return [cuts[number] for number in numbers.tolist()]


class Expanded(NamedTuple):
    """Rows that have equally many cuts."""

    rows: Integers
    cuts: list[Integers]
    """The numbers of these: a column for the first one of each row, one for the second, and so on."""


class Sums(NamedTuple):
    """Amounts by cut and slot, none of them zero. Never changed."""

    keys: Integers
    """``cut number * SLOTS + slot``, ascending, each once."""
    amounts: Integers

    def cuts(self) -> Integers:
        """The cuts' numbers, ascending."""
        cuts: Integers = self.keys >> SLOT_BITS
        return cuts[runs(cuts)]

    def negated(self) -> Sums:
        """What takes these back."""
        return Sums(self.keys, -self.amounts)

    def where(self, wanted: NDArray[np.bool_]) -> Sums:
        """Those entries."""
        # An array of flags as an index takes five times as long.
        return Sums(self.keys.compress(wanted), self.amounts.compress(wanted))

    def of_measures(self, wanted: MeasureFlags) -> Sums:
        """Those of the measures."""
        return self.where(wanted[(self.keys & _SLOT_MASK) // SLOTS_PER_MEASURE])

    def of_cuts(self, numbers: Integers) -> Sums:
        """Those of the cuts, whose numbers ascend."""
        if not len(numbers):
            return NOTHING
        cuts = self.keys >> SLOT_BITS
        places = np.minimum(np.searchsorted(numbers, cuts), len(numbers) - 1)
        return self.where(numbers[places] == cuts)

    def vector(self, number: int | None) -> Vector:
        """One cut's; of no cut (None): nothing."""
        if number is None:
            return {}
        first, end = np.searchsorted(self.keys, (number << SLOT_BITS, (number + 1) << SLOT_BITS)).tolist()
        return dict(zip((self.keys[first:end] & _SLOT_MASK).tolist(), self.amounts[first:end].tolist(), strict=True))


NOTHING = Sums(_NO_INTEGERS, _NO_INTEGERS)


def summed(keys: Integers, amounts: Integers) -> Sums:
    """Amounts of equal keys added up; keys in any order."""
    order = np.argsort(keys)
    keys = keys[order]
    firsts = runs(keys)
    sums = np.add.reduceat(amounts[order], firsts) if len(firsts) else amounts
    stays = sums != 0
    return Sums(keys[firsts][stays], sums[stays])


def ranked(values: Integers) -> tuple[Integers, Integers]:
    """The distinct values, ascending, and the place of each value among them.

    np.unique sorts for that; where values lie close together, a flag for each takes a fifth of the time.
    """
    least, greatest = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    if greatest - least >= _MOST_FLAGS_A_VALUE * len(values):
        return np.unique(values, return_inverse=True)
    offsets = values - least
    occurs = np.zeros(greatest - least + 1, dtype=np.bool_)
    occurs[offsets] = True
    distinct = np.flatnonzero(occurs)
    places = np.empty(len(occurs), dtype=np.int64)
    places[distinct] = np.arange(len(distinct))
    return distinct + least, places[offsets]


def summed_by_cut(keys: Integers, amounts: Integers, expanded: Sequence[Expanded]) -> Sums:
    """The amounts of rows added up by the row's key and a cut; a key has no cut yet.

    Where keys and cuts are few, a flush's million rows are added into one cell for each pair of them: a tenth of the
    time that sorting takes.
    """
    distinct, column = ranked(keys)
    columns_of_cuts = [cuts for _, columns in expanded for cuts in columns]
    line_of = np.zeros(1 + max((int(cuts.max(initial=0)) for cuts in columns_of_cuts), default=0), dtype=np.int64)
    for cuts in columns_of_cuts:
        line_of[cuts] = 1
    used = np.flatnonzero(line_of)
    width = len(distinct)
    if len(used) * width > _MOST_CELLS_A_ROW * sum(len(cuts) for cuts in columns_of_cuts):
        rows, cuts = one_by_one(expanded)
        return summed(keys.take(rows) + cuts * SLOTS, amounts.take(rows))
    line_of[used] = np.arange(len(used)) * width
    cells = np.zeros(len(used) * width, dtype=np.int64)
    for rows, columns in expanded:
        places, added_to_each = column.take(rows), amounts.take(rows)
        for cuts in columns:
            np.add.at(cells, line_of.take(cuts) + places, added_to_each)
    filled = np.flatnonzero(cells)
    lines = filled // max(1, width)
    found = used.take(lines) * SLOTS + distinct.take(filled - lines * width)
    order = np.argsort(found, kind="stable")  # quick: it is in order already, as long as all are of one start
    return Sums(found.take(order), cells.take(filled.take(order)))


def one_by_one(expanded: Sequence[Expanded]) -> tuple[Integers, Integers]:
    """Every row as often as it has cuts, and the number of a cut of each."""
    rows = [rows for rows, columns in expanded for _ in columns]
    cuts = [cuts for _, columns in expanded for cuts in columns]
    return np.concatenate((_NO_INTEGERS, *rows)), np.concatenate((_NO_INTEGERS, *cuts))


def added(parts: Sequence[Sums]) -> Sums:
    """All parts together."""
    if len(parts) < 2:
        return parts[0] if parts else NOTHING
    if len(parts) == 2:
        return _merged(*parts)
    return summed(np.concatenate([part.keys for part in parts]), np.concatenate([part.amounts for part in parts]))


def _merged(a: Sums, b: Sums) -> Sums:
    """Both together, as two that are about as long are added up fastest: no key is in more than two entries."""
    keys, amounts = np.concatenate((a.keys, b.keys)), np.concatenate((a.amounts, b.amounts))
    order = np.argsort(keys, kind="stable")  # quick: it merges what is in order
    keys, amounts = keys[order], amounts[order]
    twice = np.flatnonzero(keys[1:] == keys[:-1])
    amounts[twice] += amounts[twice + 1]
    amounts[twice + 1] = 0
    stays = np.flatnonzero(amounts != 0)
    return Sums(keys[stays], amounts[stays])


def sums_of(vectors: Mapping[int, Mapping[int, int]]) -> Sums:
    """The same as vectors by number of the cut."""
    keys = [(number << SLOT_BITS) + slot for number, vector in vectors.items() for slot in vector]
    amounts = [amount for vector in vectors.values() for amount in vector.values()]
    return summed(np.array(keys, dtype=np.int64), np.array(amounts, dtype=np.int64))


class SumTable:
    """Sums that grow."""

    __slots__ = ("sums",)

    def __init__(self, sums: Sums = NOTHING) -> None:
        self.sums = sums
        """As they stand: later changes do not show in it."""

    def __bool__(self) -> bool:
        return len(self.sums.keys) > 0

    def add(self, delta: Sums) -> None:
        """Add to every entry of ``delta``."""
        keys, amounts = self.sums
        if not len(keys):
            self.sums = Sums(delta.keys.copy(), delta.amounts.copy())  # a slice would keep the whole alive
            return
        if len(delta.keys) >= len(keys) // _MERGED_FROM:
            self.sums = _merged(self.sums, delta)
            return
        places = np.searchsorted(keys, delta.keys)
        known = keys[np.minimum(places, len(keys) - 1)] == delta.keys
        amounts = amounts.copy()
        at = places[known]
        amounts[at] += delta.amounts[known]
        emptied = at[amounts[at] == 0]
        if not known.all():
            new = ~known
            keys = np.insert(keys, places[new], delta.keys[new])
            amounts = np.insert(amounts, places[new], delta.amounts[new])
        if len(emptied):
            stays = amounts != 0
            keys, amounts = keys[stays], amounts[stays]
        self.sums = Sums(keys, amounts)

    def replace(self, vectors: Mapping[int, bytes]) -> Sums:
        """Put packed vectors in place of those of the same cuts; by how much that changes the sums."""
        new = unpacked_vectors(vectors)
        if not self:
            self.add(new)
            return self.sums
        cuts = np.array(sorted(vectors), dtype=np.int64)
        change = added([new, self.sums.of_cuts(cuts).negated()])
        self.add(change)
        return change


def measure_flags(measures: Iterable[Measure]) -> MeasureFlags:
    """Set for these measures."""
    flags = np.zeros(SLOTS // SLOTS_PER_MEASURE, dtype=np.bool_)
    flags[[measure.number for measure in measures]] = True
    return flags


def packed_vectors(sums: Sums, cuts: Integers) -> list[bytes]:
    """The entries of each cut as bytes, empty for a cut without any: the amounts, 8 bytes each, then the slots, 4
    bytes each, both little-endian."""
    firsts = np.searchsorted(sums.keys, cuts << SLOT_BITS).tolist()
    ends = np.searchsorted(sums.keys, (cuts + 1) << SLOT_BITS).tolist()
    amounts = sums.amounts.astype("<i8", copy=False).tobytes()
    slots = (sums.keys & _SLOT_MASK).astype("<u4").tobytes()
    return [amounts[8 * first : 8 * end] + slots[4 * first : 4 * end] for first, end in zip(firsts, ends, strict=True)]


def unpacked_vectors(vectors: Mapping[int, bytes]) -> Sums:
    """The inverse, of vectors by number of their cut."""
    numbers = sorted(vectors)
    packed = [vectors[number] for number in numbers]
    counts = [len(entries) // _ENTRY_BYTES for entries in packed]
    pairs = list(zip(packed, counts, strict=True))
    amounts = np.frombuffer(b"".join([entries[: 8 * count] for entries, count in pairs]), dtype="<i8")
    slots = np.frombuffer(b"".join([entries[8 * count :] for entries, count in pairs]), dtype="<u4")
    cuts = np.repeat(np.array(numbers, dtype=np.int64), counts)
    return Sums((cuts << SLOT_BITS) + slots, amounts.astype(np.int64, copy=False))
