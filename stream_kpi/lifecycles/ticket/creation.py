"""The creation of a ticket: it is counted, and enters the levels and sets that a new one is in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stream_kpi.lifecycles.ticket.backlog import (
    AGE_BAND,
    AGE_BAND_DUE,
    AGE_BAND_ENDS_MS,
    AGE_BANDS,
    BACKLOG_SLOT,
    STATUS,
    settle,
)
from stream_kpi.lifecycles.ticket.handling import TICKETS_OF_AGENT_SLOT
from stream_kpi.measures import compound, registry

if TYPE_CHECKING:
    from stream_kpi.lifecycles.ticket.state import TicketState

TICKET_OPENED_SLOT: Final = compound.TICKET_OPENED.slot
TICKETS_CREATED_SLOT: Final = registry.TICKETS_CREATED.slot
TICKETS_LEFT_OUT_SLOT: Final = registry.TICKETS_LEFT_OUT.slot


def state_creation(ticket: TicketState) -> None:
    """The ticket came to be: it is nobody's and new, and was in nothing before."""
    facts, created_ms, cuts = ticket.facts, ticket.created_ms, ticket.cuts
    owner_cuts = ticket.cut_sets.agents[None]
    if ticket.created_by == "customer" and ticket.standing.is_open:  # nearly always; as below, in less time
        ticket.created_cuts = ticket.backlog_cuts = ticket.unassigned_cuts = cuts
        ticket.unattended_cuts = ticket.unanswered_cuts = cuts
        ticket.owner_cuts = owner_cuts
        ticket.backlog_status = status = ticket.standing.status
        ticket.age_band = AGE_BANDS[0]
        ticket.schedule(created_ms + AGE_BAND_ENDS_MS[0], AGE_BAND_DUE)
        breakdown_cuts = ticket.cut_sets.only_both(STATUS, status, AGE_BAND, AGE_BANDS[0])
        facts += (
            (TICKET_OPENED_SLOT, created_ms, cuts, 1, 1),
            (BACKLOG_SLOT, created_ms, breakdown_cuts, 1, 1),
            (TICKETS_OF_AGENT_SLOT, created_ms, owner_cuts, 1, 1),
        )
        return
    if ticket.created_by != "agent" or ticket.options.include_agent_created:
        ticket.created_cuts, ticket.owner_cuts = cuts, owner_cuts
        facts += (
            (TICKETS_CREATED_SLOT, created_ms, cuts, 1, 1),
            (TICKETS_OF_AGENT_SLOT, created_ms, owner_cuts, 1, 1),
        )
    else:
        facts.append((TICKETS_LEFT_OUT_SLOT, created_ms, cuts, 1, 1))
    settle(ticket, created_ms)
