"""Bounded label values: how many values a dimension may show, and what the rest adds up to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from stream_kpi.kpis.record import KpiRecord
from stream_kpi.kpis.rows import Kpi, KpiKind

OTHER: Final = "other"
"""The label value of everything beyond the cap."""


class LabelCap:
    """Admits the first ``most`` values of each dimension that it sees and keeps them, so that series stay what they
    are; every further value is :data:`OTHER`. Thread-safe."""

    def __init__(self, most: int, overflowed: Callable[[str], None], *, remember: bool = True) -> None:
        """``overflowed(dimension)`` is called once for each value that is not admitted, again only if it had gone.
        Without ``remember`` the first values of each call are admitted, whatever was before: several processes admit
        the same."""
        self._most = most
        self._overflowed = overflowed
        self._remember = remember
        self._admitted: dict[str, set[str]] = {}
        self._beyond: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def admit(self, cuts: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
        """Those of the cuts that are shown under their own value."""
        with self._lock:
            shown: set[tuple[str, str]] = set()
            beyond: set[tuple[str, str]] = set()
            if not self._remember:
                self._admitted.clear()
            for dimension, value in sorted(cuts):
                admitted = self._admitted.setdefault(dimension, set())
                if value in admitted or (len(admitted) < self._most and value != OTHER):
                    admitted.add(value)
                    shown.add((dimension, value))
                else:
                    beyond.add((dimension, value))
            for dimension, _ in sorted(beyond - self._beyond):
                self._overflowed(dimension)
            self._beyond = beyond
            return frozenset(shown)


def summed(kpi: Kpi, records: Sequence[KpiRecord]) -> tuple[float | None, int | None, dict[str, float]]:
    """Value, samples and stats of several cuts of one dimension, window and currency taken together.

    Counts, levels and money add up; ratios are the ratio of the sums; of durations and scores the mean and the greatest
    are known, of ages the greatest, of what is left the least. Quantiles do not add up and are left out, and so is
    whatever a formula of the settings makes of several quotients.
    """
    counted = [record.samples for record in records if record.samples is not None]
    samples = sum(counted) if counted else None
    if kpi.kind is KpiKind.AGE:
        ages = [record.value for record in records if record.value is not None]
        return max(ages, default=None), samples, {"max": max(ages)} if ages else {}
    if kpi.kind is KpiKind.LEFT:
        return min((record.value for record in records if record.value is not None), default=None), samples, {}
    if kpi.kind in {KpiKind.DURATION, KpiKind.SCORE}:
        stats = [record.stats for record in records if record.stats is not None]
        if not stats:
            return None, samples, {}
        mean = sum(s.sum for s in stats) / sum(s.count for s in stats)
        return mean, samples, {"mean": mean, "max": max(s.max for s in stats if s.max is not None)}
    if any(record.denominator is not None for record in records):
        numerator = sum(record.numerator or 0 for record in records)
        denominators = [record.denominator or 0 for record in records]
        together = kpi.formula.same_denominator(next(iter(records[0].cut)))
        denominator = max(denominators) if together else sum(denominators)
        value = numerator / denominator if denominator > 0 else None
        return value, int(denominator) if together else samples, {}
    if not kpi.formula.adds_up:
        return None, samples, {}
    return sum(record.value or 0 for record in records), samples, {}
