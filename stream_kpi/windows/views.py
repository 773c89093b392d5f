"""Windows of the merged panes, as formulas see them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from stream_kpi.lifecycles.facts import TOTAL, Cut
from stream_kpi.measures.registry import MEASURES, Kind, Measure
from stream_kpi.measures.vector import Vector, add_into, subtract
from stream_kpi.windows.ages import AgeSummary
from stream_kpi.windows.kinds import Tumbling
from stream_kpi.windows.merged import Ages, MergedPanes, RollingSums, Slice, levels_of
from stream_kpi.windows.view import Window

_NOTHING: Vector = {}
_LEVEL_SLOTS = tuple(m.slot for m in MEASURES if m.kind is Kind.LEVEL and not m.by_currency)


class MergedView:
    """One window of :class:`MergedPanes` as formulas see it (windows.view.View)."""

    def __init__(
        self,
        window: Window,
        panes: MergedPanes,
        inside: Slice,
        *,
        after: Slice | None = None,
        cohort: Slice | None = None,
        ages: Ages | None = None,
    ) -> None:
        """``after``: everything later than the window's end, None when it ends now; ``cohort``: as inside unless
        given; ``ages``: None where they are not kept for the window's end."""
        self.window = window
        self._panes = panes
        self._inside = inside
        self._after = after or {}
        self._cohort = inside if cohort is None else cohort
        self._ages = ages

    def cuts(self) -> Iterable[Cut]:
        """The total, every cut with facts in the window, and every one that ever had any and has a level at an end of
        it, or members that age."""
        cuts: set[Cut] = {TOTAL, *self._inside, *self._cohort}
        # Without facts inside, the level at the start is the one at the end.
        cuts.update(cut for cut in self._panes.totals if cut not in cuts and has_level(self.at_end(cut)))
        return cuts if self._ages is None else cuts | self._ages.cuts()

    def inside(self, cut: Cut) -> Mapping[int, int]:
        """Sum of the facts inside."""
        return self._inside.get(cut, _NOTHING)

    def cohort(self, cut: Cut) -> Mapping[int, int]:
        """Sum of the facts inside the cohort's window."""
        return self._cohort.get(cut, _NOTHING)

    def at_start(self, cut: Cut) -> Mapping[int, int]:
        """Levels just before the start."""
        return subtract(self.at_end(cut), levels_of(self.inside(cut)))

    def at_end(self, cut: Cut) -> Mapping[int, int]:
        """Levels at the end, and nothing else: what earlier windows counted is no business of this one."""
        total = levels_of(self._panes.totals.get(cut, _NOTHING))
        after = self._after.get(cut)
        return subtract(total, levels_of(after)) if after else total

    def ages(self, cut: Cut, measure: Measure) -> AgeSummary | None:
        """The set at the end."""
        return None if self._ages is None else self._ages.of(cut, measure)


def has_level(vector: Mapping[int, int]) -> bool:
    """Whether any level is not zero. Money is left out: who pays in a currency is a customer."""
    return any(slot in vector for slot in _LEVEL_SLOTS)


def tumbling_views(
    panes: MergedPanes,
    kind: Tumbling,
    now_ms: int,
    oldest_ms: int,
    grace_ms: int,
    past_ages: Callable[[int], Ages] | None = None,
) -> Iterator[MergedView]:
    """The windows of a kind, from the one that holds ``now`` back to the one that holds ``oldest``.

    Walking back makes the levels at a window's end one subtraction: what stands now less what came after. A view is
    good until the next one is asked for. ``past_ages``: the sets that age just before an instant, where they are kept.
    """
    zone = panes.zone
    slices = panes.slices[kind.tier.number]
    starts = sorted(slices)
    after: Slice = {}
    start_ms = kind.start_of(now_ms, zone)
    # A shard that is ahead of the others has stated what comes after the window that holds now.
    end_ms = kind.end_of(start_ms, zone)
    while starts and starts[-1] >= end_ms:
        _add_slice(after, slices[starts.pop()])
    while True:
        end_ms = kind.end_of(start_ms, zone)
        inside: Slice = {}
        while starts and starts[-1] >= start_ms:
            _add_slice(inside, slices[starts.pop()])
        final = end_ms + grace_ms <= now_ms
        yield MergedView(
            Window(kind.name, start_ms, end_ms, final),
            panes,
            inside,
            after=after,
            ages=panes.ages_at(now_ms) if end_ms > now_ms else past_ages(end_ms) if past_ages is not None else None,
        )
        if start_ms <= oldest_ms:
            return
        _add_slice(after, inside)
        start_ms = kind.start_of(start_ms - 1, zone)


def _add_slice(into: Slice, other: Slice) -> None:
    for cut, vector in other.items():
        known = into.get(cut)
        if known is None:
            into[cut] = dict(vector)
        else:
            add_into(known, vector)


def total_view(panes: MergedPanes, first_ms: int | None, now_ms: int) -> MergedView:
    """Everything up to now, inclusive."""
    return MergedView(Window("total", first_ms, now_ms, final=True), panes, panes.totals, ages=panes.ages_at(now_ms))


def rolling_view(panes: MergedPanes, sums: RollingSums, cohort: RollingSums, now_ms: int) -> MergedView:
    """A rolling window whose sums have been moved to now."""
    window = Window(sums.kind.name, sums.start_ms, now_ms, final=True)
    return MergedView(window, panes, sums.sums, cohort=cohort.sums, ages=panes.ages_at(now_ms))


def instant_view(panes: MergedPanes, now_ms: int) -> MergedView:
    """Levels and ages as they stand now, zeros of every cut that ever had any facts included."""
    return MergedView(Window("instant", None, now_ms, final=True), panes, panes.totals, ages=panes.ages_at(now_ms))
