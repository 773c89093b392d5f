"""Facts by which one entity counts once in a window, in every kind of window, exactly and with integers only.

Component 0 of a measure stands at the latest occurrence and is taken back when a later one comes: its sum over a window
that ends now is the number of entities with an occurrence in it. Windows with fixed bounds have a component each, which
is stated at the first occurrence in the window.
"""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo

from stream_kpi.lifecycles.facts import Fact
from stream_kpi.lifecycles.history import NEVER_MS
from stream_kpi.measures.registry import DISTINCT_PARTS
from stream_kpi.windows.zones import floor_1h, floor_5m, floor_day, floor_month

NOT_YET_MS: Final = -NEVER_MS
"""The time of what has not occurred."""

Starts = tuple[tuple[int, int], ...]
"""``(component, start)`` of the windows with fixed bounds that hold an instant."""


def starts_at(time_ms: int, zone: ZoneInfo) -> Starts:
    """The windows that hold an instant."""
    starts_ms = (floor_5m(time_ms), floor_1h(time_ms, zone), floor_day(time_ms, zone), floor_month(time_ms, zone))
    return tuple(zip(range(1, 1 + len(DISTINCT_PARTS)), starts_ms, strict=True))


def occurred(facts: list[Fact], slot: int, cuts: int, before_ms: int, time_ms: int, starts: Starts) -> None:
    """State an occurrence that follows one at ``before_ms``."""
    if before_ms != time_ms:
        if before_ms != NOT_YET_MS:
            facts.append((slot, before_ms, cuts, 1, -1))
        facts.append((slot, time_ms, cuts, 1, 1))
    facts += [(slot + part, time_ms, cuts, 1, 1) for part, start_ms in starts if before_ms < start_ms]


def both_occurred(
    facts: list[Fact], slot: int, cuts: int, before_ms: int, time_ms: int, other_ms: int, starts: Starts
) -> None:
    """State what has two sides, of which one occurs now and before at ``before_ms``, the other last at ``other_ms``.
    The earlier of both sides' latest occurrences is when both have occurred since."""
    if other_ms == NOT_YET_MS:
        return
    was_ms = min(before_ms, other_ms)
    if was_ms != other_ms:
        if was_ms != NOT_YET_MS:
            facts.append((slot, was_ms, cuts, 1, -1))
        facts.append((slot, other_ms, cuts, 1, 1))
    facts += [(slot + part, time_ms, cuts, 1, 1) for part, start_ms in starts if before_ms < start_ms <= other_ms]
