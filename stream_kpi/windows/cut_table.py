"""The cuts of each group of a :class:`CutSets` as numpy arrays: what turns a column of ids into one of cuts."""

from __future__ import annotations

from array import array

import numpy as np
from numpy.typing import NDArray

from stream_kpi.lifecycles.facts import GROUP_BITS, Cut, CutSets

Integers = NDArray[np.int64]


def runs(ascending: Integers) -> Integers:
    """Where each run of equal numbers begins."""
    begins = np.ones(len(ascending), dtype=np.bool_)
    np.not_equal(ascending[1:], ascending[:-1], out=begins[1:])
    return np.flatnonzero(begins)


class CutTable:
    """Numbers the cuts of a :class:`CutSets`, and lists each group's numbers one after the other."""

    def __init__(self, cut_sets: CutSets) -> None:
        self.cuts: list[Cut] = []
        """The cut of each number."""
        self._cut_sets = cut_sets
        self._numbers: dict[Cut, int] = {}
        self._listed = array("q")
        self._first = array("q", [0])

    def renew(self) -> None:
        """Forget all numbers: the cut sets have been renewed."""
        self.__init__(self._cut_sets)  # type: ignore[misc]  # as new

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
        rows = np.repeat(np.arange(len(groups)), counts)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        return rows, listed[begins[rows] + within]

    def _learn(self) -> None:
        for group in self._cut_sets.groups[len(self._first) - 1 :]:
            for cut in group:
                number = self._numbers.get(cut)
                if number is None:
                    number = self._numbers[cut] = len(self.cuts)
                    self.cuts.append(cut)
                self._listed.append(number)
            self._first.append(len(self._listed))
