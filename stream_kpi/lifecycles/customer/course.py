"""How an MRR has gone, and what of a window's first MRR is left at its end: the facts of net and gross retention.

A month counts that by measures of its own, which change with the MRR and start from 0. Windows that end now, of more
than a day, ask for today's MRR of those who paid at their start, whenever that is: each change of the MRR restates the
whole past, hour by hour.
"""

from __future__ import annotations

from typing import NamedTuple
from zoneinfo import ZoneInfo

from stream_kpi.lifecycles.facts import Fact
from stream_kpi.lifecycles.history import NEVER_MS
from stream_kpi.measures import registry
from stream_kpi.windows.zones import HOUR_MS, floor_month

BELOW_ZERO_SLOT = registry.MRR_BELOW_ZERO.slot
CHANGE_MONTH_SLOT = registry.MRR_CHANGE_MONTH.slot
LOST_MONTH_SLOT = registry.MRR_LOST_MONTH.slot
OF_PAST_PAYERS_SLOT = registry.MRR_OF_PAST_PAYERS.slot
LOST_SINCE_SLOT = registry.MRR_LOST_SINCE.slot


class Course(NamedTuple):
    """How the MRR of a customer, or of one plan of it, has gone in one currency."""

    instants_ms: tuple[int, ...] = ()
    """Ascending, no two in one hour (UTC): the windows that ask for it start with an hour, and a loop that changes a
    subscription all the time must not make every change dearer than the one before."""
    amounts: tuple[int, ...] = ()
    """What it had come to at the end of each of those hours, so far; before the first one it was 0."""
    month_ms: int = -NEVER_MS
    """The start of the month of the last step."""
    month_amount: int = 0
    """The MRR at that start."""


BEFORE_ALL = Course()


def turn(
    course: Course, after: int, instant_ms: int, currency: int, cuts: int, zone: ZoneInfo, facts: list[Fact]
) -> Course:
    """Let the MRR be another one, ``after``, from an instant later than all before: state what that changes, and
    return the course with this step."""
    instants_ms, amounts, last_month_ms, at_start = course
    before = amounts[-1] if amounts else 0
    month_ms = floor_month(instant_ms, zone)
    if month_ms != last_month_ms:
        at_start = before
    if before < 0 or after < 0:
        facts.append((BELOW_ZERO_SLOT + currency, instant_ms, cuts, min(after, 0) - min(before, 0), 1))
    if at_start > 0:
        facts.append((CHANGE_MONTH_SLOT + currency, instant_ms, cuts, after - before, 1))
        if at_start > after or at_start > before:
            lost = max(at_start - after, 0) - max(at_start - before, 0)
            facts.append((LOST_MONTH_SLOT + currency, instant_ms, cuts, lost, 1))
    if amounts and instants_ms[-1] // HOUR_MS == instant_ms // HOUR_MS:
        instant_ms = instants_ms[-1]
        instants_ms, amounts = instants_ms[:-1], amounts[:-1]
    kept = lost = 0
    if amounts:
        kept, lost = _restate_past(Course(instants_ms, amounts), before, after, currency, cuts, facts)
    pays = max(after, 0) - max(before, 0)
    if pays != kept:
        facts.append((OF_PAST_PAYERS_SLOT + currency, instant_ms, cuts, pays - kept, 1))
    if lost:
        facts.append((LOST_SINCE_SLOT + currency, instant_ms, cuts, -lost, 1))
    return Course((*instants_ms, instant_ms), (*amounts, after), month_ms, at_start)


def _restate_past(
    course: Course, before: int, after: int, currency: int, cuts: int, facts: list[Fact]
) -> tuple[int, int]:
    """Bring the two levels over the past from what they are with an MRR of ``before`` to what they are with one of
    ``after``. Returns by how much each differs from the last step on."""
    change = after - before
    low = min(before, after)
    kept = lost = 0
    for start_ms, amount in zip(course.instants_ms, course.amounts, strict=True):
        now_kept = change if amount > 0 else 0
        if now_kept != kept:
            facts.append((OF_PAST_PAYERS_SLOT + currency, start_ms, cuts, now_kept - kept, 1))
            kept = now_kept
        now_lost = 0
        if amount > low and amount > 0:
            now_lost = (amount - after if amount > after else 0) - (amount - before if amount > before else 0)
        if now_lost != lost:
            facts.append((LOST_SINCE_SLOT + currency, start_ms, cuts, now_lost - lost, 1))
            lost = now_lost
    return kept, lost
