"""The panes of all shards together, and the windows that are read from them."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from stream_kpi.lifecycles.facts import Cut
from stream_kpi.measures.registry import MEASURES, RESTATED, SLOTS_PER_MEASURE, TRAILING, Kind, Measure
from stream_kpi.measures.vector import subtract
from stream_kpi.windows.ages import AgeSummary, ShardAges, summary
from stream_kpi.windows.kinds import HALF_HOUR, Rolling
from stream_kpi.windows.panes import PaneKey
from stream_kpi.windows.spread import CUTS, StartSums, over_tiers
from stream_kpi.windows.sum_table import NOTHING, CutNumbers, Sums, SumTable, added, measure_flags, sums_of
from stream_kpi.windows.tiers import ALL_TIME, DAYS, FIVE_MINUTES, FRESH, MINUTE_MS, NEVER_EXPIRED, TIERS, Tier

LEVELS = measure_flags(measure for measure in MEASURES if measure.kind is Kind.LEVEL)
OF_FIXED_WINDOWS = ~measure_flags(RESTATED)
"""What windows with fixed bounds, all time and the instant read: a customer that pays more today changes none of
those that have been."""
_LEVELS_OF_FIXED_WINDOWS = LEVELS & OF_FIXED_WINDOWS
OF_TRAILING = measure_flags(TRAILING)
STEP_PLACES = 100
"""Of so many, panes are forgotten together."""
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


class TrailingSums(NamedTuple):
    """What the half hour up to a moment has seen (windows.view.Trailing), of every cut."""

    length_ms: int
    sums: Sums


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
        self._kept.add(change.of_measures(_LEVELS_OF_FIXED_WINDOWS))

    def forget(self, expired: Sums) -> None:
        """Panes of the tier have expired."""
        levels = expired.of_measures(_LEVELS_OF_FIXED_WINDOWS)
        self._kept.add(levels.negated())
        self._base.add(levels)

    def moved(self, number: int, levels: Sums) -> bool:
        """Whether a cut's base has changed since the last call, given the levels as they stand."""
        standing = {
            slot: amount
            for slot, amount in levels.vector(number).items()
            if OF_FIXED_WINDOWS[slot // SLOTS_PER_MEASURE]
        }
        base = subtract(standing, self._kept.sums.vector(number))
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
        self._latest: dict[int, dict[int, dict[int, SumTable]]] = {
            number: {} for number in (FRESH, *(tier.number for tier in TIERS))
        }
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
        seen after :meth:`absorb`, which is to come when all panes of a flush are here."""
        place = (key.tier, key.start_ms)
        cut = self.numbers.of(key.cut)
        if not vector and shard not in self._latest[key.tier].get(key.start_ms, ()):
            self._drop_waiting(place, shard, cut)
            return
        self.waiting += 1
        self._waiting.setdefault(place, {}).setdefault(shard, {})[cut] = vector or b""

    def _drop_waiting(self, place: Place, shard: int, cut: int) -> None:
        """A pane has gone before it was seen, as have nearly all of a log of years when it is read back. To find that
        they add up to nothing took 40 us a place, nearly one an event, and nobody else had a turn."""
        by_shard = self._waiting.get(place, {})
        if by_shard.get(shard, {}).pop(cut, None) is not None:
            self.waiting -= 1
            if not by_shard[shard]:
                del by_shard[shard]
            if not by_shard:
                del self._waiting[place]

    def absorb(self) -> Iterator[Change]:
        """Bring the sums up to date, and say by how much each place has changed, some by nothing.

        The shards' changes of a place are added up first: they touch the same slots, and each would otherwise go to
        every window's sums by itself, five times the work with four shards.
        """
        waiting, self._waiting, self.waiting = self._waiting, {}, 0
        fresh: dict[Place, list[Sums]] = {}
        for _ in self._spread({place: waiting.pop(place) for place in list(waiting) if place[0] == FRESH}, fresh):
            yield Change(FRESH, 0, NOTHING)
        for place in waiting | fresh:
            tier, start_ms = place
            sums = added([*self._replace(place, waiting.get(place, {})), *fresh.get(place, ())])
            if len(sums.keys):
                self.slices[tier].setdefault(start_ms, SumTable()).add(sums)
                if tier in self._bases:
                    self._bases[tier].add(sums)
                if tier == ALL_TIME.number:
                    self.levels.add(sums.of_measures(LEVELS))
            yield Change(tier, start_ms, sums)

    def _replace(self, place: Place, by_shard: Mapping[int, Mapping[int, bytes]]) -> list[Sums]:
        """Put vectors by cut in place of the shards' earlier ones; by how much that changes their sums."""
        tier, start_ms = place
        latest = self._latest[tier].setdefault(start_ms, {})
        return [latest.setdefault(shard, SumTable()).replace(new) for shard, new in by_shard.items()]

    def _spread(
        self, fresh: Mapping[Place, Mapping[int, Mapping[int, bytes]]], spread: dict[Place, list[Sums]]
    ) -> Iterator[None]:
        """Put into ``spread`` by how much what is fresh changes each place of the tiers, a step at a time. A place that
        is forgotten stays so: what was fresh in it went with it, and is not to be taken back when the tiers come to
        hold it."""
        if not fresh:
            return
        if len(self.numbers.cuts) > CUTS:
            raise OverflowError(f"more than {CUTS} different values of dimensions in all shards")
        changes: dict[int, Sums] = {}
        latest = self._latest[FRESH]
        for place, by_shard in fresh.items():
            start_ms = place[1]
            changes[start_ms] = added(self._replace(place, by_shard))
            if not any(latest[start_ms].values()):
                del latest[start_ms]
            yield
        for tier, of_tier in over_tiers(StartSums.of(changes), TIERS, self._forgotten_before, self.zone):
            for start_ms, sums in of_tier:
                spread.setdefault((tier.number, start_ms), []).append(sums)
            yield

    def _forgotten_before(self, tier: Tier) -> int:
        return self._expired_before.get(tier.number, NEVER_EXPIRED)

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

    def expire(self, now_ms: int) -> Generator[None, None, None]:
        """Forget panes past their tier's retention; no window reaches them. To be iterated over, a step at a time."""
        for tier in TIERS:
            if not tier.due(now_ms, self._expired_before):
                continue
            before_ms = tier.expires_before(now_ms)
            slices, base, latest = self.slices[tier.number], self._bases.get(tier.number), self._latest[tier.number]
            expired = [start for start in slices if start < before_ms]
            for first in range(0, len(expired), STEP_PLACES):
                gone = [slices.pop(start_ms).sums for start_ms in expired[first : first + STEP_PLACES]]
                if base is not None:
                    base.forget(added(gone))
                yield
            for start_ms in [start for start in latest if start < before_ms]:
                del latest[start_ms]
                yield


class RollingSums:
    """One rolling window's sums, kept as panes come, enter and leave: moving it costs the panes at its edges only.

    ``lag_ms`` shifts the window into the past: cohorts whose members are decided that much later.
    """

    def __init__(
        self, kind: Rolling, panes: MergedPanes, lag_ms: int = 0, measures: Iterable[Measure] | None = None
    ) -> None:
        """``measures``: those that are summed; None: all."""
        self.kind = kind
        self.table = SumTable()
        self._panes = panes
        self._lag_ms = lag_ms
        self._measures = None if measures is None else measure_flags(measures)
        self.start_ms = 0
        self._last_ms = -1

    def add(self, change: Change) -> Sums:
        """Panes of the tier have changed; what of that lies in the window."""
        if not self.start_ms <= change.start_ms <= self._last_ms:
            return NOTHING
        return self._into(change.sums)

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

    def later(self) -> Sums:
        """The levels' changes after the window's end: a shard that is ahead of the others has stated them already."""
        slices = self._panes.slices[self.kind.tier.number]
        return added([slices[start].sums.of_measures(LEVELS) for start in slices if start > self._last_ms])

    def _starts(self, start_ms: int, last_ms: int) -> Iterator[int]:
        slices = self._panes.slices[self.kind.tier.number]
        return (start for start in slices if start_ms <= start <= last_ms)

    def _into(self, sums: Sums) -> Sums:
        if self._measures is not None:
            sums = sums.of_measures(self._measures)
        self.table.add(sums)
        return sums

    def trailing(self) -> TrailingSums:
        """The window as what is looked back on from its end."""
        return TrailingSums(self._last_ms - self.start_ms, self.table.sums)


def cohort_sums(
    kind: Rolling, panes: MergedPanes, cohorts: Mapping[int, Sequence[Measure]], read: Collection[Measure]
) -> list[RollingSums]:
    """The window shifted by each cohort's time (``cohorts``: measures by milliseconds), of the measures that are
    ``read``: a tier keeps no panes for others, that look back further than any window that is published from it."""
    wanted = {lag_ms: tuple(one for one in measures if one in read) for lag_ms, measures in cohorts.items()}
    return [RollingSums(kind, panes, lag_ms, measures) for lag_ms, measures in wanted.items() if measures]


def trailing_sums(panes: MergedPanes) -> RollingSums:
    """The half hour that gauges look back on, to be moved along."""
    return RollingSums(HALF_HOUR, panes, measures=TRAILING)


def trailing_before(panes: MergedPanes, end_ms: int) -> TrailingSums:
    """The half hour before the end of a past window that is made of whole panes of five minutes."""
    slices = panes.slices[FIVE_MINUTES.number]
    starts = range(end_ms - HALF_HOUR.length_ms, end_ms, 5 * MINUTE_MS)
    parts = [slices[start].sums.of_measures(OF_TRAILING) for start in starts if start in slices]
    return TrailingSums(HALF_HOUR.length_ms, added(parts))
