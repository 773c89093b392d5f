"""The cuts of each group of a :class:`CutSets` as numpy arrays: what turns a column of ids into one of cuts."""

from __future__ import annotations

from array import array

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

    def expand(self, sets: Integers) -> tuple[Integers, Integers]:
        """For every cut of every set: the row it comes from, and the cut's number. Rows in no order."""
        self._learn()
        seconds = sets >> GROUP_BITS
        paired = np.flatnonzero(seconds)
        rows, cuts = self._expand(sets & ((1 << GROUP_BITS) - 1))
        more, others = self._expand(seconds[paired])
        return np.concatenate((rows, paired[more])), np.concatenate((cuts, others))

    def _expand(self, groups: Integers) -> tuple[Integers, Integers]:
        listed = np.frombuffer(self._listed, dtype=np.int64)
        first = np.frombuffer(self._first, dtype=np.int64)
        begins = first[groups]
        counts = first[groups + 1] - begins
        rows, cuts = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
        for count in np.flatnonzero(np.bincount(counts)).tolist():  # few, and nearly all groups are of the same
            alike = np.flatnonzero(counts == count)
            rows.append(np.repeat(alike, count))
            cuts.append(listed[begins[alike][:, np.newaxis] + np.arange(count)].ravel())
        return np.concatenate(rows), np.concatenate(cuts)

    def _learn(self) -> None:
        number_of = self.numbers.of
        for group in self._cut_sets.groups[len(self._first) - 1 :]:
            self._listed.extend([number_of(cut) for cut in group])
            self._first.append(len(self._listed))
