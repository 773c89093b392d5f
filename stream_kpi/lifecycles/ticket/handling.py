"""How a ticket is handled: whose it is, how often it is handed over, whether it is solved by now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stream_kpi.lifecycles.ticket.state import OUT
from stream_kpi.measures.registry import (
    CREATED_NOW_SOLVED,
    TICKETS_OF_AGENT,
    TRANSFERS,
)

if TYPE_CHECKING:
    from stream_kpi.lifecycles.ticket.events import Assigned
    from stream_kpi.lifecycles.ticket.state import TicketState

CREATED_NOW_SOLVED_SLOT: Final = CREATED_NOW_SOLVED.slot
TICKETS_OF_AGENT_SLOT: Final = TICKETS_OF_AGENT.slot
TRANSFERS_SLOT: Final = TRANSFERS.slot


def on_assigned(ticket: TicketState, event: Assigned) -> None:
    """The ticket is the agent's, in its present cuts: a transfer if it was another agent's before."""
    if event.agent_id is not None:
        if ticket.last_agent is not None and event.agent_id != ticket.last_agent:
            ticket.transferred = True
            ticket.emit(TRANSFERS_SLOT, event.time_ms, ticket.cuts_with_agent(event.agent_id))
        ticket.last_agent = event.agent_id
    settle_owner(ticket)


def settle_owner(ticket: TicketState) -> None:
    """Count the ticket, at its creation, for the agent who has solved it, else for the one it is assigned to."""
    created_cuts = ticket.created_cuts
    if created_cuts == OUT:
        return
    facts, created_ms, resolved, before = ticket.facts, ticket.created_ms, ticket.resolved, ticket.owner_cuts
    owner_cuts = ticket.cut_sets.agents[ticket.solver if resolved else ticket.assignee]
    if owner_cuts != before:
        facts.append((TICKETS_OF_AGENT_SLOT, created_ms, before, 1, -1))
        facts.append((TICKETS_OF_AGENT_SLOT, created_ms, owner_cuts, 1, 1))
        ticket.owner_cuts = owner_cuts
    before = ticket.solved_cuts
    if not resolved and before == OUT:
        return
    if before != OUT:
        facts.append((CREATED_NOW_SOLVED_SLOT, created_ms, before, 1, -1))
    ticket.solved_cuts = solved_cuts = created_cuts | owner_cuts if resolved else OUT
    if resolved:
        facts.append((CREATED_NOW_SOLVED_SLOT, created_ms, solved_cuts, 1, 1))
