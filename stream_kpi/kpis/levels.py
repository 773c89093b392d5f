"""Formulas of what stands at the window's end: levels, and sets whose members age (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from stream_kpi.kpis.formulas import Formula, Result, ratio
from stream_kpi.kpis.scope import Scope
from stream_kpi.measures import histogram
from stream_kpi.measures.registry import Measure


@dataclass(frozen=True, slots=True)
class Level(Formula):
    """What stands at the window's end."""

    measure: Measure

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return f"level({self.measure.name}) at the window's end"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The level; its samples are itself."""
        level = scope.at_end.get(self.measure.slot, 0)
        yield Result(level, level)


@dataclass(frozen=True, slots=True)
class LevelQuotient(Formula):
    """What stands at the window's end by something else that does."""

    numerator: Measure
    denominator: Measure

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return f"level({self.numerator.name}) / level({self.denominator.name}) at the window's end"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The quotient; its samples are the denominator."""
        at_end = scope.at_end
        yield ratio(at_end.get(self.numerator.slot, 0), at_end.get(self.denominator.slot, 0), proportion=False)


@dataclass(frozen=True, slots=True)
class OldestAge(Formula):
    """Age in seconds of the oldest member of a set at the window's end; stats over all members, their max exact
    and nothing above it."""

    measure: Measure

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
