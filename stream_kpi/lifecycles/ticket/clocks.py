"""The clocks of a ticket: what its customer waits, an agent works, it is on hold, and pauses that should have ended.

The status says which of them run; they are credited to the agent whom the ticket is assigned to while they do. A cut in
which they run is left when a dimension or the assignee changes, and another one entered: the total runs on. So each
group of cuts that have seen the same is a lane of its own, with its own starts and stops. Lanes that stand alike change
alike, in one fact: nearly always all lanes that a ticket is in do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stream_kpi.lifecycles.facts import GROUP_BITS
from stream_kpi.lifecycles.ticket.lanes import GROUP, present_lanes
from stream_kpi.lifecycles.ticket.state import UNKNOWN_TIME_MS
from stream_kpi.measures import compound, registry
from stream_kpi.windows.zones import floor_1h, floor_5m, floor_day, floor_month

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from stream_kpi.lifecycles.facts import Fact
    from stream_kpi.lifecycles.options import Options
    from stream_kpi.lifecycles.ticket.state import TicketState

STARTED_SLOT: Final = compound.CLOCKS_STARTED.slot
STARTED_FIRST_SLOT: Final = compound.CLOCKS_STARTED_FIRST.slot
ENDED_SLOT: Final = compound.CLOCKS_ENDED.slot
ALL_ENDED_SLOT: Final = compound.CLOCKS_ALL_ENDED.slot
STOPPED_SLOT: Final = registry.CLOCKS_STOPPED.slot
FIRST_RUN_MONTH_SLOT: Final = registry.CLOCKS_FIRST_RUN_MONTH.slot
"""Slots of no clock: that of a set of clocks is this plus the set."""
ILLEGITIMATE_PAUSE: Final = registry.ILLEGITIMATE_PAUSE

FIRST_RUN_IN_WINDOW: Final[tuple[tuple[int, Callable[[int, ZoneInfo], int]], ...]] = (
    (registry.CLOCKS_FIRST_RUN_5M.slot, lambda time_ms, _zone: floor_5m(time_ms)),
    (registry.CLOCKS_FIRST_RUN_1H.slot, floor_1h),
    (registry.CLOCKS_FIRST_RUN_1D.slot, floor_day),
    (FIRST_RUN_MONTH_SLOT, floor_month),
)
"""The measure of each kind of window, and where the window that holds an instant starts; each kind's windows are made
of whole windows of the kind before it."""

Stopped = tuple[tuple[int, int], ...]
"""Clocks that have run and do not now, and the last millisecond in which they did."""

Lane = tuple[int, int, Stopped, int, Stopped]
"""When a ticket's clocks have run in a group of cuts: those that run, since when, those that have stopped; and what ran
and had stopped until then. Sets of clocks are sums of their numbers."""

NEVER_RAN: Final[Lane] = (0, UNKNOWN_TIME_MS, (), 0, ())


def settle_clocks(ticket: TicketState, at_ms: int) -> None:
    """Let run from ``at_ms`` on, which is not before the creation, what the ticket's status says."""
    clocks = ticket.standing.clocks
    if ticket.pause_overrun:
        clocks |= ILLEGITIMATE_PAUSE
    state = ticket.clocks
    if state is None:
        if clocks:
            ticket.clocks = Clocks(ticket, clocks, at_ms)
    elif clocks != state.running:
        state.turn(ticket, clocks, at_ms)


def move_clocks(ticket: TicketState, at_ms: int) -> None:
    """A dimension or the assignee has changed: what runs goes on in the ticket's present cuts."""
    state = ticket.clocks
    if state is not None and state.running:
        cuts = ticket.cuts | ticket.cut_sets.agents[ticket.assignee]
        if cuts != state.cuts:
            state.move(ticket, cuts, at_ms)


def on_customer_wrote(ticket: TicketState, at_ms: int) -> None:
    """The customer has written while the ticket was pending: that pause has lost its reason."""
    if not ticket.pause_overrun:
        ticket.pause_overrun = True
        settle_clocks(ticket, at_ms)


def on_agent_answered(ticket: TicketState, at_ms: int) -> None:
    """An agent has answered in an overrun pause: it is for the customer to write again."""
    ticket.pause_overrun = False
    settle_clocks(ticket, at_ms)


class Clocks:
    """The clocks of one ticket, in all of its lanes."""

    __slots__ = ("_alike", "_changed_ms", "_lanes", "_present", "cuts", "running")

    def __init__(self, ticket: TicketState, clocks: int, time_ms: int) -> None:
        """The first clocks start."""
        self.running = clocks
        self.cuts = cuts = ticket.cuts | ticket.cut_sets.agents[ticket.assignee]
        """Those in which clocks run, or last did, an agent's among them."""
        standard, agent = cuts & GROUP, cuts >> GROUP_BITS
        ticket.facts.append((STARTED_FIRST_SLOT + clocks, time_ms, cuts, 1, 1))
        lane = (clocks, time_ms, (), 0, ())
        self._lanes: dict[int, Lane] = {standard: lane, agent: lane}
        """By group, past ones included; no cut is in two of them. Only present ones run."""
        self._present: tuple[int, ...] = (standard, agent)
        """The groups that :attr:`cuts` are made of, the agent's last."""
        self._alike = True
        """Whether the same clocks run, and have stopped at the same times, in all present lanes."""
        self._changed_ms = time_ms
        """When any lane last changed."""

    def turn(self, ticket: TicketState, clocks: int, time_ms: int) -> None:
        """Let exactly these clocks run, which are not those that do, from an instant on."""
        running = self.running
        if not running:  # until now, nobody asked in which cuts
            cuts = ticket.cuts | ticket.cut_sets.agents[ticket.assignee]
            if cuts != self.cuts:
                self._follow(ticket, cuts)
        self.running = clocks
        if not self._alike or time_ms == self._changed_ms:
            self._turn_each(ticket, time_ms)
            return
        self._changed_ms = time_ms
        lanes, present = self._lanes, self._present
        lane = lanes[present[0]]
        if clocks:
            lane = _turned(ticket, lane, clocks, time_ms, self.cuts)
        else:  # nearly always; as in `_turned`, in less time
            stopped, last_ms = lane[2], time_ms - 1
            ticket.facts.append((ALL_ENDED_SLOT + running, last_ms, self.cuts, 1, 1))
            lane = (0, time_ms, (*stopped, (running, last_ms)), running, stopped)
        for group in present:
            lanes[group] = lane

    def move(self, ticket: TicketState, cuts: int, time_ms: int) -> None:
        """Let what runs go on in other cuts, from an instant on."""
        before, lanes = self.cuts, self._lanes
        left, entered = before >> GROUP_BITS, cuts >> GROUP_BITS
        if (before ^ cuts) & GROUP or entered in lanes or time_ms == self._changed_ms:
            self._follow(ticket, cuts)
            self._turn_each(ticket, time_ms)
            return
        # The agent has changed, to one who has never had it, nearly always; as in `_turned`, in less time.
        running, last_ms, (_, _, stopped, _, _) = self.running, time_ms - 1, lanes[left]
        ticket.facts.append((ALL_ENDED_SLOT + running, last_ms, left, 1, 1))
        ticket.facts.append((STARTED_FIRST_SLOT + running, time_ms, entered, 1, 1))
        lanes[left] = (0, time_ms, (*stopped, (running, last_ms)), running, stopped)
        lanes[entered] = (running, time_ms, (), 0, ())
        self._present = (*self._present[:-1], entered)
        self._alike = self._alike and not stopped
        self._changed_ms = time_ms
        self.cuts = cuts

    def _turn_each(self, ticket: TicketState, time_ms: int) -> None:
        """Let run in each lane what is to run there."""
        lanes, present, running = self._lanes, self._present, self.running
        for group, lane in lanes.items():
            clocks = running if group in present else 0
            if clocks != lane[0]:
                lanes[group] = _turned(ticket, lane, clocks, time_ms, group)
        self._compare()
        self._changed_ms = time_ms

    def _compare(self) -> None:
        """See whether the present lanes are alike."""
        running, _, stopped, _, _ = self._lanes[self._present[0]]
        self._alike = all(
            self._lanes[group][0] == running and self._lanes[group][2] == stopped for group in self._present
        )

    def _follow(self, ticket: TicketState, cuts: int) -> None:
        """Make the lanes of these cuts the present ones."""
        self._present = present_lanes(self._lanes, cuts, self._present, self.cuts, NEVER_RAN, ticket.cut_sets)
        self.cuts = cuts
        self._compare()


def _turned(ticket: TicketState, lane: Lane, clocks: int, time_ms: int, cuts: int) -> Lane:
    """Let exactly these clocks, which are not those that do, run in a lane from an instant on: state what that changes
    in its cuts. What has run for no time has not run at all."""
    running, since_ms, stopped, ran, had_stopped = lane
    facts, options = ticket.facts, ticket.options
    if since_ms == time_ms:
        undone: list[Fact] = []
        _state(undone, ran, had_stopped, running, time_ms, cuts, options)
        facts += [(slot, at_ms, cuts, 1, -sign) for slot, at_ms, _, _, sign in undone]
        if clocks == ran:
            return ran, UNKNOWN_TIME_MS, had_stopped, ran, had_stopped
        running, stopped = ran, had_stopped
    elif not clocks:  # nearly always this or the next; as below, in less time
        last_ms = time_ms - 1
        facts.append((ALL_ENDED_SLOT + running, last_ms, cuts, 1, 1))
        return 0, time_ms, (*stopped, (running, last_ms)), running, stopped
    elif not running and not (stopped and any(clocks & ran for ran, _ in stopped)):
        facts.append((STARTED_FIRST_SLOT + clocks, time_ms, cuts, 1, 1))
        return clocks, time_ms, stopped, 0, stopped
    _state(facts, running, stopped, clocks, time_ms, cuts, options)
    still_stopped = tuple([(still, last_ms) for before, last_ms in stopped if (still := before & ~clocks)])
    ended = running & ~clocks
    return clocks, time_ms, (*still_stopped, (ended, time_ms - 1)) if ended else still_stopped, running, stopped


def _state(
    facts: list[Fact], running: int, stopped: Stopped, clocks: int, time_ms: int, cuts: int, options: Options
) -> None:
    """State what changes when other clocks run. An end is stated of the last millisecond, so that a window that starts
    at ``time_ms`` begins without what has ended."""
    last_ms = time_ms - 1
    take_back_stops(facts, STOPPED_SLOT, stopped, clocks, cuts)
    if running:
        ended = running & ~clocks
        if ended == running:
            facts.append((ALL_ENDED_SLOT + running, last_ms, cuts, 1, 1))
        else:
            facts.append((ENDED_SLOT + running, last_ms, cuts, 1, 1))
            if ended:
                facts.append((STOPPED_SLOT + ended, last_ms, cuts, 1, 1))
    if clocks:
        first = first_runs(((running, last_ms), *stopped), clocks, time_ms, options)
        if first == [(FIRST_RUN_MONTH_SLOT, clocks)]:
            facts.append((STARTED_FIRST_SLOT + clocks, time_ms, cuts, 1, 1))
        else:
            facts.append((STARTED_SLOT + clocks, time_ms, cuts, 1, 1))
            facts += [(slot + of_these, time_ms, cuts, 1, 1) for slot, of_these in first]


def take_back_stops(facts: list[Fact], stopped_slot: int, stopped: Stopped, clocks: int, cuts: int) -> None:
    """State that these clocks have not stopped for good, as they run again; ``stopped_slot``: of the clock of which."""
    for ran, stopped_ms in stopped:
        still = ran & ~clocks
        if still != ran:
            facts.append((stopped_slot + ran, stopped_ms, cuts, 1, -1))
            if still:
                facts.append((stopped_slot + still, stopped_ms, cuts, 1, 1))


def first_runs(earlier: Stopped, clocks: int, time_ms: int, options: Options) -> list[tuple[int, int]]:
    """Who runs now and did not just before the start of a window has its first run in it: for a kind of window, those
    clocks. That is asked of those that run on, too: their last run is stated to have ended a millisecond ago."""
    found: list[tuple[int, int]] = []
    never_ran = clocks
    for ran, last_ms in earlier:
        again = clocks & ran
        if again:
            never_ran &= ~again
            slot = _first_run_slot(last_ms, time_ms, options)
            if slot:
                found.append((slot, again))
    if never_ran:
        found.append((FIRST_RUN_MONTH_SLOT, never_ran))
    return found


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
