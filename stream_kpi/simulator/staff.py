"""Agents and their shifts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from stream_kpi.simulator.team import DAY_MS, HOUR_MS, Shift, Team, is_weekend
from stream_kpi.simulator.world import World

BREAK_MS = 40 * 60_000


class Agent:
    """Someone who works: at most ``capacity`` contacts at once, while present."""

    __slots__ = ("active", "capacity", "group", "id", "present", "queues", "shift", "works_weekends")

    def __init__(self, agent_id: str, group: str, shift: Shift, capacity: int, *, works_weekends: bool) -> None:
        self.id = agent_id
        self.group = group
        self.shift = shift
        self.capacity = capacity
        self.works_weekends = works_weekends
        self.queues: tuple[str, ...] = ()
        self.active = 0
        self.present = False

    @property
    def free(self) -> bool:
        """Whether the agent would take another contact now."""
        return self.present and self.active < self.capacity


def hire(team: Team, first_number: int, count: int, groups: Sequence[str], capacity: int) -> list[Agent]:
    """``count`` agents spread over groups and over shifts by the shifts' shares; half of them work on weekends."""
    agents = []
    for number in range(count):
        place = (number + 0.5) / count * sum(shift.share for shift in team.shifts)
        for shift in team.shifts:
            place -= shift.share
            if place < 0:
                break
        group = groups[number % len(groups)]
        agents.append(Agent(f"a{first_number + number}", group, shift, capacity, works_weekends=number % 4 < 2))
    return agents


def keep_shifts(
    world: World, agents: Sequence[Agent], come: Callable[[Agent], None], go: Callable[[Agent], None]
) -> None:
    """From now on, tell when agents come and go, breaks included."""
    team = world.team
    midnight_ms = (world.now_ms + team.local_offset_ms) // DAY_MS * DAY_MS - team.local_offset_ms
    for agent in agents:
        for day_start_ms in (midnight_ms - DAY_MS, midnight_ms):
            _plan_day(world, agent, day_start_ms, come, go)

    def plan_next_day() -> None:
        for agent in agents:
            _plan_day(world, agent, world.now_ms, come, go)
        world.after(DAY_MS, plan_next_day)

    world.after(midnight_ms + DAY_MS - world.now_ms, plan_next_day)


def _plan_day(
    world: World, agent: Agent, midnight_ms: int, come: Callable[[Agent], None], go: Callable[[Agent], None]
) -> None:
    if is_weekend(world.team, midnight_ms) and not agent.works_weekends:
        return
    start_ms = midnight_ms + agent.shift.start_hour * HOUR_MS + world.random.uniform(-6, 6) * 60_000
    end_ms = start_ms + agent.shift.hours * HOUR_MS + world.random.uniform(0, 10) * 60_000
    break_ms = (start_ms + end_ms) / 2 + world.random.uniform(-60, 20) * 60_000
    for from_ms, to_ms in ((start_ms, break_ms), (break_ms + BREAK_MS, end_ms)):
        if to_ms > world.now_ms:  # one that has begun before the simulation: the agent is there from its start
            world.after(from_ms - world.now_ms, partial(come, agent))
            world.after(to_ms - world.now_ms, partial(go, agent))
