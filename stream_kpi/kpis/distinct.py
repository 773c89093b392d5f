"""Formulas of entities that count once in a window, and of those active at an instant (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from stream_kpi.kpis.formulas import Formula, Result, ratio
from stream_kpi.kpis.scope import Scope
from stream_kpi.measures.registry import Measure

_PART: Final[dict[str, str]] = {
    "tumbling:5m": "5m",
    "tumbling:1h": "1h",
    "tumbling:1d": "1d",
    "today": "1d",
    "month": "month",
}
"""What counts an entity once in a window with fixed bounds. In all others, which end now, component 0 does."""


def distinct(measure: Measure, scope: Scope) -> int:
    """How many entities, each once in the window."""
    part = _PART.get(scope.view.window.kind)
    return scope.inside.get(measure.slot if part is None else measure.part_slot(part), 0)


@dataclass(frozen=True, slots=True)
class DistinctRatio(Formula):
    """The entities of one sort by those of another, of whom they are some: each counts once in the window."""

    numerator: Measure
    denominator: Measure
    by_total: str
    """A dimension that only the numerator has: its cuts are shares of the total."""
    reads_total: ClassVar[bool] = True

    def same_denominator(self, dimension: str) -> bool:
        """Only in the dimension that the denominator has not."""
        return dimension == self.by_total

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return f"distinct({self.numerator.name}) / distinct({self.denominator.name})"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The ratio; its samples are the denominator."""
        cut = scope.cut
        whole = scope.total if cut and cut[0] == self.by_total else scope
        yield ratio(distinct(self.numerator, scope), distinct(self.denominator, whole))


@dataclass(frozen=True, slots=True)
class LevelRatio(Formula):
    """One level by another, of whose members it has some, at the window's end."""

    numerator: Measure
    denominator: Measure

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return f"level({self.numerator.name}) / level({self.denominator.name}) at the window's end"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The ratio; its samples are the denominator."""
        yield ratio(*(scope.at_end.get(measure.slot, 0) for measure in (self.numerator, self.denominator)))
