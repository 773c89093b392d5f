"""The panes of all shards together, and the windows that are read from them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from stream_kpi.lifecycles.facts import Cut
from stream_kpi.measures.registry import COHORT, MEASURES, Kind, Measure
from stream_kpi.measures.vector import subtract
from stream_kpi.windows.ages import AgeSummary, ShardAges, summary
from stream_kpi.windows.kinds import Rolling
from stream_kpi.windows.panes import PaneKey
from stream_kpi.windows.sum_table import (
    NOTHING,
    CutNumbers,
    Sums,
    SumTable,
    added,
    measure_flags,
    sums_of,
    unpacked_vectors,
)
from stream_kpi.windows.tiers import ALL_TIME, DAYS, FIVE_MINUTES, TIERS, Tier

LEVELS = measure_flags(measure for measure in MEASURES if measure.kind is Kind.LEVEL)
Place = tuple[int, int]
"""Tier and start of panes."""


class Ages(NamedTuple):
    """Sets that age, as of one moment."""

    shards: list[ShardAges]
    at_ms: int

    def cuts(self) -> set[Cut]:
        """Cuts that have members in any set."""
        return {cut for by_measure in self.shards for by_cut in by_measure.values() for cut in by_cut}

    def of(self, cut: Cut, measure: Measure) -> AgeSummary | None:
        """All shards' members of one set and cut."""
        found = (by_measure.get(measure.number, {}).get(cut) for by_measure in self.shards)
        return summary([state for state in found if state is not None], self.at_ms)


class Change(NamedTuple):
    """By how much the panes of a place have changed."""

    tier: int
    start_ms: int
    sums: Sums


class LevelBase:
    """What the levels of each cut had come to before a tier's oldest pane.

    A level's change from before that time is in no pane of the tier, but moves the levels at the ends of all windows
    that are read from it.
    """

    def __init__(self) -> None:
        self._kept = SumTable()
        self._base = SumTable()

    def add(self, change: Sums) -> None:
        """Panes of the tier have changed."""
        self._kept.add(change.of_measures(LEVELS))

    def forget(self, expired: Sums) -> None:
        """Panes of the tier have expired."""
        levels = expired.of_measures(LEVELS)
        self._kept.add(levels.negated())
        self._base.add(levels)

    def moved(self, number: int, levels: Sums) -> bool:
        """Whether a cut's base has changed since the last call, given the levels as they stand."""
        base = subtract(levels.vector(number), self._kept.sums.vector(number))
        change = subtract(base, self._base.sums.vector(number))
        self._base.add(sums_of({number: change}))
        return bool(change)


class MergedPanes:
    """Sums over shards of their latest panes."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self.numbers = CutNumbers()
        self.slices: dict[int, dict[int, SumTable]] = {tier.number: {} for tier in TIERS}
        """By tier and start."""
        self.levels = SumTable()
        """As they stand."""
        self._latest: dict[int, dict[int, dict[int, SumTable]]] = {tier.number: {} for tier in TIERS}
        """By tier, start and shard."""
        self.waiting = 0
        """Panes that :meth:`absorb` has not seen."""
        self._waiting: dict[Place, dict[int, dict[int, bytes]]] = {}
        """Their vectors, by shard and cut; empty: the pane is gone."""
        self._ages: dict[int, ShardAges] = {}
        self._expired_before: dict[int, int] = {}
        self._bases = {tier.number: LevelBase() for tier in (FIVE_MINUTES, DAYS)}

    @property
    def totals(self) -> Sums:
        """Everything ever, by cut: counts, and levels as they stand."""
        everything = self.slices[ALL_TIME.number].get(0)
        return NOTHING if everything is None else everything.sums

    def apply(self, shard: int, key: PaneKey, vector: bytes | None) -> None:
        """Put a shard's pane (None: gone) in place of its earlier content. A repeat changes nothing; what changes is
        seen after :meth:`absorb`."""
        self.waiting += 1
        by_shard = self._waiting.setdefault((key.tier, key.start_ms), {})
        by_shard.setdefault(shard, {})[self.numbers.of(key.cut)] = vector or b""

    def absorb(self) -> Iterator[Change]:
        """Bring the sums up to date, and say by how much each place has changed.

        The shards' changes of a place are added up first: they touch the same slots, and each would otherwise go to
        every window's sums by itself, five times the work with four shards.
        """
        waiting, self._waiting, self.waiting = self._waiting, {}, 0
        for (tier, start_ms), by_shard in waiting.items():
            latest = self._latest[tier].setdefault(start_ms, {})
            sums = added([_replace(latest.setdefault(shard, SumTable()), new) for shard, new in by_shard.items()])
            if not len(sums.keys):
                continue
            self.slices[tier].setdefault(start_ms, SumTable()).add(sums)
            if tier in self._bases:
                self._bases[tier].add(sums)
            if tier == ALL_TIME.number:
                self.levels.add(sums.of_measures(LEVELS))
            yield Change(tier, start_ms, sums)

    def base_moved(self, tier: Tier, cut: Cut) -> bool:
        """Whether levels from before the tier's oldest pane have changed since the last call."""
        return self._bases[tier.number].moved(self.numbers.of(cut), self.levels.sums)

    def put_ages(self, shard: int, ages: ShardAges) -> set[Cut]:
        """Put a shard's sets that age in place of its earlier ones; the cuts in which they differ."""
        before, self._ages[shard] = self._ages.get(shard, {}), ages
        changed: set[Cut] = set()
        for number in before.keys() | ages.keys():
            old, new = before.get(number, {}), ages.get(number, {})
            changed.update(cut for cut in old.keys() | new.keys() if old.get(cut) != new.get(cut))
        return changed

    def ages_at(self, now_ms: int) -> Ages:
        """All shards' sets that age."""
        return Ages(list(self._ages.values()), now_ms)

    def expire(self, now_ms: int) -> None:
        """Forget panes past their tier's retention; no window reaches them."""
        for tier in TIERS:
            if not tier.due(now_ms, self._expired_before):
                continue
            before_ms = tier.expires_before(now_ms)
            slices, base, latest = self.slices[tier.number], self._bases.get(tier.number), self._latest[tier.number]
            for start_ms in [start for start in slices if start < before_ms]:
                expired = slices.pop(start_ms)
                if base is not None:
                    base.forget(expired.sums)
            for start_ms in [start for start in latest if start < before_ms]:
                del latest[start_ms]


def _replace(latest: SumTable, vectors: dict[int, bytes]) -> Sums:
    """Put a shard's vectors in place of those of the same cuts; by how much that changes the sums."""
    cuts = np.array(sorted(vectors), dtype=np.int64)
    change = added([unpacked_vectors(vectors), latest.sums.of_cuts(cuts).negated()])
    latest.add(change)
    return change


class RollingSums:
    """One rolling window's sums, kept as panes come, enter and leave: moving it costs the panes at its edges only.

    ``lag_ms`` shifts the window into the past: cohorts whose members are decided that much later.
    """

    def __init__(
        self, kind: Rolling, panes: MergedPanes, lag_ms: int = 0, measures: tuple[Measure, ...] | None = None
    ) -> None:
        """``measures``: those that are summed; None: all."""
        self.kind = kind
        self.table = SumTable()
        self._panes = panes
        self._lag_ms = lag_ms
        self._measures = None if measures is None else measure_flags(measures)
        self.start_ms = 0
        self._last_ms = -1

    def add(self, change: Change) -> bool:
        """Panes of the tier have changed; whether they lie in the window."""
        if not self.start_ms <= change.start_ms <= self._last_ms:
            return False
        self._into(change.sums)
        return True

    def move(self, now_ms: int) -> list[Cut]:
        """Move the end to ``now``; the cuts whose sums changed by it."""
        end_ms = now_ms - self._lag_ms
        start_ms = self.kind.start_ms(end_ms, self._panes.zone)
        before = set(self._starts(self.start_ms, self._last_ms))
        after = set(self._starts(start_ms, end_ms))
        self.start_ms, self._last_ms = start_ms, end_ms
        slices = self._panes.slices[self.kind.tier.number]
        edges = [slices[start].sums.negated() for start in before - after]
        edges += [slices[start].sums for start in after - before]
        return self._panes.numbers.named(self._into(added(edges)).cuts())

    def _starts(self, start_ms: int, last_ms: int) -> Iterator[int]:
        slices = self._panes.slices[self.kind.tier.number]
        return (start for start in slices if start_ms <= start <= last_ms)

    def _into(self, sums: Sums) -> Sums:
        if self._measures is not None:
            sums = sums.of_measures(self._measures)
        self.table.add(sums)
        return sums


def cohort_sums(kind: Rolling, panes: MergedPanes, lag_ms: int, read: Collection[Measure]) -> RollingSums:
    """The window shifted by the time in which a cohort is decided, of those of its measures that are ``read``: for
    windows that nobody reads a cohort in, a worker's tiers do not keep its panes. A shard far behind would state some
    that expire inside, and stay in the sums for ever."""
    return RollingSums(kind, panes, lag_ms, tuple(measure for measure in COHORT if measure in read))
