"""The levels and ages of a ticket: in the backlog, unassigned, unattended, waiting for its first response."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream_kpi.lifecycles.ticket.state import OUT, UNKNOWN_TIME_MS
from stream_kpi.measures.registry import (
    BACKLOG,
    BACKLOG_UNASSIGNED,
    BACKLOG_UNATTENDED,
    OPEN_TICKETS,
    UNANSWERED_TICKETS,
)

if TYPE_CHECKING:
    from stream_kpi.lifecycles.ticket.state import TicketState

AGE_BAND_DUE = 0
"""The kind of due moment at which a ticket grows into its next age band."""

BACKLOG_SLOT = BACKLOG.slot
UNASSIGNED_SLOT = BACKLOG_UNASSIGNED.slot
UNATTENDED_SLOT = BACKLOG_UNATTENDED.slot
OPEN_TICKETS_SLOT = OPEN_TICKETS.slot
UNANSWERED_SLOT = UNANSWERED_TICKETS.slot

HOUR_MS = 3_600_000
AGE_BANDS: tuple[tuple[str, int], ...] = (
    ("0-1h", HOUR_MS),
    ("1-4h", 4 * HOUR_MS),
    ("4-24h", 24 * HOUR_MS),
    ("1-3d", 72 * HOUR_MS),
    ("3-7d", 168 * HOUR_MS),
)
"""(band, age at which it ends, excluded)."""
OLDEST_AGE_BAND = ">7d"


def settle(ticket: TicketState, time_ms: int) -> None:
    """Make the stated levels and ages those of the ticket's present state, from ``time_ms`` on. Nothing is before the
    creation: a clock that runs behind must not let a ticket leave what it has not joined."""
    at_ms = max(time_ms, ticket.created_ms)
    is_open = not ticket.removed and ticket.status not in ticket.options.terminal_statuses
    cuts = ticket.cuts if is_open else OUT
    if cuts != ticket.backlog_cuts:
        _settle_backlog(ticket, at_ms, cuts)
    status_cuts = ticket.cut_sets.only("status", ticket.status) if is_open else OUT
    if status_cuts != ticket.status_cuts:
        _move(ticket, BACKLOG_SLOT, at_ms, ticket.status_cuts, status_cuts)
        ticket.status_cuts = status_cuts

    unassigned = cuts if ticket.assignee is None else OUT
    if unassigned != ticket.unassigned_cuts:
        _move(ticket, UNASSIGNED_SLOT, at_ms, ticket.unassigned_cuts, unassigned)
        ticket.unassigned_cuts = unassigned
    unattended = cuts if ticket.unattended else OUT
    if unattended != ticket.unattended_cuts:
        _move(ticket, UNATTENDED_SLOT, at_ms, ticket.unattended_cuts, unattended)
        ticket.unattended_cuts = unattended

    waits = not ticket.answered and ticket.response_start_ms != UNKNOWN_TIME_MS
    unanswered = ticket.cuts if waits and not ticket.resolved and not ticket.removed else OUT
    if unanswered != ticket.unanswered_cuts:
        _move(ticket, UNANSWERED_SLOT, at_ms, ticket.unanswered_cuts, unanswered, ticket.response_start_ms)
        ticket.unanswered_cuts = unanswered


def grow_older(ticket: TicketState, at_ms: int) -> None:
    """Put the open ticket into the age band of ``at_ms`` and ask for the moment of the next one."""
    age_ms = at_ms - ticket.created_ms
    band, ends_ms = next((band for band in AGE_BANDS if age_ms < band[1]), (OLDEST_AGE_BAND, None))
    cuts = ticket.cut_sets.only("age_band", band)
    _move(ticket, BACKLOG_SLOT, at_ms, ticket.age_band_cuts, cuts)
    ticket.age_band_cuts = cuts
    if ends_ms is not None:
        ticket.schedule(ticket.created_ms + ends_ms, AGE_BAND_DUE)


def _settle_backlog(ticket: TicketState, at_ms: int, cuts: int) -> None:
    stated = ticket.backlog_cuts
    _move(ticket, BACKLOG_SLOT, at_ms, stated, cuts)
    _move(ticket, OPEN_TICKETS_SLOT, at_ms, stated, cuts, ticket.created_ms)
    ticket.backlog_cuts = cuts
    if stated == OUT:
        grow_older(ticket, at_ms)
    elif cuts == OUT:
        ticket.leave(BACKLOG_SLOT, at_ms, ticket.age_band_cuts)
        ticket.age_band_cuts = OUT
        ticket.cancel(AGE_BAND_DUE)


def _move(ticket: TicketState, slot: int, at_ms: int, stated: int, cuts: int, value: int = 1) -> None:
    if stated != OUT:
        ticket.leave(slot, at_ms, stated, value)
    if cuts != OUT:
        ticket.join(slot, at_ms, cuts, value)
