"""What one evaluation shares: a view at one cut, each part read and put in order once for all rows (pure)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from stream_kpi.events.currencies import alpha_code, minor_digits
from stream_kpi.kpis.view import Trailing, View
from stream_kpi.lifecycles.facts import TOTAL, Cut
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures import histogram
from stream_kpi.measures.registry import (
    BUSINESS_RUNS,
    CLOCK_SETS,
    CLOCKS_OF_SCHEDULE,
    CLOCKS_RUNNING,
    MEASURES,
    SLOTS_PER_MEASURE,
    Kind,
    Measure,
)

_MONEY = frozenset(m.number for m in MEASURES if m.by_currency)
_FIRST_MONEY_SLOT = min(_MONEY) * SLOTS_PER_MEASURE
_HISTOGRAMS = frozenset(m.number for m in MEASURES if m.kind in {Kind.DURATION, Kind.SCORE})
DEFAULTS = Options()


class Currency(NamedTuple):
    """A currency: ISO 4217 alphabetic and numeric code, minor units in a major one."""

    code: str
    numeric: int
    minor_units: int


class Runs(NamedTuple):
    """How many run on the business clock: on the schedule of a number, the clocks of a set."""

    schedule: int
    clocks: int
    amount: int


class Scope:
    """A view at one cut, and the same view's total for the rows that compare with it."""

    def __init__(self, view: View, cut: Cut, total: Scope | None = None, options: Options = DEFAULTS) -> None:
        """``total`` is the scope of the total of the same view, where the caller has it."""
        self.view = view
        self.cut = cut
        self.options = options
        self._total = total
        self._clocks_inside: dict[int, Sequence[tuple[int, int]]] = {}

    @property
    def total(self) -> Scope:
        """The scope of the total."""
        if self.cut == TOTAL:
            return self  # not kept: a cycle would never be freed (stream_kpi.memory), nor would the view's arrays
        if self._total is None:
            self._total = Scope(self.view, TOTAL, options=self.options)
        return self._total

    @cached_property
    def inside(self) -> Mapping[int, int]:
        """Sum of the facts inside the window."""
        return self.view.inside(self.cut)

    @cached_property
    def cohort(self) -> Mapping[int, int]:
        """The cohort measures."""
        return self.view.cohort(self.cut)

    @cached_property
    def at_start(self) -> Mapping[int, int]:
        """Levels just before the window's start."""
        return self.view.at_start(self.cut)

    @cached_property
    def at_end(self) -> Mapping[int, int]:
        """Levels at the window's end."""
        return self.view.at_end(self.cut)

    @cached_property
    def trailing(self) -> Trailing | None:
        """The half hour up to the window's end, where it is kept."""
        return self.view.trailing(self.cut)

    @cached_property
    def ordered(self) -> list[int]:
        """The slots of ``inside`` in order."""
        return histogram.ordered_slots(self.inside)

    def clocks_inside(self, measure: Measure, part: str | None = None) -> Sequence[tuple[int, int]]:
        """Of a measure by clocks or one of its parts, the sets of clocks (:data:`CLOCK_SETS`) that have any inside,
        with how much."""
        slot = measure.slot if part is None else measure.part_slot(part)
        found = self._clocks_inside.get(slot)
        if found is None:
            found = self._clocks_inside[slot] = self._read_clocks(slot)
        return found

    def _read_clocks(self, slot: int) -> Sequence[tuple[int, int]]:
        inside, ordered = self.inside, self.ordered
        first = bisect_left(ordered, slot)
        if first == len(ordered) or ordered[first] >= slot + SLOTS_PER_MEASURE:
            return ()
        return [(clocks, inside[slot + clocks]) for clocks in CLOCK_SETS if slot + clocks in inside]

    @cached_property
    def clocks_running(self) -> tuple[Sequence[tuple[int, int]], Sequence[tuple[int, int]]]:
        """As :meth:`clocks_inside`: how many run at the window's start, and at its end."""
        slot = CLOCKS_RUNNING.slot
        start, end = (
            [(clocks, part[slot + clocks]) for clocks in CLOCK_SETS if slot + clocks in part]
            for part in (self.at_start, self.at_end)
        )
        return start, end

    @cached_property
    def business_runs(self) -> tuple[Sequence[Runs], Sequence[Runs]]:
        """As :attr:`clocks_running`, on the business clock."""
        first, end = BUSINESS_RUNS.slot, BUSINESS_RUNS.slot + SLOTS_PER_MEASURE
        at_start, at_end = (
            [Runs(*divmod(slot - first, CLOCKS_OF_SCHEDULE), n) for slot, n in part.items() if first <= slot < end]
            for part in (self.at_start, self.at_end)
        )
        return at_start, at_end

    def count(self, measure: Measure) -> int:
        """How often: a count measure's sum inside the window, or a histogram's number of samples."""
        if measure.number in _HISTOGRAMS:
            return histogram.sample_count(self.inside, measure, self.ordered)
        return self.inside.get(measure.slot, 0)

    def knows(self, measure: Measure) -> bool:
        """Whether the measure has anything in this window (a level: at its end); sets that age are not looked at."""
        if measure.by_currency:
            return bool(self.currencies)
        if measure.by_clocks:
            return bool(self.clocks_running[1] if measure is CLOCKS_RUNNING else self.clocks_inside(measure))
        if measure.number in _HISTOGRAMS:
            return self.count(measure) > 0
        if measure.kind is Kind.LEVEL:
            return measure.slot in self.at_end
        inside, slot = self.inside, measure.slot
        if slot in inside or slot in self.cohort:
            return True
        return bool(measure.parts) and any(part in inside for part in measure.part_slots)

    @cached_property
    def currencies(self) -> list[Currency]:
        """The currencies of any money inside the window or at its ends, by code."""
        # Money that stood at the start and is gone at the end has changed inside.
        seen = {
            slot % SLOTS_PER_MEASURE
            for part in (self.inside, self.at_end)
            for slot in part
            if slot >= _FIRST_MONEY_SLOT and slot // SLOTS_PER_MEASURE in _MONEY
        }
        return sorted(Currency(alpha_code(numeric), numeric, 10 ** minor_digits(numeric)) for numeric in seen)
