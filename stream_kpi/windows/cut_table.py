"""The cuts of each group of a :class:`CutSets` as numpy arrays: what turns a column of ids into one of cuts."""

from __future__ import annotations

from array import array
from collections.abc import Iterator

import numpy as np

from stream_kpi.lifecycles.facts import GROUP_BITS, CutSets
from stream_kpi.windows.sum_table import CutNumbers, Integers


class CutTable:
    """Numbers the cuts of a :class:`CutSets`, and lists each group's numbers one after the other."""

    def __init__(self, cut_sets: CutSets) -> None:
        self.numbers = CutNumbers()
        self._cut_sets = cut_sets
        self.renew()

    def renew(self) -> None:
        """Forget all groups: the cut sets have been renewed. Cuts keep their numbers."""
        self._listed = array("q")
        self._first = array("q", [0])

    def expand(self, sets: Integers) -> list[tuple[Integers, Integers]]:
        """Every cut of every set: rows of the column, and the number of a cut of each. All first cuts come together,
        then all second ones, and so on; the last are none."""
        self._learn()
        seconds = sets >> GROUP_BITS
        paired = np.flatnonzero(seconds)
        return [
            *self._expand(np.arange(len(sets)), sets & ((1 << GROUP_BITS) - 1)),
            *self._expand(paired, seconds[paired]),
        ]

    def _expand(self, rows: Integers, groups: Integers) -> Iterator[tuple[Integers, Integers]]:
        listed = np.frombuffer(self._listed, dtype=np.int64)
        first = np.frombuffer(self._first, dtype=np.int64)
        at, ends = first[groups], first[groups + 1]
        while True:
            longer = np.flatnonzero(at < ends)
            if len(longer) < len(rows):
                rows, at, ends = rows[longer], at[longer], ends[longer]
            yield rows, listed[at]
            if not len(rows):
                return
            at = at + 1

    def _learn(self) -> None:
        number_of = self.numbers.of
        for group in self._cut_sets.groups[len(self._first) - 1 :]:
            self._listed.extend([number_of(cut) for cut in group])
            self._first.append(len(self._listed))
