"""First contact resolution: what a first solve by a human must have been like, by the rule of the options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream_kpi.lifecycles.ticket.state import TicketState


def one_contact(ticket: TicketState) -> bool:
    """One agent, and the customer has not written after that agent's first public message."""
    return not ticket.followed_up and one_agent(ticket)


def one_agent(ticket: TicketState) -> bool:
    """Public messages and the solve are one agent's, and no assignment was to another one."""
    if ticket.several_handlers or ticket.transferred:
        return False
    return ticket.handler is None or ticket.solver is None or ticket.solver == ticket.handler


def one_reply(ticket: TicketState) -> bool:
    """Exactly one public message of agents, those of a session being one, whatever the customer wrote."""
    return ticket.touches == 1


def zero_customer_followups(ticket: TicketState) -> bool:
    """The customer has not written since the creation, whatever agents did."""
    return not ticket.customer_wrote


IS_FIRST_CONTACT: Final[dict[str, Callable[[TicketState], bool]]] = {
    "one_contact": one_contact,
    "one_agent": one_agent,
    "one_reply": one_reply,
    "zero_customer_followups": zero_customer_followups,
}
"""By options.FcrRule."""
