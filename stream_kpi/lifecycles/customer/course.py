"""How an MRR has gone, and what of a window's first MRR is left at its end: the facts of net and gross retention.

A month counts that by measures of its own, which change with the MRR and start from 0. Windows that end now, of more
than a day, ask for today's MRR of those who paid at their start, whenever that is: each change of the MRR restates the
whole past, hour by hour. So a change takes as long as there are hours with changes before it. A whole history at once
states only what its last change leaves of the past: it takes as long as it has changes, not their square.
"""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from stream_kpi.lifecycles.facts import Fact
from stream_kpi.lifecycles.history import NEVER_MS
from stream_kpi.measures import registry
from stream_kpi.windows.zones import HOUR_MS, floor_day, floor_month

BELOW_ZERO_SLOT: Final = registry.MRR_BELOW_ZERO.slot
CHANGE_MONTH_SLOT: Final = registry.MRR_CHANGE_MONTH.slot
LOST_MONTH_SLOT: Final = registry.MRR_LOST_MONTH.slot
OF_PAST_PAYERS_SLOT: Final = registry.MRR_OF_PAST_PAYERS.slot
LOST_SINCE_SLOT: Final = registry.MRR_LOST_SINCE.slot


class Course(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """How the MRR of a customer, or of one plan of it, has gone in one currency."""

    instants_ms: tuple[int, ...] = ()
    """Ascending, no two in one hour (UTC) of one local day: the windows that ask for it start with either, and a loop
    that changes a subscription all the time must not make every change dearer than the one before."""
    amounts: tuple[int, ...] = ()
    """What it had come to at the end of each of those hours, so far; before the first one it was 0."""
    month_ms: int = -NEVER_MS
    """The start of the month of the last step."""
    month_amount: int = 0
    """The MRR at that start."""


BEFORE_ALL: Final = Course()


def turn(
    course: Course, after: int, instant_ms: int, currency: int, cuts: int, zone: ZoneInfo, facts: list[Fact]
) -> Course:
    """Let the MRR be another one, ``after``, from an instant later than all before: state what that changes but for the
    past, which :func:`restate` does, and return the course with this step."""
    instants_ms, amounts, at_start = course.instants_ms, course.amounts, course.month_amount
    before = amounts[-1] if amounts else 0
    month_ms = floor_month(instant_ms, zone)
    if month_ms != course.month_ms:
        at_start = before
    if before < 0 or after < 0:
        facts.append((BELOW_ZERO_SLOT + currency, instant_ms, cuts, min(after, 0) - min(before, 0), 1))
    if at_start > 0:
        facts.append((CHANGE_MONTH_SLOT + currency, instant_ms, cuts, after - before, 1))
        if at_start > after or at_start > before:
            lost = max(at_start - after, 0) - max(at_start - before, 0)
            facts.append((LOST_MONTH_SLOT + currency, instant_ms, cuts, lost, 1))
    if (
        amounts
        and instants_ms[-1] // HOUR_MS == instant_ms // HOUR_MS
        and floor_day(instants_ms[-1], zone) == floor_day(instant_ms, zone)
    ):
        return Course(instants_ms, (*amounts[:-1], after), month_ms, at_start)
    return Course((*instants_ms, instant_ms), (*amounts, after), month_ms, at_start)


def restate(before: Course, after: Course, currency: int, cuts: int, facts: list[Fact]) -> None:
    """Take back what ``before`` says of the past and state what ``after`` says of it, where they differ. ``before`` is
    ``after`` without its last step, or nothing: then this is all that ``after`` says."""
    amounts, were = after.amounts, before.amounts
    now, was_now = amounts[-1], were[-1] if were else 0
    if len(amounts) == 1:  # all within one hour, as often as not: nothing is lost since then
        slot, start_ms = OF_PAST_PAYERS_SLOT + currency, after.instants_ms[0]
        if now != was_now:
            if was_now > 0:
                facts.append((slot, start_ms, cuts, was_now, -1))
            if now > 0:
                facts.append((slot, start_ms, cuts, now, 1))
        return
    # After its last step, `before` stays as that left it.
    were = (*were, was_now) if were else (0,) * len(amounts)
    # Both levels in the hours before, as they are and as they were; by how much they change, one and the other.
    kept = was_kept = lost = was_lost = 0
    for start_ms, amount, was in zip(after.instants_ms, amounts, were, strict=False):
        change = (now if amount > 0 else 0) - kept
        was_change = (was_now if was > 0 else 0) - was_kept
        if change != was_change:
            if was_change:
                facts.append((OF_PAST_PAYERS_SLOT + currency, start_ms, cuts, was_change, -1))
            if change:
                facts.append((OF_PAST_PAYERS_SLOT + currency, start_ms, cuts, change, 1))
        kept += change
        was_kept += was_change
        change = (amount - now if amount > now and amount > 0 else 0) - lost
        was_change = (was - was_now if was > was_now and was > 0 else 0) - was_lost
        if change != was_change:
            if was_change:
                facts.append((LOST_SINCE_SLOT + currency, start_ms, cuts, was_change, -1))
            if change:
                facts.append((LOST_SINCE_SLOT + currency, start_ms, cuts, change, 1))
        lost += change
        was_lost += was_change
