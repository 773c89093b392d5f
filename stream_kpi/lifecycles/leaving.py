"""What is stated when an entity leaves memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream_kpi.lifecycles.entity import facts_of
from stream_kpi.lifecycles.facts import spelled_out
from stream_kpi.measures.compound import RUNS
from stream_kpi.measures.registry import BY_NUMBER, SLOTS_PER_MEASURE, Kind

if TYPE_CHECKING:
    from stream_kpi.lifecycles.entity import Entity
    from stream_kpi.lifecycles.facts import Fact


def leaving(entity: Entity, at_ms: int) -> list[Fact]:
    """Facts by which an entity that is forgotten while open leaves the levels, whose time ends there, and the sets that
    age; what it counted stays counted. A fold may have more to say of it."""
    levels: dict[tuple[int, int], int] = {}
    members: dict[tuple[int, int, int], int] = {}
    if entity.fold.voided:
        return []
    fold, stated = facts_of(entity.new_fold, entity.history, entity.clock_ms)
    last = fold.forgotten(at_ms)
    for slot, _, cuts, value, sign in spelled_out((*stated, *last)):
        kind = BY_NUMBER[slot // SLOTS_PER_MEASURE].kind
        if kind is Kind.LEVEL:
            levels[slot, cuts] = levels.get((slot, cuts), 0) + value * sign
        elif kind is Kind.AGE:
            members[slot, cuts, value] = members.get((slot, cuts, value), 0) + sign
    left: list[Fact] = []
    for (slot, cuts), level in levels.items():
        number, component = divmod(slot, SLOTS_PER_MEASURE)
        if level:
            left.append((RUNS.get(number, BY_NUMBER[number]).slot + component, at_ms, cuts, level, -1))
    left.extend((slot, at_ms, cuts, start, -1) for (slot, cuts, start), count in members.items() if count > 0)
    return last + left
