"""Who starts or stops paying, and the whole paying history of those who pay: the facts that say so."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from stream_kpi.lifecycles.facts import Fact
from stream_kpi.measures import registry
from stream_kpi.windows.zones import floor_1h, floor_5m, floor_day, floor_month

CUSTOMERS_SLOT: Final = registry.CUSTOMERS.slot
PAST_OF_ACTIVE_SLOT: Final = registry.PAST_OF_ACTIVE.slot

LOST_IN_WINDOW: Final[tuple[tuple[int, Callable[[int, ZoneInfo], int]], ...]] = (
    (registry.CUSTOMERS_LOST_5M.slot, lambda time_ms, _zone: floor_5m(time_ms)),
    (registry.CUSTOMERS_LOST_1H.slot, floor_1h),
    (registry.CUSTOMERS_LOST_1D.slot, floor_day),
    (registry.CUSTOMERS_LOST_MONTH.slot, floor_month),
)
"""The measure of each kind of window, and where the window that holds an instant starts."""


def flip(time_ms: int, switches: Sequence[int], cuts: int, zone: ZoneInfo, facts: list[Fact]) -> None:
    """State that a customer, a plan of it, or both at once start or stop paying at ``time_ms``, after having done so
    in turn at ``switches``; the history is for :func:`restate_history`."""
    if len(switches) % 2:
        _stop(time_ms, switches, cuts, zone, facts)
    else:
        _start(time_ms, switches, cuts, zone, facts)


def _start(time_ms: int, switches: Sequence[int], cuts: int, zone: ZoneInfo, facts: list[Fact]) -> None:
    facts.append((CUSTOMERS_SLOT, time_ms, cuts, 1, 1))
    if switches:
        for slot, start_of in LOST_IN_WINDOW:
            start_ms = start_of(switches[-1], zone)
            if start_of(time_ms, zone) == start_ms and _paid_before(switches, start_ms):
                facts.append((slot, switches[-1], cuts, 1, -1))


def _stop(time_ms: int, switches: Sequence[int], cuts: int, zone: ZoneInfo, facts: list[Fact]) -> None:
    facts.append((CUSTOMERS_SLOT, time_ms, cuts, 1, -1))
    for slot, start_of in LOST_IN_WINDOW:
        if _paid_before(switches, start_of(time_ms, zone)):
            facts.append((slot, time_ms, cuts, 1, 1))


def restate_history(before: Sequence[int], after: Sequence[int], cuts: int, facts: list[Fact]) -> None:
    """Take back what is stated of one paying history, and state the other: of those who do not pay, nothing is."""
    if len(before) % 2:
        _history(before, cuts, -1, facts)
    if len(after) % 2:
        _history(after, cuts, 1, facts)


def _history(switches: Sequence[int], cuts: int, sign: int, facts: list[Fact]) -> None:
    for switched_ms in switches:
        facts.append((PAST_OF_ACTIVE_SLOT, switched_ms, cuts, 1, sign))
        sign = -sign


def _paid_before(switches: Sequence[int], instant_ms: int) -> bool:
    """Whether the customer paid just before an instant: windows are [start, end), and so is what they start from."""
    return bool(bisect_left(switches, instant_ms) % 2)
