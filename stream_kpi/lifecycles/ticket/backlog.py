"""The levels and ages of a ticket: in the backlog, unassigned, unattended, waiting for its first response."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from stream_kpi.lifecycles.ticket.state import OUT, UNKNOWN_TIME_MS
from stream_kpi.measures.registry import (
    BACKLOG,
    BACKLOG_UNASSIGNED,
    BACKLOG_UNATTENDED,
    OPEN_TICKETS,
    UNANSWERED_TICKETS,
)

if TYPE_CHECKING:
    from stream_kpi.lifecycles.facts import Fact
    from stream_kpi.lifecycles.ticket.state import TicketState

AGE_BAND_DUE: Final = 0
"""The kind of due moment at which a ticket grows into its next age band."""

STATUS: Final = "status"
AGE_BAND: Final = "age_band"
"""The dimensions of the backlog's breakdown."""

BACKLOG_SLOT: Final = BACKLOG.slot
UNASSIGNED_SLOT: Final = BACKLOG_UNASSIGNED.slot
UNATTENDED_SLOT: Final = BACKLOG_UNATTENDED.slot
OPEN_TICKETS_SLOT: Final = OPEN_TICKETS.slot
UNANSWERED_SLOT: Final = UNANSWERED_TICKETS.slot

HOUR_MS: Final = 3_600_000
AGE_BANDS: Final = ("0-1h", "1-4h", "4-24h", "1-3d", "3-7d", ">7d")
AGE_BAND_ENDS_MS: Final = (HOUR_MS, 4 * HOUR_MS, 24 * HOUR_MS, 72 * HOUR_MS, 168 * HOUR_MS)
"""The age at which a ticket leaves each band but the last."""


def settle(ticket: TicketState, at_ms: int) -> None:
    """Make the stated levels and ages those of the ticket's present state, from ``at_ms`` on. This and the next two:
    that is not before the creation, as a clock that runs behind must not let a ticket leave what it has not joined."""
    stated = ticket.backlog_cuts
    if ticket.standing.is_open:
        if stated == OUT:
            _join_backlog(ticket, at_ms)
        else:
            _move_within_backlog(ticket, at_ms, stated)
        settle_assignment(ticket, at_ms)
    elif stated != OUT:
        _leave_backlog(ticket, at_ms, stated)
    settle_waiting(ticket, at_ms)


def settle_assignment(ticket: TicketState, at_ms: int) -> None:
    """:func:`settle` when nothing but the assignee can have changed."""
    cuts = ticket.backlog_cuts if ticket.assignee is None else OUT
    stated = ticket.unassigned_cuts
    if cuts != stated:
        _move(ticket.facts, UNASSIGNED_SLOT, at_ms, stated, cuts)
        ticket.unassigned_cuts = cuts


def settle_waiting(ticket: TicketState, at_ms: int) -> None:
    """:func:`settle` when nothing but what the customer waits for can have changed."""
    cuts = ticket.backlog_cuts if ticket.unattended else OUT
    stated = ticket.unattended_cuts
    if cuts != stated:
        _move(ticket.facts, UNATTENDED_SLOT, at_ms, stated, cuts)
        ticket.unattended_cuts = cuts
    stated = ticket.unanswered_cuts
    if stated == OUT and ticket.answered:
        return  # as it is after the first response, and stays
    start_ms = ticket.response_start_ms
    waits = not (ticket.answered or start_ms == UNKNOWN_TIME_MS or ticket.resolved or ticket.standing.removed)
    cuts = ticket.cuts if waits else OUT
    if cuts != stated:
        _move(ticket.facts, UNANSWERED_SLOT, at_ms, stated, cuts, start_ms)
        ticket.unanswered_cuts = cuts


def grow_older(ticket: TicketState, at_ms: int) -> None:
    """Move the open ticket to the age band of ``at_ms`` and ask for the moment of the next one."""
    only, stated = ticket.cut_sets.only, ticket.age_band
    _enter_age_band(ticket, at_ms)
    _move(ticket.facts, BACKLOG_SLOT, at_ms, only(AGE_BAND, stated), only(AGE_BAND, ticket.age_band))


def ages(ticket: TicketState) -> list[Fact]:
    """The facts by which the ticket stands in the sets that age now."""
    created_ms, start_ms = ticket.created_ms, ticket.response_start_ms
    facts: list[Fact] = []
    if ticket.backlog_cuts != OUT:
        facts.append((OPEN_TICKETS_SLOT, created_ms, ticket.backlog_cuts, created_ms, 1))
    if ticket.unanswered_cuts != OUT:
        facts.append((UNANSWERED_SLOT, start_ms, ticket.unanswered_cuts, start_ms, 1))
    return facts


def _join_backlog(ticket: TicketState, at_ms: int) -> None:
    ticket.backlog_cuts = cuts = ticket.cuts
    ticket.backlog_status = ticket.standing.status
    _enter_age_band(ticket, at_ms)
    ticket.facts += (
        (BACKLOG_SLOT, at_ms, _with_breakdown(ticket, cuts), 1, 1),
        (OPEN_TICKETS_SLOT, at_ms, cuts, ticket.created_ms, 1),
    )


def _move_within_backlog(ticket: TicketState, at_ms: int, stated: int) -> None:
    cuts = ticket.cuts
    if cuts != stated:
        _move(ticket.facts, BACKLOG_SLOT, at_ms, stated, cuts)
        _move(ticket.facts, OPEN_TICKETS_SLOT, at_ms, stated, cuts, ticket.created_ms)
        ticket.backlog_cuts = cuts
    status = ticket.standing.status
    if status != ticket.backlog_status:
        only = ticket.cut_sets.only
        _move(ticket.facts, BACKLOG_SLOT, at_ms, only(STATUS, ticket.backlog_status), only(STATUS, status))
        ticket.backlog_status = status


def _leave_backlog(ticket: TicketState, at_ms: int, stated: int) -> None:
    """Leave the backlog, and what only a ticket of the backlog is in."""
    facts = ticket.facts
    facts.append((BACKLOG_SLOT, at_ms, _with_breakdown(ticket, stated), 1, -1))
    facts.append((OPEN_TICKETS_SLOT, at_ms, stated, ticket.created_ms, -1))
    ticket.backlog_cuts = OUT
    ticket.cancel(AGE_BAND_DUE)
    if ticket.unassigned_cuts != OUT:
        facts.append((UNASSIGNED_SLOT, at_ms, ticket.unassigned_cuts, 1, -1))
        ticket.unassigned_cuts = OUT


def _with_breakdown(ticket: TicketState, cuts: int) -> int:
    cut_sets = ticket.cut_sets
    return cut_sets.pair(cuts, cut_sets.only_both(STATUS, ticket.backlog_status, AGE_BAND, ticket.age_band))


def _enter_age_band(ticket: TicketState, at_ms: int) -> None:
    created_ms = ticket.created_ms
    band = 0 if at_ms == created_ms else bisect_right(AGE_BAND_ENDS_MS, at_ms - created_ms)
    ticket.age_band = AGE_BANDS[band]
    if band < len(AGE_BAND_ENDS_MS):
        ticket.schedule(created_ms + AGE_BAND_ENDS_MS[band], AGE_BAND_DUE)


def _move(facts: list[Fact], slot: int, at_ms: int, stated: int, cuts: int, value: int = 1) -> None:
    # As join and leave do, without the calls: half of all facts come from here.
    if stated != OUT:
        facts.append((slot, at_ms, stated, value, -1))
    if cuts != OUT:
        facts.append((slot, at_ms, cuts, value, 1))
