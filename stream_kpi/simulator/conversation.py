"""What happens between the accept and the end of a chat or call, and after it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from stream_kpi.events.topics import TopicKind
from stream_kpi.simulator.opinion import Experience, ask
from stream_kpi.simulator.staff import Agent
from stream_kpi.simulator.world import World

if TYPE_CHECKING:
    from stream_kpi.simulator.floor import Contact

MINUTE_MS = 60_000
BEARABLE_WAIT_MS = {"voice": 40_000}
BEARABLE_WAIT_OTHER_MS = 75_000


class Conversation:
    """``release(agent)`` is called when the agent may take the next contact, ``transfer(contact,
    agent)`` when another agent is needed, who releases this one."""

    def __init__(
        self, world: World, release: Callable[[Agent], None], transfer: Callable[[Contact, Agent], None]
    ) -> None:
        self._world = world
        self._release = release
        self._transfer = transfer

    def greet(self, contact_id: str) -> None:
        """The bot says that someone will be there soon."""
        self._message(contact_id, "bot", "bot")

    def begin(self, contact: Contact, agent: Agent) -> None:
        """An agent has taken the contact."""
        world = self._world
        contact.hand_over = contact.transfers == 0 and world.chance(0.07)
        if contact.queue.channel != "voice":
            self._customer_turn(contact, agent, 1 if contact.hand_over else 2 + int(world.random.expovariate(1 / 2.2)))
        elif contact.hand_over:
            world.after(world.work_ms(45_000), partial(self._transfer, contact, agent))
        else:
            hold_s = int(world.span_ms(50_000) / 1000) if world.chance(0.3) else 0
            talk_ms = world.work_ms(4.4 * MINUTE_MS) + hold_s * 1000
            world.after(talk_ms, partial(self._end, contact, agent, "customer", hold_s))

    def _message(self, contact_id: str, author: str, author_id: str) -> None:
        self._world.emit(TopicKind.CHAT, "chat.message", contact_id, {"author": author, "author_id": author_id})

    def _customer_turn(self, contact: Contact, agent: Agent, turns: int) -> None:
        world = self._world
        delay_ms = world.span_ms(18_000, 0.7)
        world.after(delay_ms, partial(self._message, contact.id, "customer", contact.customer_id))
        if world.chance(0.015):  # waits for an answer that does not come
            world.after(delay_ms + 4 * MINUTE_MS, partial(self._end, contact, agent, "timeout", 0))
            return
        load = 0.6 + 0.4 * agent.active  # an agent with several chats answers each of them later
        world.after(delay_ms + world.work_ms(32_000 * load), partial(self._agent_turn, contact, agent, turns - 1))

    def _agent_turn(self, contact: Contact, agent: Agent, turns: int) -> None:
        self._message(contact.id, "agent", agent.id)
        if turns > 0:
            self._customer_turn(contact, agent, turns)
        elif contact.hand_over:
            self._transfer(contact, agent)
        else:
            by = "customer" if self._world.chance(0.65) else "agent"
            self._world.after(self._world.span_ms(9_000), partial(self._end, contact, agent, by, 0))

    def _end(self, contact: Contact, agent: Agent, by: str, hold_s: int) -> None:
        world = self._world
        resolved = by != "timeout" and world.chance(0.86 if contact.transfers == 0 else 0.72)
        after_work_s = int(world.work_ms(30_000 if contact.queue.channel == "voice" else 12_000) / 1000)
        data: dict[str, object] = {"by": by, "resolved": resolved, "after_work_s": after_work_s}
        if contact.queue.channel == "voice":
            data["hold_s"] = hold_s
        world.emit(TopicKind.CHAT, "chat.ended", contact.id, data)
        world.after(after_work_s * 1000, partial(self._release, agent))
        if world.chance(0.6):
            bearable_ms = BEARABLE_WAIT_MS.get(contact.queue.channel, BEARABLE_WAIT_OTHER_MS)
            experience = Experience(contact.waited_ms, bearable_ms, resolved, contact.transfers)
            ask_survey = partial(ask, world, TopicKind.CHAT, "chat", contact.id, experience, 0.3)
            world.after(world.random.uniform(2_000, 60_000), ask_survey)
