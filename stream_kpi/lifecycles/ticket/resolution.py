"""Solves and reopens: resolution times, the reopen cohort, first contact resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stream_kpi.lifecycles.facts import spelled_out
from stream_kpi.lifecycles.ticket.backlog import settle
from stream_kpi.lifecycles.ticket.business_time import state_business, take_back_business
from stream_kpi.lifecycles.ticket.first_contact import IS_FIRST_CONTACT
from stream_kpi.lifecycles.ticket.first_response import expect_anew, on_bot_solve
from stream_kpi.lifecycles.ticket.replies import end_turn
from stream_kpi.lifecycles.ticket.state import UNKNOWN_TIME_MS
from stream_kpi.measures import compound
from stream_kpi.measures.registry import (
    COHORT_REOPENS,
    COHORT_SOLVES,
    LATER_SOLVES,
    REOPENS,
    RESOLUTION_FIRST_BUSINESS,
    RESOLUTION_FULL,
    RESOLUTION_FULL_BUSINESS,
    SOLVED_IN_24H,
    TOUCHES,
)

if TYPE_CHECKING:
    from stream_kpi.lifecycles.ticket.events import Status
    from stream_kpi.lifecycles.ticket.state import TicketState

COHORT_DUE: Final = 1
"""The kind of due moment at which it is decided whether the first solve has held."""
SOLVED_24H_DUE: Final = 2
"""The kind of due moment at which the first solve is no longer one of the trailing 24 hours."""
DAY_MS: Final = 86_400_000

HUMANS: Final = frozenset({"agent", "customer"})
UNATTENDED_ACTORS: Final = frozenset({"automation", "system"})

COHORT_REOPENS_SLOT: Final = COHORT_REOPENS.slot
COHORT_SOLVES_SLOT: Final = COHORT_SOLVES.slot
FIRST_CONTACT_SOLVE_SLOT: Final = compound.FIRST_CONTACT_SOLVE.slot
FIRST_RESOLUTION_SLOT: Final = compound.FIRST_RESOLUTION.slot
FIRST_SOLVE_SLOT: Final = compound.FIRST_SOLVE.slot
FIRST_SOLVE_BY_HUMAN_SLOT: Final = compound.FIRST_SOLVE_BY_HUMAN.slot
RESOLUTION_FIRST_BUSINESS_SLOT: Final = RESOLUTION_FIRST_BUSINESS.slot
LATER_SOLVES_SLOT: Final = LATER_SOLVES.slot
REOPENS_SLOT: Final = REOPENS.slot
RESOLUTION_FULL_BUSINESS_SLOT: Final = RESOLUTION_FULL_BUSINESS.slot
RESOLUTION_FULL_SLOT: Final = RESOLUTION_FULL.slot
SOLVED_IN_24H_SLOT = SOLVED_IN_24H.slot
TOUCHES_SLOT: Final = TOUCHES.slot


def on_solve(ticket: TicketState, event: Status, at_ms: int) -> None:
    """The ticket was solved, or closed without having been solved: that counts from ``at_ms`` on."""
    time_ms, actor = event.time_ms, event.actor
    ticket.resolved = True
    end_turn(ticket)
    # First of all: what is due of a ticket in the backlog is cancelled before anything else is due.
    settle(ticket, at_ms)
    if actor == "bot":
        on_bot_solve(ticket, time_ms)
    # The customer's own id is no agent's: a ticket that a customer solves is its assignee's work.
    ticket.solver = solver = (event.actor_id if actor != "customer" else None) or ticket.assignee
    cuts = ticket.cuts | ticket.cut_sets.agents[solver]
    if ticket.options.auto_resolve_counts or actor not in UNATTENDED_ACTORS:
        duration_ms = ticket.duration_ms(ticket.created_ms, time_ms)
        is_first = not ticket.resolution_first_stated
        slot = FIRST_RESOLUTION_SLOT if is_first else RESOLUTION_FULL_SLOT
        ticket.facts.append((slot, time_ms, cuts, duration_ms, 1))
        ticket.resolution_first_stated = True
        ticket.full_resolution = (time_ms, cuts, duration_ms)
        if ticket.business_clock is not None:
            state_business(ticket, RESOLUTION_FULL_BUSINESS_SLOT, ticket.created_ms, time_ms, cuts)
            if is_first:
                state_business(ticket, RESOLUTION_FIRST_BUSINESS_SLOT, ticket.created_ms, time_ms, cuts)
    if ticket.first_solve_ms == UNKNOWN_TIME_MS:
        _first_solve(ticket, event, at_ms, cuts)
    else:
        ticket.emit(LATER_SOLVES_SLOT, time_ms, cuts)


def on_reopen(ticket: TicketState, time_ms: int) -> None:
    """The solve did not hold."""
    ticket.resolved = False
    expect_anew(ticket, time_ms)
    if ticket.first_reopen_ms is None:
        ticket.first_reopen_ms = time_ms
    ticket.emit(REOPENS_SLOT, time_ms, ticket.cuts)
    if ticket.full_resolution is not None:
        ticket.take_back(RESOLUTION_FULL_SLOT, *ticket.full_resolution)
        solve_ms, cuts, _ = ticket.full_resolution
        take_back_business(ticket, RESOLUTION_FULL_BUSINESS_SLOT, ticket.created_ms, solve_ms, cuts)
        ticket.full_resolution = None
    if time_ms <= ticket.first_solve_ms + ticket.options.reopen_window_ms:
        ticket.reopened_in_window = True


def on_cohort_due(ticket: TicketState) -> None:
    """The time in which a reopen counts has passed since the first solve."""
    ticket.emit(COHORT_SOLVES_SLOT, ticket.first_solve_ms, ticket.first_solve_cuts)
    if ticket.reopened_in_window:
        ticket.emit(COHORT_REOPENS_SLOT, ticket.first_solve_ms, ticket.first_solve_cuts)


def on_solved_24h_ago(ticket: TicketState, due_ms: int) -> None:
    """A day has passed since the first solve, or since the creation if that is later."""
    cohort_due_ms = ticket.first_solve_ms + ticket.options.reopen_window_ms
    if cohort_due_ms >= due_ms:
        ticket.schedule(cohort_due_ms, COHORT_DUE)
    ticket.leave(SOLVED_IN_24H_SLOT, due_ms, ticket.first_solve_cuts)


def _first_solve(ticket: TicketState, event: Status, at_ms: int, cuts: int) -> None:
    facts, options, time_ms = ticket.facts, ticket.options, event.time_ms
    ticket.first_solve_ms = time_ms
    ticket.first_solve_cuts = cuts
    slot = FIRST_SOLVE_SLOT
    if event.actor in HUMANS:
        ticket.first_contact = IS_FIRST_CONTACT[options.fcr_rule](ticket)
        slot = FIRST_CONTACT_SOLVE_SLOT if ticket.first_contact else FIRST_SOLVE_BY_HUMAN_SLOT
    if at_ms == time_ms:
        facts.append((slot, time_ms, cuts, 1, 1))
    else:  # among the trailing 24 hours' only from its creation on
        facts += [
            (part, at_ms if part == SOLVED_IN_24H_SLOT else time_ms, cuts, 1, 1)
            for part, *_ in spelled_out([(slot, time_ms, cuts, 1, 1)])
        ]
    cohort_due_ms, day_later_ms = time_ms + options.reopen_window_ms, at_ms + DAY_MS
    ticket.schedule(day_later_ms, SOLVED_24H_DUE)
    if cohort_due_ms < day_later_ms:  # else that moment asks for it: nearly always
        ticket.schedule(cohort_due_ms, COHORT_DUE)
    if ticket.touches:
        facts.append((TOUCHES_SLOT, time_ms, cuts, ticket.touches, 1))
