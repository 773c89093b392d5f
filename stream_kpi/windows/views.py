"""Windows of the merged panes, as formulas see them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial

from stream_kpi.lifecycles.facts import TOTAL, Cut
from stream_kpi.measures.registry import MEASURES, Kind, Measure
from stream_kpi.measures.vector import Vector, subtract
from stream_kpi.windows.ages import AgeSummary
from stream_kpi.windows.kinds import Tumbling
from stream_kpi.windows.merged import LEVELS, Ages, MergedPanes, RollingSums, TrailingSums
from stream_kpi.windows.sum_table import NOTHING, Sums, SumTable, added, measure_flags
from stream_kpi.windows.view import Trailing, Window

_COUNTED_LEVELS = measure_flags(m for m in MEASURES if m.kind is Kind.LEVEL and not m.by_currency)
"""Money is left out: who pays in a currency is a customer."""


class MergedView:
    """One window of :class:`MergedPanes` as formulas see it (windows.view.View)."""

    def __init__(
        self,
        window: Window,
        panes: MergedPanes,
        inside: Sums,
        *,
        later: Sums = NOTHING,
        cohort: Sums | None = None,
        ages: Ages | None = None,
        trailing: Callable[[], TrailingSums | None] = lambda: None,
    ) -> None:
        """``later``: the levels' changes after the window's end; ``cohort``: as inside unless given; ``ages``,
        ``trailing`` (asked only when a formula does): None where they are not kept for the window's end."""
        self.window = window
        self._numbers = panes.numbers
        self._inside = inside
        self._levels = added([panes.levels.sums, later.negated()])
        self._cohort = inside if cohort is None else cohort
        self._ages = ages
        self._trailing_sums = trailing
        self._read: dict[Cut, Vector] = {}

    def cuts(self) -> frozenset[Cut]:
        """The total, every cut with facts in the window, and every one that ever had any and has a level at an end of
        it, or members that age."""
        return self._cuts

    @cached_property
    def _cuts(self) -> frozenset[Cut]:
        # Without facts inside, the level at the start is the one at the end.
        known = (self._inside, self._cohort, self._levels.of_measures(_COUNTED_LEVELS))
        cuts = {TOTAL, *(cut for sums in known for cut in self._numbers.named(sums.cuts()))}
        return frozenset(cuts if self._ages is None else cuts | self._ages.cuts())

    def inside(self, cut: Cut) -> Mapping[int, int]:
        """Sum of the facts inside."""
        found = self._read.get(cut)
        if found is None:
            found = self._read[cut] = self._inside.vector(self._numbers.find(cut))
        return found

    def cohort(self, cut: Cut) -> Mapping[int, int]:
        """Sum of the facts inside the cohort's window."""
        return self._cohort.vector(self._numbers.find(cut))

    def at_start(self, cut: Cut) -> Mapping[int, int]:
        """Levels just before the start."""
        return subtract(self.at_end(cut), self._inside_levels.vector(self._numbers.find(cut)))

    def at_end(self, cut: Cut) -> Mapping[int, int]:
        """Levels at the end, and nothing else: what earlier windows counted is no business of this one."""
        return self._levels.vector(self._numbers.find(cut))

    @cached_property
    def _inside_levels(self) -> Sums:
        return self._inside.of_measures(LEVELS)

    def trailing(self, cut: Cut) -> Trailing | None:
        """The half hour up to the end."""
        found = self._trailing
        if found is None:
            return None
        return Trailing(found.length_ms, found.sums.vector(self._numbers.find(cut)))

    @cached_property
    def _trailing(self) -> TrailingSums | None:
        return self._trailing_sums()

    def ages(self, cut: Cut, measure: Measure) -> AgeSummary | None:
        """The set at the end."""
        return None if self._ages is None else self._ages.of(cut, measure)


def tumbling_views(
    panes: MergedPanes,
    kind: Tumbling,
    now_ms: int,
    oldest_ms: int,
    grace_ms: int,
    past_ages: Callable[[int], Ages] | None = None,
    trailing: Callable[[int], TrailingSums | None] = lambda _: None,
) -> Iterator[MergedView]:
    """The windows of a kind, from the one that holds ``now`` back to the one that holds ``oldest``.

    Walking back makes the levels at a window's end one subtraction: what stands now less what came after. A view is
    good until the next one is asked for. ``past_ages``: the sets that age just before an instant, where they are kept;
    ``trailing``: the same of the half hour before it.
    """
    zone = panes.zone
    slices = panes.slices[kind.tier.number]
    starts = sorted(slices)
    later = SumTable()
    start_ms = kind.start_of(now_ms, zone)
    # A shard that is ahead of the others has stated what comes after the window that holds now.
    later.add(_since(kind.end_of(start_ms, zone), starts, slices).of_measures(LEVELS))
    while True:
        end_ms = kind.end_of(start_ms, zone)
        inside = _since(start_ms, starts, slices)
        final = end_ms + grace_ms <= now_ms
        yield MergedView(
            Window(kind.name, start_ms, end_ms, final, now_ms),
            panes,
            inside,
            later=later.sums,
            ages=panes.ages_at(now_ms) if end_ms > now_ms else past_ages(end_ms) if past_ages is not None else None,
            trailing=partial(trailing, end_ms),
        )
        if start_ms <= oldest_ms:
            return
        later.add(inside.of_measures(LEVELS))
        start_ms = kind.start_of(start_ms - 1, zone)


def _since(start_ms: int, starts: list[int], slices: Mapping[int, SumTable]) -> Sums:
    """The sum of the slices from a start on, which leave the ascending ``starts``."""
    parts = []
    while starts and starts[-1] >= start_ms:
        parts.append(slices[starts.pop()].sums)
    return added(parts)


def total_view(panes: MergedPanes, first_ms: int | None, now_ms: int) -> MergedView:
    """Everything up to now, inclusive."""
    return MergedView(Window("total", first_ms, now_ms, final=True), panes, panes.totals, ages=panes.ages_at(now_ms))


def rolling_view(panes: MergedPanes, sums: RollingSums, cohorts: Sequence[RollingSums], now_ms: int) -> MergedView:
    """A rolling window whose sums, and those of its cohorts, have been moved to now."""
    window = Window(sums.kind.name, sums.start_ms, now_ms, final=True)
    cohort = added([one.table.sums for one in cohorts])
    return MergedView(window, panes, sums.table.sums, later=sums.later(), cohort=cohort, ages=panes.ages_at(now_ms))


def instant_view(panes: MergedPanes, trailing: RollingSums, now_ms: int) -> MergedView:
    """Levels and ages as they stand now, zeros of every cut that ever had any facts included. ``trailing`` must have
    been moved to now."""
    window = Window("instant", None, now_ms, final=True)
    return MergedView(window, panes, panes.totals, ages=panes.ages_at(now_ms), trailing=trailing.trailing)
