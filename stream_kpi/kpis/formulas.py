"""Formulas of events: small frozen objects that turn a scope (one window at one cut) into results (pure).

Ratios are ratios of sums. No samples is no value: null, never 0 or 100 %. Counts, levels and money are 0 when nothing
happened. What stands at an instant is in :mod:`levels`, money and customers in :mod:`money`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import ClassVar, Final, NamedTuple

from stream_kpi.kpis.scope import Scope
from stream_kpi.lifecycles.facts import UNKNOWN
from stream_kpi.measures import histogram
from stream_kpi.measures.histogram import Stats
from stream_kpi.measures.registry import Measure


class Result(NamedTuple):
    """What a formula says of one cut. ``value`` None: no samples; ``samples`` None: not counted (sums of money)."""

    value: float | None
    samples: int | None
    stats: Stats | None = None
    numerator: float | None = None
    denominator: float | None = None
    interval: tuple[float, float] | None = None
    currency: str | None = None
    of_class: str | None = None
    """The class of a distribution that it is the share of."""


class Formula(ABC):
    """What a row computes. Subclasses are frozen dataclasses, whose fields name what they read."""

    __slots__ = ()
    reads_total: ClassVar[bool] = False
    """Whether the result at a cut also follows from the total's vectors."""
    by_currency: ClassVar[bool] = False
    """Whether there is one result a currency."""
    counts_samples: ClassVar[bool] = True
    """Whether it says how many samples there are: movements of money are not counted."""
    by_class: ClassVar[bool] = False
    """Whether there is one result a class, of which none is ever left out."""

    @property
    def adds_up(self) -> bool:
        """Whether, where there is no denominator, values of several cuts of a dimension add up to that of all."""
        return True

    def same_denominator(self, dimension: str) -> bool:  # noqa: ARG002 subclasses need it
        """Whether all cuts of a dimension are parts of one denominator, the total's."""
        return self.reads_total

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The measures that it reads: those among its fields."""
        found: list[Measure] = []
        for field in fields(self):  # type: ignore[arg-type]  # every subclass is a dataclass
            value = getattr(self, field.name)
            found += [value] if isinstance(value, Measure) else value if isinstance(value, tuple) else []
        return tuple(found)

    @property
    @abstractmethod
    def text(self) -> str:
        """The formula in words of the registry, for people."""

    @abstractmethod
    def results(self, scope: Scope) -> Iterator[Result]:
        """One result, or one a currency or class."""


_Z: Final = 1.959963984540054
"""The normal distribution's 97.5 % point."""


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """The Wilson 95 % score interval of a proportion; needs ``0 <= successes <= trials`` and ``trials > 0``."""
    share = successes / trials
    z2 = _Z * _Z / trials
    centre = (share + z2 / 2) / (1 + z2)
    spread = _Z / (1 + z2) * math.sqrt(share * (1 - share) / trials + z2 / (4 * trials))
    low = 0.0 if successes == 0 else max(0.0, centre - spread)
    high = 1.0 if successes == trials else min(1.0, centre + spread)
    return low, high


def ratio(numerator: int, denominator: int, *, proportion: bool = True) -> Result:
    """The quotient of two counts: null without a denominator; with an interval if it is a proportion."""
    if denominator <= 0:
        return Result(None, 0, numerator=numerator, denominator=denominator)
    interval = wilson_interval(numerator, denominator) if proportion and 0 <= numerator <= denominator else None
    return Result(numerator / denominator, denominator, numerator=numerator, denominator=denominator, interval=interval)


@dataclass(frozen=True, slots=True)
class Count(Formula):
    """How often something happened in the window."""

    measure: Measure

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return f"count({self.measure.name})"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The count; its samples are itself."""
        count = scope.count(self.measure)
        yield Result(count, count)


def _sum_text(measures: tuple[Measure, ...]) -> str:
    return " + ".join(f"count({m.name})" for m in measures)


@dataclass(frozen=True, slots=True)
class CountOfAll(Formula):
    """How often any of several things happened in the window."""

    of: tuple[Measure, ...]

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return _sum_text(self.of)

    def results(self, scope: Scope) -> Iterator[Result]:
        """The count; its samples are itself."""
        count = sum(scope.count(m) for m in self.of)
        yield Result(count, count)


@dataclass(frozen=True, slots=True)
class Ratio(Formula):
    """One count by another. ``proportion``: the numerator counts some of the denominator's members, so that the ratio
    is within 0..1 and has a Wilson interval."""

    numerator: Measure
    denominator: Measure
    proportion: bool = True

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return f"count({self.numerator.name}) / count({self.denominator.name})"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The ratio; its samples are the denominator."""
        yield ratio(scope.count(self.numerator), scope.count(self.denominator), proportion=self.proportion)


@dataclass(frozen=True, slots=True)
class Flow(Formula):
    """By how much some counts exceed others."""

    gains: tuple[Measure, ...]
    losses: tuple[Measure, ...]

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return f"({_sum_text(self.gains)}) - ({_sum_text(self.losses)})"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The difference; its samples are all that was counted."""
        gained, lost = (sum(scope.count(m) for m in side) for side in (self.gains, self.losses))
        yield Result(gained - lost, gained + lost)


@dataclass(frozen=True, slots=True)
class RatioOfSums(Formula):
    """Some counts by others, less those that are in them but do not count: a proportion."""

    numerator: tuple[Measure, ...]
    denominator: tuple[Measure, ...]
    without: tuple[Measure, ...] = ()
    """Taken off the denominator."""

    @property
    def text(self) -> str:
        """As in the catalogue."""
        less = "".join(f" - count({m.name})" for m in self.without)
        return f"({_sum_text(self.numerator)}) / ({_sum_text(self.denominator)}{less})"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The ratio; its samples are the denominator."""
        below = sum(scope.count(m) for m in self.denominator) - sum(scope.count(m) for m in self.without)
        yield ratio(sum(scope.count(m) for m in self.numerator), below)


@dataclass(frozen=True, slots=True)
class CohortRatio(Formula):
    """One cohort count by another: only of members whose time has passed."""

    numerator: Measure
    denominator: Measure

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return f"cohort({self.numerator.name}) / cohort({self.denominator.name})"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The ratio; its samples are the members of the cohort."""
        cohort = scope.cohort
        yield ratio(cohort.get(self.numerator.slot, 0), cohort.get(self.denominator.slot, 0))


@dataclass(frozen=True, slots=True)
class Share(Formula):
    """The cut's part of the total of some counts; the total's own share is n of n."""

    of: tuple[Measure, ...]
    reads_total: ClassVar[bool] = True

    @property
    def text(self) -> str:
        """As in the catalogue."""
        counts = " + ".join(f"count({m.name})" for m in self.of)
        return (
            f"({counts}) of the cut / ({counts}) of the total"
            if len(self.of) > 1
            else (f"{counts} of the cut / {counts} of the total")
        )

    def results(self, scope: Scope) -> Iterator[Result]:
        """The share; its samples are the total."""
        total = scope.total
        yield ratio(sum(scope.count(m) for m in self.of), sum(total.count(m) for m in self.of))


@dataclass(frozen=True, slots=True)
class Distribution(Formula):
    """The share of each class: the classes' counts by one count, of which every member is in exactly one class."""

    classes: tuple[tuple[str, Measure], ...]
    of: Measure
    by_class: ClassVar[bool] = True

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The classes' counts and what they are shares of."""
        return (*(measure for _, measure in self.classes), self.of)

    @property
    def text(self) -> str:
        """As in the catalogue."""
        counts = ", ".join(f"{name}: count({measure.name})" for name, measure in self.classes)
        return f"{{{counts}}} / count({self.of.name})"

    def results(self, scope: Scope) -> Iterator[Result]:
        """A ratio for each class; the samples of each are all members."""
        members = scope.count(self.of)
        for name, measure in self.classes:
            yield ratio(scope.count(measure), members)._replace(of_class=name)


@dataclass(frozen=True, slots=True)
class PartDistribution(Formula):
    """The share of each part of a measure, and of what is in no part: unknown."""

    measure: Measure
    by_class: ClassVar[bool] = True

    @property
    def text(self) -> str:
        """As in the catalogue."""
        parts = ", ".join((*self.measure.parts, UNKNOWN))
        return f"{{{parts}}} of {self.measure.name} / count({self.measure.name})"

    def results(self, scope: Scope) -> Iterator[Result]:
        """A ratio for each class; the samples of each are all members."""
        total = scope.count(self.measure)
        counts = {part: scope.inside.get(self.measure.part_slot(part), 0) for part in self.measure.parts}
        for name, count in (*counts.items(), (UNKNOWN, total - sum(counts.values()))):
            yield ratio(count, total)._replace(of_class=name)


@dataclass(frozen=True, slots=True)
class MeanDuration(Formula):
    """The mean of durations in seconds, with stats."""

    measure: Measure

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return f"sum({self.measure.name}) / count({self.measure.name})"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The mean and its stats."""
        stats = histogram.duration_stats(scope.inside, self.measure, scope.ordered)
        yield Result(stats.mean, stats.count, stats) if stats else Result(None, 0)


@dataclass(frozen=True, slots=True)
class MeanScore(Formula):
    """The mean of scores in points, with stats."""

    measure: Measure

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return f"sum({self.measure.name}) / count({self.measure.name})"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The mean and its stats."""
        stats = histogram.score_stats(scope.inside, self.measure, scope.ordered)
        yield Result(stats.mean, stats.count, stats) if stats else Result(None, 0)
