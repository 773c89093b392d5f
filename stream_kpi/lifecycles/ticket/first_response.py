"""The first response: from when it is waited for, and which message it is, as the options say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stream_kpi.lifecycles.ticket.backlog import UNANSWERED_SLOT
from stream_kpi.lifecycles.ticket.business_time import state_business
from stream_kpi.lifecycles.ticket.state import OUT, UNKNOWN_TIME_MS
from stream_kpi.measures.registry import FIRST_RESPONSE, FIRST_RESPONSE_BUSINESS, FIRST_RESPONSE_IN_TARGET

if TYPE_CHECKING:
    from stream_kpi.lifecycles.ticket.events import Message
    from stream_kpi.lifecycles.ticket.state import TicketState

FIRST_RESPONSE_BUSINESS_SLOT: Final = FIRST_RESPONSE_BUSINESS.slot
FIRST_RESPONSE_SLOT: Final = FIRST_RESPONSE.slot
IN_TARGET_SLOT: Final = FIRST_RESPONSE_IN_TARGET.slot


def expected(ticket: TicketState) -> bool:
    """Whether the ticket's first response counts, whenever it comes."""
    return ticket.created_by != "agent" or ticket.options.first_response_agent_created != "exclude"


def expected_from_creation(ticket: TicketState) -> bool:
    """Whether it is waited for from the creation of a ticket that no customer created."""
    return ticket.options.first_response_start != "first_customer_message" and expected(ticket)


def expect_anew(ticket: TicketState, time_ms: int) -> None:
    """A bot has handed the ticket over, or it was reopened: where the options say so, the wait begins only now."""
    if (
        ticket.options.first_response_start != "bot_handoff_or_reopen"
        or ticket.answered
        or ticket.response_start_ms == UNKNOWN_TIME_MS
    ):
        return
    if ticket.unanswered_cuts != OUT:
        at_ms = max(time_ms, ticket.created_ms)
        ticket.leave(UNANSWERED_SLOT, at_ms, ticket.unanswered_cuts, ticket.response_start_ms)
        ticket.unanswered_cuts = OUT
    ticket.response_start_ms = time_ms


def on_bot_solve(ticket: TicketState, time_ms: int) -> None:
    """A bot has solved the ticket: as :func:`expect_anew`, unless a hand-off or reopen has come before."""
    if ticket.response_start_ms == ticket.created_ms:
        expect_anew(ticket, time_ms)


def counts_as_response(ticket: TicketState, event: Message) -> bool:
    """Whether a message that is neither a customer's nor an agent's in public is a response by the options."""
    options = ticket.options
    by_agent_or_bot = event.author == "agent" or (event.author == "bot" and options.first_response_count_bot)
    return by_agent_or_bot and (event.public or options.first_response_count_notes)


def respond_first(ticket: TicketState, event: Message) -> None:
    """A message that counts as a response has come, and none before it."""
    by_agent = ticket.created_by == "agent"
    if by_agent and _opens(ticket, event):
        return
    ticket.answered = True
    if by_agent and not expected(ticket):
        return
    start_ms = ticket.created_ms if ticket.response_start_ms == UNKNOWN_TIME_MS else ticket.response_start_ms
    duration_ms = ticket.duration_ms(start_ms, event.time_ms)
    cuts = ticket.cuts_with_agent(event.author_id)
    ticket.facts.append((FIRST_RESPONSE_SLOT, event.time_ms, cuts, duration_ms, 1))
    if ticket.business_clock is not None:
        state_business(ticket, FIRST_RESPONSE_BUSINESS_SLOT, start_ms, event.time_ms, cuts)
    options = ticket.options
    if duration_ms <= options.response_targets_ms.get(ticket.channel or "", options.response_target_other_ms):
        ticket.facts.append((IN_TARGET_SLOT, event.time_ms, cuts, 1, 1))


def _opens(ticket: TicketState, event: Message) -> bool:
    """Whether an agent's message is, by the options, what the agent created the ticket for: nobody has written before,
    but in the same session."""
    return (
        ticket.options.first_response_agent_created == "second_comment"
        and not ticket.customer_wrote
        and (ticket.touches == 0 or event.session_id in ticket.reply_sessions)
    )
