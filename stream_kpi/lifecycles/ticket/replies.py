"""Who wrote when: next replies, and the turns of the customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stream_kpi.lifecycles.ticket.business_time import state_business
from stream_kpi.lifecycles.ticket.first_response import expected, respond_first
from stream_kpi.lifecycles.ticket.state import UNKNOWN_TIME_MS
from stream_kpi.measures.registry import NEXT_REPLY, NEXT_REPLY_BUSINESS

if TYPE_CHECKING:
    from stream_kpi.lifecycles.ticket.events import Message
    from stream_kpi.lifecycles.ticket.state import TicketState

NEXT_REPLY_BUSINESS_SLOT: Final = NEXT_REPLY_BUSINESS.slot
NEXT_REPLY_SLOT: Final = NEXT_REPLY.slot


def on_customer_message(ticket: TicketState, time_ms: int) -> None:
    """The customer has written: a turn begins unless one is running."""
    ticket.unattended = ticket.customer_wrote = True
    if ticket.touches:
        ticket.followed_up = True
    if ticket.answered:
        if ticket.turn_start_ms == UNKNOWN_TIME_MS:
            ticket.turn_start_ms = time_ms
    elif ticket.response_start_ms == UNKNOWN_TIME_MS and expected(ticket):
        ticket.response_start_ms = time_ms


def on_agent_reply(ticket: TicketState, event: Message) -> None:
    """A human agent has written in public: this answers everything before it."""
    session_id = event.session_id
    if not ticket.answered:
        respond_first(ticket, event)
    elif ticket.turn_start_ms != UNKNOWN_TIME_MS and session_id not in ticket.reply_sessions:
        duration_ms = ticket.duration_ms(ticket.turn_start_ms, event.time_ms)
        cuts = ticket.cuts_with_agent(event.author_id)
        ticket.facts.append((NEXT_REPLY_SLOT, event.time_ms, cuts, duration_ms, 1))
        if ticket.business_clock is not None:
            state_business(ticket, NEXT_REPLY_BUSINESS_SLOT, ticket.turn_start_ms, event.time_ms, cuts)
    if session_id is None:
        ticket.touches += 1
    elif session_id not in ticket.reply_sessions:
        ticket.touches += 1
        ticket.reply_sessions += (session_id,)
    end_turn(ticket)
    if ticket.handler is None:
        ticket.handler = event.author_id
    elif event.author_id is not None and event.author_id != ticket.handler:
        ticket.several_handlers = True


def end_turn(ticket: TicketState) -> None:
    """Nothing that the customer wrote is waited for any more."""
    ticket.unattended = False
    ticket.turn_start_ms = UNKNOWN_TIME_MS
