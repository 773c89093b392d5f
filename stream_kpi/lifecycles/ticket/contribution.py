"""What a ticket says of itself to its customer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream_kpi.lifecycles.contribution import Contribution, Resolution
from stream_kpi.lifecycles.dimensions import dimensions_of

if TYPE_CHECKING:
    from stream_kpi.lifecycles.ticket.state import TicketState


def contribution_of(ticket: TicketState) -> Contribution | None:
    """Its creation, its first solve if a human made it, and the answers that count by customer. None while it counts
    nowhere; of nobody known, it has no say until there is more than the creation."""
    answers = () if ticket.surveys is None else ticket.surveys.nps_answers
    customer_id, solved = ticket.customer_id, ticket.first_contact is not None
    if ticket.voided or not (customer_id or solved or answers):
        return None
    resolution = None
    if ticket.first_contact is not None:
        dimensions = dimensions_of(ticket.cut_sets, ticket.first_solve_cuts)
        resolution = Resolution(ticket.first_solve_ms, dimensions, ticket.first_contact, ticket.first_reopen_ms)
    return Contribution(customer_id, ticket.created_ms, ticket.created_category, resolution, answers)
