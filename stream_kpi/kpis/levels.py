"""Formulas of what stands at the window's end: levels, and sets whose members age (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

import msgspec

from stream_kpi.kpis.formulas import Result
from stream_kpi.kpis.scope import Scope
from stream_kpi.lifecycles.facts import TOTAL, Cut
from stream_kpi.measures import histogram
from stream_kpi.measures.registry import Measure

AGE_BANDS: Final[tuple[tuple[str, int | None], ...]] = (
    ("0-1h", 3_600_000),
    ("1-4h", 14_400_000),
    ("4-24h", 86_400_000),
    ("1-3d", 259_200_000),
    ("3-7d", 604_800_000),
    (">7d", None),
)
"""The bands of the cut ``age_band`` with their upper bounds in milliseconds, each an edge of the histogram: the counts
are exact. An age at a bound is in the lower band."""

AGE_BAND_CUTS: Final[tuple[Cut, ...]] = tuple(("age_band", name) for name, _ in AGE_BANDS)


@dataclass(frozen=True, slots=True)
class Level:
    """What stands at the window's end. ``aged``: the set whose members are counted by age band at the total; a band
    has no result where that set is not kept (past ends of windows with something open)."""

    measure: Measure
    aged: Measure | None = None
    reads_total: ClassVar[bool] = False

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The measure."""
        return (self.measure,)

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return f"level({self.measure.name}) at the window's end"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The level; its samples are itself."""
        level = scope.at_end.get(self.measure.slot, 0)
        yield Result(level, level)

    def bands(self, total: Scope) -> Iterator[tuple[Cut, Result]]:
        """The level by age band, all bands or none."""
        summary = total.view.ages(TOTAL, self.aged) if self.aged else None
        if self.aged is None or (summary is None and total.at_end.get(self.measure.slot, 0)):
            return
        bins = sorted(summary.bins.items()) if summary else []
        below = 0
        for cut, (_, bound_ms) in zip(AGE_BAND_CUTS, AGE_BANDS, strict=True):
            last = histogram.OVERFLOW_BIN if bound_ms is None else histogram.bin_of(bound_ms)
            up_to = sum(members for number, members in bins if number <= last)
            yield cut, Result(up_to - below, up_to - below)
            below = up_to


@dataclass(frozen=True, slots=True)
class OldestAge:
    """Age in seconds of the oldest member of a set at the window's end; stats over all members, their max exact
    and nothing above it."""

    measure: Measure
    reads_total: ClassVar[bool] = False

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The set."""
        return (self.measure,)

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return f"max(age({self.measure.name})) at the window's end"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The oldest age; its samples are the members."""
        summary = scope.view.ages(scope.cut, self.measure)
        stats = histogram.bins_stats(summary.bins, summary.age_sum_ms) if summary else None
        if summary is None or stats is None:
            yield Result(None, 0)
            return
        oldest_s = summary.oldest_ms / 1_000
        bounded = {name: min(getattr(stats, name), oldest_s) for name in ("min", "p50", "p90", "p95", "p99")}
        yield Result(oldest_s, summary.count, msgspec.structs.replace(stats, max=oldest_s, **bounded))
