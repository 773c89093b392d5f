"""Service levels of a ticket: what starts, pauses, fulfils and cancels each metric (kpis.md, SLA)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stream_kpi.calendars.schedule import ALWAYS
from stream_kpi.lifecycles.sla.agreements import Agreements, Terms
from stream_kpi.lifecycles.sla.policy import (
    AGENT_WORK,
    FIRST_RESPONSE,
    NEXT_REPLY,
    PERIODIC_UPDATE,
    REQUESTER_WAIT,
    RESOLUTION,
)
from stream_kpi.lifecycles.ticket.events import Assigned, Created, Merged, Message, Status, Updated
from stream_kpi.lifecycles.ticket.state import UNKNOWN_TIME_MS

if TYPE_CHECKING:
    from stream_kpi.lifecycles.history import HistoryEvent
    from stream_kpi.lifecycles.sla.policy import Policies
    from stream_kpi.lifecycles.ticket.state import TicketState

PAUSING_STATUSES: Final = {
    RESOLUTION: frozenset({"pending"}),
    REQUESTER_WAIT: frozenset({"pending"}),
    AGENT_WORK: frozenset({"pending", "on_hold"}),
}
"""In which statuses the clock of a metric that a solve fulfils stands. Those that a reply fulfils never pause."""
REPLY_METRICS: Final = (FIRST_RESPONSE, NEXT_REPLY, PERIODIC_UPDATE)


class ServiceLevels(Agreements):
    """The agreements of one ticket. A solve decides what it fulfils and cancels what waits for a reply; a reopen starts
    anew. What is removed or merged is promised nothing."""

    __slots__ = ("_solved",)

    def __init__(self, policies: Policies) -> None:
        super().__init__(policies)
        self._solved = False

    def follow(self, ticket: TicketState, event: HistoryEvent) -> None:
        """The ticket has applied the event."""
        # A clock that runs behind must not end what has not begun.
        time_ms = max(event.time_ms, ticket.created_ms)
        if isinstance(event, Message):
            self._on_message(ticket, event, time_ms)
        elif isinstance(event, Status):
            self._on_status(ticket, time_ms)
        elif isinstance(event, Assigned | Updated):
            self._set_terms(ticket)
            self.settle(ticket, time_ms)
        elif isinstance(event, Merged):
            self.cancel_all(ticket, time_ms)
        elif isinstance(event, Created) and not self.instances:
            self._set_terms(ticket)
            self._start(ticket, time_ms)

    def _set_terms(self, ticket: TicketState) -> None:
        channel, group, brand = ticket.channel, ticket.group, ticket.brand
        self.terms = Terms(
            self.policies.of_ticket(ticket.sla_policy, channel, group, brand, ticket.category),
            ticket.priority,
            ticket.cuts,
            ticket.assignee,
            ticket.business_clock or ALWAYS,
        )

    def _start(self, ticket: TicketState, time_ms: int) -> None:
        """Let run what an unsolved ticket waits for."""
        for metric in PAUSING_STATUSES:
            self.start(ticket, metric, time_ms)
        self._await_reply(ticket, time_ms)

    def _await_reply(self, ticket: TicketState, time_ms: int) -> None:
        if ticket.answered:
            if ticket.turn_start_ms != UNKNOWN_TIME_MS:
                self.start(ticket, NEXT_REPLY, time_ms)
        elif ticket.response_start_ms != UNKNOWN_TIME_MS and not ticket.resolved:
            self.start(ticket, FIRST_RESPONSE, time_ms)

    def _on_message(self, ticket: TicketState, message: Message, time_ms: int) -> None:
        if ticket.standing.removed:
            return
        if message.author == "customer":
            self._await_reply(ticket, time_ms)
        elif message.author == "agent" and message.public:
            for metric in REPLY_METRICS:
                # What an agent created the ticket for may, by the options, be no response to anything.
                if metric != FIRST_RESPONSE or ticket.answered:
                    self.fulfil(ticket, metric, time_ms, message.author_id)
            if not ticket.resolved:
                self.start(ticket, PERIODIC_UPDATE, time_ms)

    def _on_status(self, ticket: TicketState, time_ms: int) -> None:
        standing = ticket.standing
        if standing.removed:
            self.cancel_all(ticket, time_ms)
        elif not ticket.resolved:
            self._start(ticket, time_ms)
            for metric, statuses in PAUSING_STATUSES.items():
                self.hold(ticket, metric, time_ms, paused=standing.status in statuses)
        elif not self._solved:
            for metric in PAUSING_STATUSES:
                self.fulfil(ticket, metric, time_ms, ticket.solver)
            for metric in REPLY_METRICS:
                self.cancel(ticket, metric, time_ms)
        self._solved = ticket.resolved
