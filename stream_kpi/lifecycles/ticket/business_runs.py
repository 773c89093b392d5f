"""When the clocks of a ticket run on the business clock: what its customer waits, an agent works, it is on hold.

A run lasts as long as clocks, cuts and schedule stay the same. It begins and ends with an open instant of the schedule:
clocks that start while it is closed wait for the opening, the only due moment that there is, and those that stop while
it is closed have stopped when it closed. To a run that goes on, nothing happens at openings and closings: how much of
it was open, the schedule says (docs/decisions/0011-business-clock-of-what-runs.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from stream_kpi.calendars.open_time import NeverOpenError
from stream_kpi.calendars.schedule import Schedule
from stream_kpi.lifecycles.ticket.business_time import present_schedule
from stream_kpi.lifecycles.ticket.clocks import first_runs, take_back_stops
from stream_kpi.lifecycles.ticket.lanes import present_lanes
from stream_kpi.measures import registry

if TYPE_CHECKING:
    from stream_kpi.lifecycles.facts import Fact
    from stream_kpi.lifecycles.ticket.clocks import Stopped
    from stream_kpi.lifecycles.ticket.state import TicketState

OPENING_DUE: Final = 3
"""The kind of due moment at which a schedule opens for clocks that have started while it was closed."""

RUNS_SLOT: Final = registry.BUSINESS_RUNS.slot
CLOCKS_OF_SCHEDULE: Final = registry.CLOCKS_OF_SCHEDULE
STARTS_SLOT: Final = registry.BUSINESS_STARTS_LESS_STOPS.slot
STOPPED_SLOT: Final = registry.BUSINESS_STARTS_LESS_STOPS.part_slot(registry.CLOCKS_STOPPED.name)
FIRST_RUN_SLOTS: Final = {
    measure.slot: registry.BUSINESS_STARTS_LESS_STOPS.part_slot(measure.name) for measure in registry.CLOCKS_FIRST_RUN
}
"""By those of the calendar clock."""


class Run(NamedTuple):
    """Which clocks run (the sum of their numbers), in which cuts, and on which schedule."""

    clocks: int
    cuts: int
    schedule: Schedule


def settle_business_runs(ticket: TicketState, at_ms: int) -> None:
    """Let run from ``at_ms`` on, which is not before the creation, what the ticket's status says, in its present cuts
    and on its present schedule. Not to be called where the options have no schedules."""
    clocks, runs = ticket.standing.clocks, ticket.business_runs
    if runs is None:
        if not clocks:
            return
        runs = ticket.business_runs = BusinessRuns()
    cuts = ticket.cuts | ticket.cut_sets.agents[ticket.assignee]
    runs.turn(ticket, Run(clocks, cuts, present_schedule(ticket)) if clocks else None, at_ms)


class BusinessRuns:
    """The runs of one ticket, one after the other."""

    __slots__ = ("_begun", "_cuts", "_lanes", "_present", "_run", "_stated")

    def __init__(self) -> None:
        self._run: Run | None = None
        """The present one, which may still wait for the opening; None: no clock runs."""
        self._begun = (0, 0)
        """When it began, and what the schedule's clock read then."""
        self._stated: list[Fact] = []
        """What was stated of that; nothing: it has not begun."""
        self._lanes: dict[int, Stopped] = {}
        """By group of cuts, what had stopped in it when the present run began."""
        self._present: tuple[int, ...] = ()
        """The groups that the last run's cuts are made of, and those cuts."""
        self._cuts = 0

    def turn(self, ticket: TicketState, run: Run | None, at_ms: int) -> None:
        """Let this run go on from an instant on (None: none), in place of the present one."""
        if run == self._run:
            return
        if self._run is not None:
            if self._stated:
                self._end(ticket, self._run, at_ms)
            else:
                ticket.cancel(OPENING_DUE)
        self._run = run
        if run is None:
            return
        try:
            opening_ms = run.schedule.opening_ms(at_ms)
        except NeverOpenError:
            return
        if opening_ms > at_ms:
            ticket.schedule(opening_ms, OPENING_DUE)
        else:
            self._begin(ticket, run, at_ms)

    def on_opening(self, ticket: TicketState, due_ms: int) -> None:
        """The schedule opens for the present run, which has waited for it."""
        if self._run is not None:
            self._begin(ticket, self._run, due_ms)

    def _begin(self, ticket: TicketState, run: Run, time_ms: int) -> None:
        clocks, cuts, schedule = run
        reading_ms = schedule.reading_ms(time_ms)
        stated: list[Fact] = [
            (_runs_slot(run), time_ms, cuts, 1, 1),
            (STARTS_SLOT + clocks, time_ms, cuts, reading_ms, 1),
        ]
        if cuts != self._cuts:
            self._present = present_lanes(self._lanes, cuts, self._present, self._cuts, (), ticket.cut_sets)
            self._cuts = cuts
        for group in self._present:
            stopped = self._lanes[group]
            take_back_stops(stated, STOPPED_SLOT, stopped, clocks, group)
            for slot, first in first_runs(stopped, clocks, time_ms, ticket.options):
                stated.append((FIRST_RUN_SLOTS[slot] + first, time_ms, group, 1, 1))
        ticket.facts += stated
        self._begun, self._stated = (time_ms, reading_ms), stated

    def _end(self, ticket: TicketState, run: Run, time_ms: int) -> None:
        """An end is stated of the last open millisecond, so that a window that starts after it begins without. What
        has run for no time has not run at all."""
        clocks, cuts, schedule = run
        facts, stated, self._stated = ticket.facts, self._stated, []
        begun_ms, begun_reading_ms = self._begun
        reading_ms = schedule.reading_ms(time_ms)
        if reading_ms == begun_reading_ms:
            facts += [(slot, at_ms, group, value, -sign) for slot, at_ms, group, value, sign in stated]
            return
        last_ms = schedule.deadline_ms(begun_ms, reading_ms - begun_reading_ms) - 1
        facts.append((_runs_slot(run), last_ms, cuts, 1, -1))
        facts.append((STARTS_SLOT + clocks, last_ms, cuts, reading_ms, -1))
        facts.append((STOPPED_SLOT + clocks, last_ms, cuts, 1, 1))
        lanes = self._lanes
        for group in self._present:
            still_stopped = tuple([(still, at_ms) for ran, at_ms in lanes[group] if (still := ran & ~clocks)])
            lanes[group] = (*still_stopped, (clocks, last_ms))


def _runs_slot(run: Run) -> int:
    return RUNS_SLOT + CLOCKS_OF_SCHEDULE * run.schedule.number + run.clocks
