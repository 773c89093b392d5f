"""Formulas of tickets' clocks: how long they ran inside a window, and in how many tickets (pure).

What has run up to an instant is how many run then times that instant, less their starts: nothing is split over windows,
and what runs on needs no event. On the business clock, what a schedule's clock reads is in place of the instant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from stream_kpi.calendars.schedule import Schedule
from stream_kpi.kpis.formulas import Formula, Result
from stream_kpi.kpis.scope import Runs, Scope
from stream_kpi.measures import registry
from stream_kpi.measures.histogram import Stats
from stream_kpi.measures.registry import CLOCK_EPOCH_MS, Measure

_IN_MONTH: Final = (registry.CLOCKS_FIRST_RUN_MONTH,)
_IN_DAY: Final = (registry.CLOCKS_FIRST_RUN_1D, *_IN_MONTH)
_IN_HOUR: Final = (registry.CLOCKS_FIRST_RUN_1H, *_IN_DAY)
_FIRST_RUN_IN: Final[dict[str, tuple[Measure, ...]]] = {
    "tumbling:5m": (registry.CLOCKS_FIRST_RUN_5M, *_IN_HOUR),
    "tumbling:1h": _IN_HOUR,
    "tumbling:1d": _IN_DAY,
    "today": _IN_DAY,
    "month": _IN_MONTH,
}
"""The first run in a window is that in every shorter one, and is stated once, for the longest."""


def _result(time_ms: int, samples: int) -> Result:
    # A shard that is ahead of the others may have started what, as seen from here, is yet to run.
    total_s = max(0, time_ms) / 1_000
    return Result(total_s, samples, Stats(samples, total_s, total_s / samples)) if samples > 0 else Result(0, 0)


@dataclass(frozen=True, slots=True)
class ClockTime(Formula):
    """Seconds that a clock ran inside the window, over all tickets, up to the window's end or to now."""

    clock: int
    name: str

    @property
    def measures(self) -> tuple[Measure, ...]:
        """All that one window kind or another needs."""
        return (
            registry.CLOCKS_RUNNING,
            registry.CLOCK_STARTS_LESS_STOPS,
            registry.CLOCKS_STOPPED,
            *_FIRST_RUN_IN["tumbling:5m"],
        )

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return f"time in which the {self.name} clock ran inside the window, added up over tickets"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The time; its samples are the tickets in which the clock ran in the window."""
        window = scope.view.window
        ran_before, running = (self._of(clocks) for clocks in scope.clocks_running)
        time_ms = running * (window.reached_ms - CLOCK_EPOCH_MS)
        time_ms -= self._of(scope.clocks_inside(registry.CLOCK_STARTS_LESS_STOPS))
        if ran_before:
            time_ms -= ran_before * ((window.start_ms or 0) - CLOCK_EPOCH_MS)
        if window.kind in _FIRST_RUN_IN:
            samples = ran_before + sum(self._of(scope.clocks_inside(measure)) for measure in _FIRST_RUN_IN[window.kind])
        else:
            samples = running + self._of(scope.clocks_inside(registry.CLOCKS_STOPPED))
        yield _result(time_ms, samples)

    def _of(self, amounts: Sequence[tuple[int, int]]) -> int:
        """That of this clock: of every set of clocks that it is in."""
        return sum([amount for clocks, amount in amounts if clocks & self.clock])


@dataclass(frozen=True, slots=True)
class BusinessClockTime(Formula):
    """As :class:`ClockTime`, while the schedules were open that applied to the tickets."""

    clock: int
    name: str

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Of all clocks together."""
        return registry.BUSINESS_RUNS, registry.BUSINESS_STARTS_LESS_STOPS

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return f"open time in which the {self.name} clock ran inside the window, added up over tickets"

    def results(self, scope: Scope) -> Iterator[Result]:
        """The time; its samples are the tickets in which the clock ran in open time of the window, or runs now."""
        window = scope.view.window
        start_ms, fixed = window.start_ms or 0, window.kind in _FIRST_RUN_IN
        ran_before, running = (self._by_schedule(scope, runs) for runs in scope.business_runs)
        time_ms = sum([n * schedule.reading_ms(window.reached_ms) for schedule, n in running])
        time_ms -= sum([n * schedule.reading_ms(start_ms) for schedule, n in ran_before])
        time_ms -= self._inside(scope)
        # Of those that run through the window, those count whose schedule is open at an instant of it.
        after_ms = min(window.end_ms, window.now_ms + 1) if fixed else window.end_ms + 1
        samples = sum(
            [n for schedule, n in (ran_before if fixed else running) if schedule.elapsed_ms(start_ms, after_ms)]
        )
        others = _FIRST_RUN_IN.get(window.kind, (registry.CLOCKS_STOPPED,))
        yield _result(time_ms, samples + sum([self._inside(scope, of.name) for of in others]))

    def _inside(self, scope: Scope, part: str | None = None) -> int:
        """What there is of this clock inside the window."""
        found = scope.clocks_inside(registry.BUSINESS_STARTS_LESS_STOPS, part)
        return sum([amount for clocks, amount in found if clocks & self.clock])

    def _by_schedule(self, scope: Scope, runs: Sequence[Runs]) -> list[tuple[Schedule, int]]:
        """How many of this clock run on each schedule; nothing is known of one that the settings select no more."""
        selection = scope.options.schedules
        known = {} if selection is None else selection.by_number
        return [(known[number], amount) for number, clocks, amount in runs if clocks & self.clock and number in known]
