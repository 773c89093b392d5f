"""Durations on the business clock: each schedule counts over the time that it applied to the ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream_kpi.calendars.timeline import Timeline, continued

if TYPE_CHECKING:
    from stream_kpi.calendars.schedule import Schedule
    from stream_kpi.lifecycles.ticket.state import TicketState


def follow_schedule(ticket: TicketState, time_ms: int) -> None:
    """The ticket was created, or its dimensions have changed: from now on their schedule applies. Not to be called
    where the options have no schedules: a ticket has no business clock there, and nothing is stated on one."""
    selection = ticket.options.schedules
    assert selection is not None  # noqa: S101 as promised
    schedule = selection.schedule_of(ticket.group, ticket.channel, ticket.brand)
    ticket.business_clock = continued(ticket.business_clock, time_ms, schedule)


def present_schedule(ticket: TicketState) -> Schedule:
    """The schedule that applies to the ticket now. To be asked after :func:`follow_schedule`."""
    clock = ticket.business_clock
    assert clock is not None  # noqa: S101 as promised
    return clock.last if isinstance(clock, Timeline) else clock


def state_business(ticket: TicketState, slot: int, start_ms: int, end_ms: int, cuts: int) -> None:
    """State the business time of a duration that ends now."""
    clock = ticket.business_clock
    if clock is not None:
        ticket.emit(slot, end_ms, cuts, clock.elapsed_ms(start_ms, end_ms))


def take_back_business(ticket: TicketState, slot: int, start_ms: int, end_ms: int, cuts: int) -> None:
    """Take back what was stated with these arguments: schedules that apply since then do not count towards it."""
    clock = ticket.business_clock
    if clock is not None:
        ticket.take_back(slot, end_ms, cuts, clock.elapsed_ms(start_ms, end_ms))
