"""The contact floor: queues of chats and calls, agents on shift with a capacity, customers with patience."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

import msgspec

from stream_kpi.events.topics import TopicKind
from stream_kpi.simulator.conversation import Conversation
from stream_kpi.simulator.staff import Agent, hire, keep_shifts
from stream_kpi.simulator.team import Queue
from stream_kpi.simulator.world import World

MINUTE_MS = 60_000
PATIENCE_MEAN_MS = {"voice": 4 * MINUTE_MS}
PATIENCE_MEAN_OTHER_MS = 7 * MINUTE_MS
RING_MEDIAN_MS = {"voice": 5_000}
RING_MEDIAN_OTHER_MS = 9_000
LONGEST_WAIT_MS = 25 * MINUTE_MS
FLOWOUT_LENGTH = 25
"""With more than this many waiting, some are sent to leave a ticket."""


class Contact(msgspec.Struct, eq=False):
    """A chat or call."""

    id: str
    queue: Queue
    customer_id: str
    queued_ms: int
    waited_ms: int = 0
    transfers: int = 0
    waiting: bool = True
    hand_over: bool = False
    """Its agent will pass it on."""


class Floor:
    """Who talks to whom. ``leave_ticket(channel, customer, group)`` is what becomes of a contact that flows out."""

    def __init__(self, world: World, leave_ticket: Callable[[str, str, str], object]) -> None:
        self._world = world
        self._leave_ticket = leave_ticket
        team = world.team
        self._queues = {queue.name: queue for queue in team.queues}
        self._waiting: dict[str, deque[Contact]] = {queue.name: deque() for queue in team.queues}
        self._conversation = Conversation(world, self._release, self._transfer)
        self._agents = self._hire(300, team.chat_agents, team.chat_capacity, voice=False)
        self._agents += self._hire(500, team.phone_agents, 1, voice=True)

    def _hire(self, first_number: int, count: int, capacity: int, *, voice: bool) -> list[Agent]:
        queues = [queue for queue in self._queues.values() if (queue.channel == "voice") == voice]
        groups = list(dict.fromkeys(queue.group for queue in queues))
        agents = hire(self._world.team, first_number, count, groups, capacity)
        for agent in agents:
            agent.queues = tuple(queue.name for queue in sorted(queues, key=lambda queue: queue.group != agent.group))
        return agents

    def start(self) -> None:
        """From now on, agents keep their shifts, and chats and calls come."""
        world, team = self._world, self._world.team
        keep_shifts(world, self._agents, self._come, self._go)
        for channel_is_voice, per_day in ((False, team.chats_per_day), (True, team.calls_per_day)):
            shares = {q.name: q.share for q in team.queues if (q.channel == "voice") == channel_is_voice}
            world.arrivals(per_day, partial(self._arrive_somewhere, shares))

    def _arrive_somewhere(self, shares: dict[str, float]) -> None:
        self._arrive(self._queues[self._world.choose(shares)], self._world.customer())

    def _arrive(self, queue: Queue, customer_id: str) -> None:
        world, team = self._world, self._world.team
        contact = Contact(world.entity_id("CH"), queue, customer_id, world.now_ms)
        data: dict[str, object] = {
            "queue": queue.name,
            "channel": queue.channel,
            "customer_id": customer_id,
            "priority": world.choose(team.priorities),
            "category": world.choose(team.groups[queue.group]),
            "brand": world.choose(team.brands),
            "group": queue.group,
        }
        self._emit(contact, "chat.queued", data)
        if world.chance(0.006):
            world.after(world.random.uniform(50, 400), partial(self._leave, contact, "blocked"))
        elif queue.channel == "voice" and not self._staffed(queue):
            world.after(world.span_ms(35_000, 0.3), partial(self._leave, contact, "voicemail"))
        elif len(self._waiting[queue.name]) > FLOWOUT_LENGTH and world.chance(0.5):
            world.after(world.span_ms(15_000, 0.4), partial(self._flow_out, contact))
        else:
            self._wait(contact)

    def _wait(self, contact: Contact) -> None:
        world, queue = self._world, contact.queue
        self._waiting[queue.name].append(contact)
        mean_ms = PATIENCE_MEAN_MS.get(queue.channel, PATIENCE_MEAN_OTHER_MS)
        patience_ms = world.random.expovariate(1.0) * mean_ms
        world.after(min(patience_ms, LONGEST_WAIT_MS), partial(self._lose_patience, contact, patience_ms))
        if queue.channel != "voice" and world.chance(0.6):
            world.after(700, partial(self._conversation.greet, contact.id))
        free = [agent for agent in self._agents if agent.free and queue.name in agent.queues]
        if free:
            self._take_next(max(free, key=lambda agent: (agent.queues[0] == queue.name, -agent.active)))

    def _staffed(self, queue: Queue) -> bool:
        return any(agent.present and queue.name in agent.queues for agent in self._agents)

    def _emit(self, contact: Contact, event_type: str, data: dict[str, object]) -> None:
        self._world.emit(TopicKind.CHAT, event_type, contact.id, data)

    def _lose_patience(self, contact: Contact, patience_ms: float) -> None:
        if not contact.waiting:
            return
        world, queue = self._world, contact.queue
        self._waiting[queue.name].remove(contact)
        if contact.transfers:  # accepted once: hanging up in the second queue ends it
            contact.waiting = False
            self._emit(contact, "chat.ended", {"by": "customer", "resolved": False})
        elif patience_ms > LONGEST_WAIT_MS:
            self._leave(contact, "timeout")
        elif queue.channel == "voice" and world.chance(0.22):
            self._leave(contact, "callback")
            world.after(world.span_ms(45 * MINUTE_MS), partial(self._arrive, queue, contact.customer_id))
        else:
            self._leave(contact, "abandoned")
            if world.chance(0.3):  # and tries again
                world.after(world.span_ms(20 * MINUTE_MS), partial(self._arrive, queue, contact.customer_id))

    def _flow_out(self, contact: Contact) -> None:
        self._leave(contact, "flowout")
        self._leave_ticket(
            "phone" if contact.queue.channel == "voice" else "chat", contact.customer_id, contact.queue.group
        )

    def _leave(self, contact: Contact, reason: str) -> None:
        contact.waiting = False
        self._emit(contact, "chat.left", {"reason": reason})

    def _come(self, agent: Agent) -> None:
        agent.present = True
        self._tell_presence(agent)
        self._take_next(agent)

    def _go(self, agent: Agent) -> None:
        agent.present = False
        self._tell_presence(agent)

    def _tell_presence(self, agent: Agent) -> None:
        state = ("busy" if agent.active else "available") if agent.present else ("away" if agent.active else "offline")
        data = {"state": state, "capacity": agent.capacity, "group": agent.group, "queues": agent.queues}
        self._world.emit(TopicKind.CHAT, "agent.presence", agent.id, data)

    def _take_next(self, agent: Agent) -> None:
        """The agent takes who has waited longest in the first of its queues that is not empty."""
        while agent.free:
            waiting = next((self._waiting[name] for name in agent.queues if self._waiting[name]), None)
            if waiting is None:
                return
            self._accept(agent, waiting.popleft())

    def _accept(self, agent: Agent, contact: Contact) -> None:
        contact.waiting = False
        self._occupy(agent)
        ring_ms = RING_MEDIAN_MS.get(contact.queue.channel, RING_MEDIAN_OTHER_MS)
        self._world.after(self._world.work_ms(ring_ms), partial(self._answer, agent, contact))

    def _answer(self, agent: Agent, contact: Contact) -> None:
        if contact.transfers == 0:
            contact.waited_ms = self._world.now_ms - contact.queued_ms
        self._emit(contact, "chat.accepted", {"agent_id": agent.id, "queue": contact.queue.name})
        self._conversation.begin(contact, agent)

    def _occupy(self, agent: Agent) -> None:
        agent.active += 1
        if agent.active == 1:
            self._tell_presence(agent)

    def _release(self, agent: Agent) -> None:
        """A contact and its after-work are over."""
        agent.active -= 1
        if agent.active == 0:
            self._tell_presence(agent)
        self._take_next(agent)

    def _transfer(self, contact: Contact, former: Agent) -> None:
        """To a free colleague when there is one, else into another queue of the channel."""
        world, queue = self._world, contact.queue
        contact.transfers += 1
        colleagues = [a for a in self._agents if a.free and a is not former and queue.name in a.queues]
        if colleagues and world.chance(0.5):
            colleague = world.random.choice(colleagues)
            self._emit(contact, "chat.transferred", {"to_agent": colleague.id})
            self._occupy(colleague)
            self._conversation.begin(contact, colleague)
        else:
            kin = [
                q
                for q in self._queues.values()
                if (q.channel == "voice") == (queue.channel == "voice") and q is not queue
            ]
            contact.queue = world.random.choice(kin)
            self._emit(contact, "chat.transferred", {"to_queue": contact.queue.name})
            contact.waiting = True
            self._wait(contact)
        self._release(former)
