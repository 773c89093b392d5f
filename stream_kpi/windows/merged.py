"""The panes of all shards together, and the windows that are read from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple
from zoneinfo import ZoneInfo

from stream_kpi.lifecycles.facts import Cut
from stream_kpi.measures.registry import MEASURES, SLOTS_PER_MEASURE, Kind, Measure
from stream_kpi.measures.vector import Vector, add_into, subtract
from stream_kpi.windows.ages import AgeSummary, ShardAges, summary
from stream_kpi.windows.kinds import Rolling
from stream_kpi.windows.panes import PaneKey, PaneState, unpack_vector
from stream_kpi.windows.tiers import ALL_TIME, DAYS, FIVE_MINUTES, TIERS, Tier

_NOTHING: Vector = {}
_LEVELS = frozenset(m.number for m in MEASURES if m.kind is Kind.LEVEL)
Slice = dict[Cut, Vector]


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


class LevelBase:
    """What the levels of each cut had come to before a tier's oldest pane.

    A level's change from before that time is in no pane of the tier, but moves the levels at the ends of all windows
    that are read from it.
    """

    def __init__(self) -> None:
        self._kept: Slice = {}
        self._base: Slice = {}

    def add(self, cut: Cut, delta: Mapping[int, int]) -> None:
        """A pane of the tier has changed."""
        levels = levels_of(delta)
        if levels:
            add_into(self._kept.setdefault(cut, {}), levels)

    def forget(self, cut: Cut, vector: Mapping[int, int]) -> None:
        """A pane of the tier has expired."""
        levels = levels_of(vector)
        if levels:
            add_into(self._kept.setdefault(cut, {}), {slot: -amount for slot, amount in levels.items()})
            add_into(self._base.setdefault(cut, {}), levels)

    def moved(self, cut: Cut, total: Mapping[int, int]) -> bool:
        """Whether the base has changed since the last call, given the levels as they stand."""
        base = subtract(levels_of(total), self._kept.get(cut, _NOTHING))
        if base == self._base.get(cut, _NOTHING):
            return False
        self._base[cut] = base
        return True


class MergedPanes:
    """Sums over shards of their latest panes: ``{tier: {start: {cut: vector}}}``."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self.slices: dict[int, dict[int, Slice]] = {tier.number: {} for tier in TIERS}
        self._latest: dict[int, dict[tuple[int, PaneKey], PaneState]] = {tier.number: {} for tier in TIERS}
        self._waiting: dict[PaneKey, Vector] = {}
        self._ages: dict[int, ShardAges] = {}
        self._expired_before: dict[int, int] = {}
        self._bases = {tier.number: LevelBase() for tier in (FIVE_MINUTES, DAYS)}

    @property
    def totals(self) -> Slice:
        """Everything ever, by cut: counts, and levels as they stand."""
        return self.slices[ALL_TIME.number].get(0, {})

    def apply(self, shard: int, key: PaneKey, state: PaneState | None) -> None:
        """Put a shard's pane (None: gone) in place of its earlier content. A repeat changes nothing; what changes is
        seen after :meth:`absorb`."""
        latest = self._latest[key.tier]
        before = latest.get((shard, key))
        if state is None:
            latest.pop((shard, key), None)
            delta = subtract({}, unpack_vector(before)) if before is not None else {}
        else:
            if before is not None and state.version <= before.version:
                return
            if state.version == (1 if before is None else before.version + 1):
                delta = state.delta
            else:  # versions in between were compacted away
                delta = subtract(unpack_vector(state), {} if before is None else unpack_vector(before))
            latest[shard, key] = state
        waiting = self._waiting.setdefault(key, delta)
        if waiting is not delta:
            add_into(waiting, delta)

    def absorb(self) -> Iterator[tuple[PaneKey, Vector]]:
        """Bring the sums up to date, and say by how much each pane has changed.

        The shards' changes of a pane are added up first: they touch the same slots, and each would otherwise go to
        every window's sums by itself, five times the work with four shards.
        """
        waiting, self._waiting = self._waiting, {}
        for key, delta in waiting.items():
            if delta:
                by_cut = self.slices[key.tier].setdefault(key.start_ms, {})
                merged = by_cut.setdefault(key.cut, {})
                add_into(merged, delta)
                if not merged:
                    del by_cut[key.cut]
                base = self._bases.get(key.tier)
                if base is not None:
                    base.add(key.cut, delta)
                yield key, delta

    def base_moved(self, tier: Tier, cut: Cut) -> bool:
        """Whether levels from before the tier's oldest pane have changed since the last call."""
        return self._bases[tier.number].moved(cut, self.totals.get(cut, _NOTHING))

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
                    for cut, vector in expired.items():
                        base.forget(cut, vector)
            for shard_key in [known for known in latest if known[1].start_ms < before_ms]:
                del latest[shard_key]


class RollingSums:
    """One rolling window's sums, kept as panes come, enter and leave: moving it costs the panes at its edges only.

    ``lag_ms`` shifts the window into the past: cohorts whose members are decided that much later.
    """

    def __init__(
        self, kind: Rolling, panes: MergedPanes, lag_ms: int = 0, measures: tuple[Measure, ...] | None = None
    ) -> None:
        """``measures``: those that are summed; None: all."""
        self.kind = kind
        self.sums: Slice = {}
        self._panes = panes
        self._lag_ms = lag_ms
        self._slots = None if measures is None else tuple(measure.slot for measure in measures)
        self.start_ms = 0
        self._last_ms = -1

    def add(self, start_ms: int, cut: Cut, delta: Vector) -> bool:
        """A pane of the tier has changed; whether it lies in the window."""
        if not self.start_ms <= start_ms <= self._last_ms:
            return False
        self._into(cut, delta)
        return True

    def move(self, now_ms: int) -> set[Cut]:
        """Move the end to ``now``; the cuts whose sums changed by it."""
        end_ms = now_ms - self._lag_ms
        start_ms = self.kind.start_ms(end_ms, self._panes.zone)
        before = set(self._starts(self.start_ms, self._last_ms))
        after = set(self._starts(start_ms, end_ms))
        self.start_ms, self._last_ms = start_ms, end_ms
        changed: set[Cut] = set()
        slices = self._panes.slices[self.kind.tier.number]
        for start in before - after:
            for cut, vector in slices[start].items():
                self._into(cut, {slot: -amount for slot, amount in vector.items()})
                changed.add(cut)
        for start in after - before:
            for cut, vector in slices[start].items():
                self._into(cut, vector)
                changed.add(cut)
        return changed

    def _starts(self, start_ms: int, last_ms: int) -> Iterator[int]:
        slices = self._panes.slices[self.kind.tier.number]
        return (start for start in slices if start_ms <= start <= last_ms)

    def _into(self, cut: Cut, delta: Mapping[int, int]) -> None:
        if self._slots is not None:
            delta = {slot: delta[slot] for slot in self._slots if slot in delta}
            if not delta:
                return
        sums = self.sums.setdefault(cut, {})
        add_into(sums, delta)
        if not sums:
            del self.sums[cut]


def levels_of(vector: Mapping[int, int]) -> Vector:
    """The slots of levels."""
    return {slot: amount for slot, amount in vector.items() if slot // SLOTS_PER_MEASURE in _LEVELS}
