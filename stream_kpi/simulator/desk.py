"""The ticket desk: queues by group, agents who work through them one ticket at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from heapq import heappop, heappush

from stream_kpi.simulator.staff import Agent, hire, keep_shifts
from stream_kpi.simulator.tickets import URGENCY_MS, Ticket, Tickets
from stream_kpi.simulator.world import World

WORK_MEDIAN_MS = {
    "general": 4.5 * 60_000,
    "billing": 5.5 * 60_000,
    "technical": 8.5 * 60_000,
    "orders": 5.0 * 60_000,
}
WORK_MEDIAN_OTHER_MS = 6 * 60_000

Waiting = list[tuple[int, int, Ticket]]
"""A heap: ``(queue time with its head start, tie-break, ticket)``."""


class Desk:
    """Who works on which ticket. A ticket comes back to its own agent while that agent is there."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.tickets = Tickets(world, self.enqueue)
        groups = tuple(world.team.groups)
        self._agents = {agent.id: agent for agent in hire(world.team, 100, world.team.desk_agents, groups, 1)}
        self._groups: dict[str, Waiting] = {group: [] for group in groups}
        self._own: dict[str, Waiting] = {agent_id: [] for agent_id in self._agents}
        self._queued = 0

    def start(self) -> None:
        """From now on, agents keep their shifts and tickets come."""
        keep_shifts(self._world, tuple(self._agents.values()), self._come, self._go)
        self.tickets.start()

    def leave_ticket(self, channel: str, customer_id: str, group: str) -> None:
        """A contact on another channel becomes a ticket."""
        self.enqueue(self.tickets.create(channel, customer_id, group))

    def enqueue(self, ticket: Ticket) -> None:
        """The ticket needs an agent."""
        self._queued += 1
        place = (self._world.now_ms + URGENCY_MS.get(ticket.priority, 0), self._queued, ticket)
        own = self._agents.get(ticket.agent_id or "")
        if own is not None and own.present and own.group == ticket.group:
            heappush(self._own[own.id], place)
            self._take_next(own)
            return
        heappush(self._groups[ticket.group], place)
        idle = self._idle(ticket.group)
        if idle:
            self._take_next(self._world.random.choice(idle))

    def _idle(self, group: str) -> Sequence[Agent]:
        return [agent for agent in self._agents.values() if agent.group == group and agent.free]

    def _come(self, agent: Agent) -> None:
        agent.present = True
        self._take_next(agent)

    def _go(self, agent: Agent) -> None:
        """The agent ends what is begun; what waits for the agent goes back to the group."""
        agent.present = False
        for place in self._own[agent.id]:
            heappush(self._groups[agent.group], place)
        self._own[agent.id].clear()

    def _take_next(self, agent: Agent) -> None:
        while agent.free:
            waiting = self._own[agent.id] or self._groups[agent.group] or self._longest_elsewhere()
            if not waiting:
                return
            ticket = heappop(waiting)[2]
            if not ticket.finished:
                self._work_on(agent, ticket)

    def _longest_elsewhere(self) -> Waiting:
        """Agents without work of their own help the group that has too much of it."""
        longest = max(self._groups.values(), key=len)
        return longest if len(longest) > 12 else []

    def _work_on(self, agent: Agent, ticket: Ticket) -> None:
        world = self._world
        agent.active += 1
        if ticket.agent_id != agent.id:
            reason = "transfer" if ticket.agent_id else "manual" if world.chance(0.3) else "auto"
            ticket.agent_id = agent.id
            self.tickets.emit(ticket, "ticket.assigned", agent_id=agent.id, group=ticket.group, reason=reason)
        work_ms = world.work_ms(WORK_MEDIAN_MS.get(ticket.group, WORK_MEDIAN_OTHER_MS))
        if world.chance(0.15):
            world.after(work_ms * world.random.uniform(0.3, 0.9), partial(self._note, agent, ticket))
        world.after(work_ms, partial(self._finish, agent, ticket))

    def _note(self, agent: Agent, ticket: Ticket) -> None:
        if not ticket.finished:
            self.tickets.emit(ticket, "ticket.message", author="agent", author_id=agent.id, public=False)

    def _finish(self, agent: Agent, ticket: Ticket) -> None:
        agent.active -= 1
        if not ticket.finished:  # solved by an automation or merged while the agent was at it
            self._decide(agent, ticket)
        self._take_next(agent)

    def _decide(self, agent: Agent, ticket: Ticket) -> None:
        world = self._world
        fate = world.random.random()
        if fate < 0.05 and ticket.replies == 0:
            self._hand_over(ticket)
            return
        if fate < 0.97:
            self._reply(agent, ticket)
        solve_share = 0.52 + 0.12 * min(ticket.replies, 3)
        outcome = world.random.random()
        if outcome < solve_share or fate >= 0.97:
            self.tickets.set_status(ticket, "closed" if world.chance(0.02) else "solved", "agent", agent.id)
        elif outcome < solve_share + 0.07:
            self.tickets.set_status(ticket, "on_hold", "agent", agent.id)
            self.tickets.wait_for_supplier(ticket)
        else:
            self.tickets.set_status(ticket, "pending", "agent", agent.id)
            self.tickets.wait_for_customer(ticket)

    def _reply(self, agent: Agent, ticket: Ticket) -> None:
        ticket.replies += 1
        if ticket.first_reply_ms is None:
            ticket.first_reply_ms = self._world.now_ms
        self.tickets.emit(ticket, "ticket.message", author="agent", author_id=agent.id, public=True)

    def _hand_over(self, ticket: Ticket) -> None:
        world = self._world
        others = [group for group in self._groups if group != ticket.group]
        ticket.group = world.random.choice(others)
        ticket.category = world.choose(world.team.groups[ticket.group])
        ticket.setbacks += 1
        self.tickets.emit(ticket, "ticket.updated", category=ticket.category, group=ticket.group)
        self.tickets.emit(ticket, "ticket.assigned", group=ticket.group, reason="transfer")
        self.enqueue(ticket)
