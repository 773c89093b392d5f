"""The cuts of each group of a :class:`CutSets` as numpy arrays: what turns a column of ids into one of cuts."""

from __future__ import annotations

from array import array
from itertools import accumulate, chain, islice

import numpy as np

from stream_kpi.lifecycles.facts import GROUP_BITS, CutSets
from stream_kpi.windows.sum_table import CutNumbers, Expanded, Integers

_FIRST = (1 << GROUP_BITS) - 1


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

    def expand(self, sets: Integers) -> list[Expanded]:
        """Every cut of every set of the column: sets of a size together, so that each row is asked for its size once,
        not once a cut."""
        self._learn()
        listed = np.frombuffer(self._listed, dtype=np.int64)
        first = np.frombuffer(self._first, dtype=np.int64)
        sizes = np.diff(first)
        seconds = sets >> GROUP_BITS
        paired = np.flatnonzero(seconds)
        expanded = []
        for rows, groups in ((np.arange(len(sets)), sets & _FIRST), (paired, seconds.take(paired))):
            size_of = sizes.take(groups)
            for size in np.flatnonzero(np.bincount(size_of)).tolist():
                alike = np.flatnonzero(size_of == size)
                at = first.take(groups.take(alike))
                cuts = [listed[place:].take(at) for place in range(size)]
                expanded.append(Expanded(rows.take(alike), cuts))
        return expanded

    def _learn(self) -> None:
        groups = self._cut_sets.groups[len(self._first) - 1 :]
        self._listed.extend(map(self.numbers.of, chain.from_iterable(groups)))
        self._first.extend(islice(accumulate(map(len, groups), initial=self._first[-1]), 1, None))
