"""A ticket's life outside the desk: how it comes, what its customer does, how it ends."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec

from stream_kpi.events.topics import TopicKind
from stream_kpi.simulator.opinion import Experience, ask
from stream_kpi.simulator.world import World

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
CLOSE_AFTER_MS = 96 * HOUR_MS
GIVE_UP_AFTER_MS = 48 * HOUR_MS
"""Pending tickets without an answer are solved by an automation."""

CREATORS = {"customer": 92.0, "agent": 5.0, "bot": 2.0, "system": 1.0}
BEARABLE_WAIT_MS = {"chat": 2 * MINUTE_MS, "phone": 20 * MINUTE_MS, "social": 40 * MINUTE_MS}
BEARABLE_WAIT_OTHER_MS = 3 * HOUR_MS
URGENCY_MS = {"urgent": -8 * HOUR_MS, "high": -2 * HOUR_MS, "normal": 0, "low": 3 * HOUR_MS}
"""Head start in the queue: an urgent ticket passes all that came in the 8 h before it."""


class Ticket(msgspec.Struct, eq=False):
    """What the simulation knows of a ticket."""

    id: str
    customer_id: str
    channel: str
    category: str
    priority: str
    group: str
    created_ms: int
    status: str = "new"
    agent_id: str | None = None
    first_reply_ms: int | None = None
    replies: int = 0
    solves: int = 0
    setbacks: int = 0
    surveyed: bool = False
    gone: bool = False
    """Spam or merged: nobody works on it any more."""

    @property
    def finished(self) -> bool:
        """Solved, closed or gone."""
        return self.gone or self.status in ("solved", "closed")


class Tickets:
    """Makes tickets and lets their customers act. ``enqueue`` hands a ticket that needs an agent to the desk."""

    def __init__(self, world: World, enqueue: Callable[[Ticket], None]) -> None:
        self._world = world
        self._enqueue = enqueue
        self._group_weights = {group: sum(categories.values()) for group, categories in world.team.groups.items()}
        self._last_by_group: dict[str, Ticket] = {}

    def start(self) -> None:
        """From now on, tickets come."""
        self._world.arrivals(self._world.team.tickets_per_day, self._arrive)

    def emit(self, ticket: Ticket, event_type: str, **data: object) -> None:
        """State that something happens to the ticket now."""
        self._world.emit(TopicKind.TICKET, event_type, ticket.id, data)

    def set_status(self, ticket: Ticket, status: str, actor: str, agent_id: str | None = None) -> None:
        """Change the status now; a solve leads to a survey, a close, perhaps a reopening."""
        ticket.status = status
        data = {"status": status, "actor": actor}
        if agent_id is not None:
            data["actor_id"] = agent_id
        self.emit(ticket, "ticket.status", **data)
        if status == "solved":
            self._after_solve(ticket)

    def create(self, channel: str, customer_id: str, group: str | None = None) -> Ticket:
        """A ticket that comes now: what a customer wrote, or what is left of a contact on another channel."""
        world = self._world
        group = group or world.choose(self._group_weights)
        ticket = Ticket(
            id=world.entity_id("T"),
            customer_id=customer_id,
            channel=channel,
            category=world.choose(world.team.groups[group]),
            priority=world.choose(world.team.priorities),
            group=group,
            created_ms=world.now_ms,
        )
        created_by = "agent" if channel == "phone" and world.chance(0.5) else world.choose(CREATORS)
        data = {
            "channel": channel,
            "customer_id": ticket.customer_id,
            "category": ticket.category,
            "priority": ticket.priority,
            "group": group,
            "brand": world.choose(world.team.brands),
            "created_by": created_by,
        }
        if world.chance(0.03):
            del data["category"]
        self.emit(ticket, "ticket.created", **data)
        return ticket

    def _arrive(self) -> None:
        world = self._world
        ticket = self.create(world.choose(world.team.channels), world.customer())
        if world.chance(0.015):
            world.after(world.span_ms(4 * MINUTE_MS), partial(self._mark_spam, ticket))
        elif ticket.channel in ("web", "chat") and world.chance(0.12):
            world.after(world.span_ms(40_000), partial(self._bot_solves, ticket))
        else:
            self._route(ticket)

    def _route(self, ticket: Ticket) -> None:
        world = self._world
        if ticket.channel in ("email", "web") and world.chance(0.6):
            world.after(world.random.uniform(500, 3_000), partial(self._acknowledge, ticket))
        if world.chance(0.07):
            world.after(world.span_ms(2 * MINUTE_MS), partial(self._triage, ticket))
        if world.chance(0.25):
            world.after(world.span_ms(90 * MINUTE_MS), partial(self._ask_again, ticket))
        duplicate_of = self._last_by_group.get(ticket.group)
        if duplicate_of is not None and not duplicate_of.finished and world.chance(0.02):
            world.after(world.span_ms(12 * MINUTE_MS), partial(self._merge, ticket, duplicate_of))
        self._last_by_group[ticket.group] = ticket
        world.after(world.random.uniform(200, 900), partial(self._to_desk, ticket))

    def _to_desk(self, ticket: Ticket) -> None:
        if self._world.chance(0.6):
            self.emit(ticket, "ticket.assigned", group=ticket.group, reason="auto")
        self._enqueue(ticket)

    def _acknowledge(self, ticket: Ticket) -> None:
        self.emit(ticket, "ticket.message", author="automation", public=True)

    def _triage(self, ticket: Ticket) -> None:
        if ticket.finished:
            return
        ticket.priority = self._world.choose(self._world.team.priorities)
        ticket.category = self._world.choose(self._world.team.groups[ticket.group])
        self.emit(ticket, "ticket.updated", priority=ticket.priority, category=ticket.category)

    def _ask_again(self, ticket: Ticket) -> None:
        if not ticket.finished and ticket.first_reply_ms is None:
            self.emit(ticket, "ticket.message", author="customer", author_id=ticket.customer_id)

    def _merge(self, ticket: Ticket, into: Ticket) -> None:
        if not ticket.finished and not into.gone and ticket.first_reply_ms is None:
            ticket.gone = True
            self.emit(ticket, "ticket.merged", into=into.id)

    def _mark_spam(self, ticket: Ticket) -> None:
        ticket.gone = True
        self.set_status(ticket, "spam", "automation")

    def _bot_solves(self, ticket: Ticket) -> None:
        self.emit(ticket, "ticket.message", author="bot", author_id="bot", public=True)
        if self._world.chance(0.7):
            ticket.first_reply_ms = self._world.now_ms
            self._world.after(self._world.span_ms(3 * MINUTE_MS), partial(self.set_status, ticket, "solved", "bot"))
        else:
            self.emit(ticket, "ticket.assigned", group=ticket.group, reason="bot_handoff")
            self._enqueue(ticket)

    def wait_for_customer(self, ticket: Ticket) -> None:
        """The ticket is pending: most customers answer, the rest is solved by an automation."""
        world = self._world
        if world.chance(0.78):
            world.after(world.span_ms(70 * MINUTE_MS, 1.1), partial(self._customer_answers, ticket))
        else:
            world.after(GIVE_UP_AFTER_MS, partial(self._give_up, ticket))

    def wait_for_supplier(self, ticket: Ticket) -> None:
        """The ticket is on hold: a third party answers in its own time."""
        self._world.after(self._world.span_ms(4 * HOUR_MS, 0.8), partial(self._back_to_work, ticket))

    def _customer_answers(self, ticket: Ticket) -> None:
        if ticket.finished:
            return
        self.emit(ticket, "ticket.message", author="customer", author_id=ticket.customer_id)
        if self._world.chance(0.1):
            delay_ms = self._world.span_ms(3 * MINUTE_MS)
            self._world.after(delay_ms, partial(self._adds_a_line, ticket, ticket.replies))
        self._back_to_work(ticket)

    def _adds_a_line(self, ticket: Ticket, replies: int) -> None:
        if not ticket.finished and ticket.replies == replies:
            self.emit(ticket, "ticket.message", author="customer", author_id=ticket.customer_id)

    def _back_to_work(self, ticket: Ticket) -> None:
        if not ticket.finished:
            self.set_status(ticket, "open", "system")
            self._enqueue(ticket)

    def _give_up(self, ticket: Ticket) -> None:
        if not ticket.finished:
            self.set_status(ticket, "solved", "automation")

    def _after_solve(self, ticket: Ticket) -> None:
        world = self._world
        if not ticket.surveyed and world.chance(0.55):
            ticket.surveyed = True
            world.after(world.span_ms(20 * MINUTE_MS), partial(self._survey, ticket))
        fate = world.random.random()
        if fate < 0.05:
            world.after(world.span_ms(3 * HOUR_MS, 1.0), partial(self._reopen, ticket))
        elif fate < 0.12:
            world.after(world.span_ms(30 * MINUTE_MS), partial(self._thank, ticket))
        ticket.solves += 1
        world.after(CLOSE_AFTER_MS, partial(self._close, ticket, ticket.solves))

    def _survey(self, ticket: Ticket) -> None:
        answered_ms = ticket.first_reply_ms if ticket.first_reply_ms is not None else self._world.now_ms
        bearable_ms = BEARABLE_WAIT_MS.get(ticket.channel, BEARABLE_WAIT_OTHER_MS)
        waited_ms = answered_ms - ticket.created_ms
        experience = Experience(waited_ms, bearable_ms, resolved=ticket.finished, setbacks=ticket.setbacks)
        ask(self._world, TopicKind.TICKET, "ticket", ticket.id, experience, answer_share=0.34)

    def _reopen(self, ticket: Ticket) -> None:
        if ticket.status != "solved":
            return
        ticket.setbacks += 1
        self.emit(ticket, "ticket.message", author="customer", author_id=ticket.customer_id)
        self.set_status(ticket, "open", "customer")
        self._enqueue(ticket)

    def _thank(self, ticket: Ticket) -> None:
        if ticket.status == "solved":
            self.emit(ticket, "ticket.message", author="customer", author_id=ticket.customer_id)

    def _close(self, ticket: Ticket, solves: int) -> None:
        if ticket.status == "solved" and ticket.solves == solves:  # not reopened in the meantime
            self.set_status(ticket, "closed", "automation")
