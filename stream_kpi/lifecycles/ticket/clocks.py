"""The clocks of a ticket: what its customer waits, an agent works, it is on hold, and pauses that should have ended.

The status says which of them run; they are credited to the agent whom the ticket is assigned to while they do. A cut in
which they run is left when a dimension or the assignee changes, and another one entered: the total runs on. So each
group of cuts that have seen the same is a lane of its own, with its own starts and stops.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from stream_kpi.lifecycles.facts import GROUP_BITS
from stream_kpi.lifecycles.ticket.state import UNKNOWN_TIME_MS
from stream_kpi.measures import registry
from stream_kpi.windows.zones import floor_1h, floor_5m, floor_day, floor_month

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from stream_kpi.lifecycles.facts import CutSets
    from stream_kpi.lifecycles.options import Options
    from stream_kpi.lifecycles.ticket.state import TicketState

RUNNING_SLOT = registry.CLOCKS_RUNNING.slot
STARTS_LESS_STOPS_SLOT = registry.CLOCK_STARTS_LESS_STOPS.slot
STOPPED_SLOT = registry.CLOCKS_STOPPED.slot
FIRST_RUN_MONTH_SLOT = registry.CLOCKS_FIRST_RUN_MONTH.slot
"""Slots of no clock: that of a set of clocks is this plus the set."""
EPOCH_MS = registry.CLOCK_EPOCH_MS
REQUESTER_WAIT, AGENT_WORK = registry.REQUESTER_WAIT, registry.AGENT_WORK
ON_HOLD, ILLEGITIMATE_PAUSE = registry.ON_HOLD, registry.ILLEGITIMATE_PAUSE
_GROUP = (1 << GROUP_BITS) - 1
"""The first group of an id of cuts: the standard ones, where the second is the agent's."""

FIRST_RUN_IN_WINDOW: tuple[tuple[int, Callable[[int, ZoneInfo], int]], ...] = (
    (registry.CLOCKS_FIRST_RUN_5M.slot, lambda time_ms, _zone: floor_5m(time_ms)),
    (registry.CLOCKS_FIRST_RUN_1H.slot, floor_1h),
    (registry.CLOCKS_FIRST_RUN_1D.slot, floor_day),
    (FIRST_RUN_MONTH_SLOT, floor_month),
)
"""The measure of each kind of window, and where the window that holds an instant starts; each kind's windows are made
of whole windows of the kind before it."""

Change = tuple[int, int, int, int]
"""A fact but for its cuts: slot, time, value, sign."""


def settle_clocks(ticket: TicketState, time_ms: int) -> None:
    """Let run from ``time_ms`` on what the ticket's present state says, in its present cuts."""
    clocks = _due_to_run(ticket)
    state = ticket.clocks
    cuts = ticket.cuts_with_agent(ticket.assignee)
    if state is None:
        if clocks:
            ticket.clocks = Clocks(ticket, clocks, cuts, max(time_ms, ticket.created_ms))
    elif clocks != state.running or (clocks and cuts != state.cuts):
        state.turn(ticket, clocks, cuts, max(time_ms, ticket.created_ms))


def on_customer_wrote(ticket: TicketState, time_ms: int) -> None:
    """The customer has written: a pause for want of that has lost its reason."""
    if ticket.status == "pending" and not ticket.pause_overrun:
        ticket.pause_overrun = True
        settle_clocks(ticket, time_ms)


def on_agent_answered(ticket: TicketState, time_ms: int) -> None:
    """An agent has answered: it is for the customer to write again."""
    if ticket.pause_overrun:
        ticket.pause_overrun = False
        settle_clocks(ticket, time_ms)


def _due_to_run(ticket: TicketState) -> int:
    status, options = ticket.status, ticket.options
    clocks = ILLEGITIMATE_PAUSE if ticket.pause_overrun else 0
    if status in options.requester_wait_statuses:
        clocks |= REQUESTER_WAIT
    if status in options.agent_work_statuses:
        clocks |= AGENT_WORK
    if status in options.on_hold_statuses:
        clocks |= ON_HOLD
    return clocks


class Lane:
    """One group of cuts, and when a ticket's clocks have run in it. Sets of clocks are sums of their numbers."""

    __slots__ = ("_before", "_since_ms", "_stated", "_stopped", "clocks", "cuts")

    def __init__(self, cuts: int) -> None:
        self.cuts = cuts
        self.clocks = 0
        """Those that run."""
        self._since_ms = UNKNOWN_TIME_MS
        self._stopped: dict[int, int] = {}
        """Those that have run and do not now, by the last millisecond in which they did. Never changed in place."""
        self._stated: list[Change] = []
        """What was stated of ``_since_ms``, and ``_before``: clocks, since when, and stopped until then."""
        self._before = (0, UNKNOWN_TIME_MS, self._stopped)

    def part(self, cuts: int) -> Lane:
        """A lane of some of the cuts, which has seen the same."""
        lane = copy(self)
        lane.cuts = cuts
        return lane

    def turn(self, clocks: int, time_ms: int, options: Options) -> list[Change]:
        """Let exactly these run from an instant on. What has run for no time has not run at all."""
        if clocks == self.clocks:
            return []
        changes: list[Change] = []
        if time_ms == self._since_ms:
            changes += [(slot, at_ms, value, -sign) for slot, at_ms, value, sign in self._stated]
            self.clocks, self._since_ms, self._stopped = self._before
            if clocks == self.clocks:
                return changes
        stated = self._stated = _runs(self.clocks, clocks, time_ms)
        self._before = (self.clocks, self._since_ms, self._stopped)
        if clocks:
            if self.clocks or self._stopped:
                stated += self._first_runs(clocks, time_ms, options)
            else:
                stated.append((FIRST_RUN_MONTH_SLOT + clocks, time_ms, 1, 1))
        if self.clocks or self._stopped:
            self._stop(clocks, time_ms - 1)
        self.clocks, self._since_ms = clocks, time_ms
        return changes + stated if changes else stated

    def _first_runs(self, clocks: int, time_ms: int, options: Options) -> list[Change]:
        """Who runs now and did not just before the start of a window has its first run in it. That is asked of those
        that run on, too: their last run is stated to have ended a millisecond ago."""
        stated: list[Change] = []
        never_ran = clocks
        for last_ms, ran in (*self._stopped.items(), (time_ms - 1, self.clocks)):
            again = clocks & ran
            if again:
                never_ran &= ~again
                slot = _first_run_slot(last_ms, time_ms, options)
                if slot:
                    stated.append((slot + again, time_ms, 1, 1))
        if never_ran:
            stated.append((FIRST_RUN_MONTH_SLOT + never_ran, time_ms, 1, 1))
        return stated

    def _stop(self, clocks: int, last_ms: int) -> None:
        """Those that ran until ``last_ms`` and are not among the clocks have stopped; who is among them has not."""
        stopped: dict[int, int] = {}
        for at_ms, ran in self._stopped.items():
            still = ran & ~clocks
            if still:
                stopped[at_ms] = still
            if still != ran:
                self._stated.append((STOPPED_SLOT + ran, at_ms, 1, -1))
                if still:
                    self._stated.append((STOPPED_SLOT + still, at_ms, 1, 1))
        ended = self.clocks & ~clocks
        if ended:
            stopped[last_ms] = ended
            self._stated.append((STOPPED_SLOT + ended, last_ms, 1, 1))
        self._stopped = stopped


class Clocks:
    """The clocks of one ticket, in all of its lanes."""

    __slots__ = ("_agent", "_agents", "_lanes", "_present", "cuts", "running")

    def __init__(self, ticket: TicketState, clocks: int, cuts: int, time_ms: int) -> None:
        """The first clocks start, which is one lane's business in all cuts."""
        standard = Lane(cuts & _GROUP)
        ticket.facts += [
            (slot, at_ms, cuts, value, sign)
            for slot, at_ms, value, sign in standard.turn(clocks, time_ms, ticket.options)
        ]
        self.running = clocks
        self.cuts = cuts
        """The cuts of the present, an agent's among them."""
        self._lanes = [standard]
        """Of the standard cuts, past ones included; nearly always one."""
        self._present = self._lanes
        """Those of them that the ticket is in."""
        self._agent = standard.part(cuts >> GROUP_BITS)
        self._agents = {self._agent.cuts: self._agent}

    def turn(self, ticket: TicketState, clocks: int, cuts: int, time_ms: int) -> None:
        """Let exactly these clocks run, in these cuts (while none run, these do not matter), from an instant on."""
        options = ticket.options
        facts, cut_sets = ticket.facts, ticket.cut_sets
        if clocks and cuts != self.cuts:
            for left in self._follow(cuts, cut_sets):
                facts += [
                    (slot, ms, left.cuts, value, sign) for slot, ms, value, sign in left.turn(0, time_ms, options)
                ]
        self.running = clocks
        agent, of_agent = self._agent, self._agent.turn(clocks, time_ms, options)
        for lane in self._present:
            changes, of_cuts = lane.turn(clocks, time_ms, options), lane.cuts
            if changes and changes == of_agent:  # nearly always: one fact in place of two
                of_agent, of_cuts = [], cut_sets.pair(of_cuts, agent.cuts)
            facts += [(slot, at_ms, of_cuts, value, sign) for slot, at_ms, value, sign in changes]
        facts += [(slot, at_ms, agent.cuts, value, sign) for slot, at_ms, value, sign in of_agent]

    def _follow(self, cuts: int, cut_sets: CutSets) -> list[Lane]:
        """Make the lanes of these cuts the present ones; those that were and in which something runs."""
        standard, agent = cuts & _GROUP, cuts >> GROUP_BITS
        left: list[Lane] = []
        if agent != self._agent.cuts:
            left.append(self._agent)
            self._agent = self._agents.get(agent) or self._agents.setdefault(agent, Lane(agent))
        if standard != self.cuts & _GROUP:
            self._part(standard, cut_sets)
            left += [lane for lane in self._lanes if lane not in self._present]
        self.cuts = cuts
        return [lane for lane in left if lane.clocks]

    def _part(self, standard: int, cut_sets: CutSets) -> None:
        """Part lanes of which only some cuts are those of a group; begin one for the cuts that are in none."""
        groups = cut_sets.groups
        wanted = groups[standard]
        lanes: list[Lane] = []
        for lane in self._lanes:
            cuts = groups[lane.cuts]
            inside = tuple([cut for cut in cuts if cut in wanted])
            outside = tuple([cut for cut in cuts if cut not in wanted])
            both = inside and outside
            lanes += [lane.part(cut_sets.id_of(part)) for part in (inside, outside)] if both else [lane]
        known = {cut for lane in lanes for cut in groups[lane.cuts]}
        new = tuple([cut for cut in wanted if cut not in known])
        if new:
            lanes.append(Lane(cut_sets.id_of(new)))
        self._lanes = lanes
        self._present = [lane for lane in lanes if groups[lane.cuts][0] in wanted]


def _runs(before: int, after: int, time_ms: int) -> list[Change]:
    """One run of a set of clocks ends, another one begins. The end is stated of the last millisecond, so that a window
    that starts at ``time_ms`` begins without it."""
    since_epoch_ms = time_ms - EPOCH_MS
    changes: list[Change] = []
    if before:
        changes += (
            (RUNNING_SLOT + before, time_ms - 1, 1, -1),
            (STARTS_LESS_STOPS_SLOT + before, time_ms - 1, since_epoch_ms, -1),
        )
    if after:
        changes += (
            (RUNNING_SLOT + after, time_ms, 1, 1),
            (STARTS_LESS_STOPS_SLOT + after, time_ms, since_epoch_ms, 1),
        )
    return changes


def _first_run_slot(last_ms: int, time_ms: int, options: Options) -> int:
    """Of the longest window that holds ``time_ms`` and not ``last_ms``; 0 without one."""
    found = 0
    if last_ms >= floor_5m(time_ms):
        return found
    zone = options.zone_info
    for slot, start_of in FIRST_RUN_IN_WINDOW:
        if last_ms >= start_of(time_ms, zone):
            break
        found = slot
    return found
