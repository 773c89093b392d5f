"""Formulas of time: how long something ran inside the window, what runs on included (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stream_kpi.kpis.formulas import Formula, Result
from stream_kpi.kpis.scope import Scope
from stream_kpi.measures.registry import BY_NUMBER, CLOCK_EPOCH_MS, Measure


def _starts(level: Measure) -> Measure:
    return BY_NUMBER[level.starts or 0]


def _time_ms(scope: Scope, level: Measure) -> int:
    """For how long what the level counts ran inside the window, added up, to its end or to now."""
    window = scope.view.window
    at_start, at_end = scope.at_start.get(level.slot, 0), scope.at_end.get(level.slot, 0)
    time_ms = at_end * (window.reached_ms - CLOCK_EPOCH_MS) - scope.inside.get(_starts(level).slot, 0)
    if at_start:
        time_ms -= at_start * ((window.start_ms or 0) - CLOCK_EPOCH_MS)
    return max(0, time_ms)  # a shard that is ahead of the others may have started what is yet to run


@dataclass(frozen=True, slots=True)
class TimeRatio(Formula):
    """The time of one level by that of another."""

    numerator: Measure
    denominator: Measure

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The levels and their starts."""
        levels = (self.numerator, self.denominator)
        return (*levels, *map(_starts, levels))

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return f"time({self.numerator.name}) / time({self.denominator.name})"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The ratio of the times in seconds; its samples are the seconds below the line, begun ones included."""
        part_ms, whole_ms = _time_ms(scope, self.numerator), _time_ms(scope, self.denominator)
        value = part_ms / whole_ms if whole_ms else None
        yield Result(value, -(-whole_ms // 1_000), numerator=part_ms / 1_000, denominator=whole_ms / 1_000)
