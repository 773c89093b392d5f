"""One entity: its history, and the engine that makes arrival order irrelevant.

In order, an event is one step of the fold. Out of order - before the last event, or at or before a moment that has
already fired - the history is folded again with and without the event, and the difference of the facts leaves. A
property test holds the two ways equal.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable

from stream_kpi.lifecycles.facts import Fact, difference
from stream_kpi.lifecycles.fold import NEVER_MS, Fold, HistoryEvent


def facts_of(new_fold: Callable[[], Fold], history: Iterable[HistoryEvent], clock_ms: int) -> tuple[Fold, list[Fact]]:
    """Fold a sorted history from the start up to ``clock_ms``: the fold, and all facts (none while voided)."""
    fold = new_fold()
    facts: list[Fact] = []
    for event in history:
        fold.fire_until(event.time_ms, inclusive=False)
        fold.on_event(event)
    fold.fire_until(clock_ms, inclusive=True)
    facts, fold.facts = fold.facts, []
    return fold, [] if fold.voided else facts


class Entity:
    """A ticket, chat or customer in memory.

    ``apply`` and ``advance`` return the facts to pass on; what was passed on before plus these is always exactly what
    a fold of the whole sorted history up to ``clock_ms`` gives.
    """

    __slots__ = ("clock_ms", "fold", "history", "new_fold", "uids", "wake_ms")

    def __init__(
        self, new_fold: Callable[[], Fold], history: list[HistoryEvent] | None = None, clock_ms: int = -NEVER_MS
    ) -> None:
        self.new_fold = new_fold
        self.history = history if history is not None else []
        self.uids = {event.uid for event in self.history}
        self.clock_ms = clock_ms
        self.wake_ms = NEVER_MS
        """When the shard looks at it again unasked (due moment or eviction): its one entry in the shard's heap."""
        self.fold = facts_of(new_fold, self.history, clock_ms)[0]

    def apply(self, event: HistoryEvent, clock_ms: int) -> list[Fact] | None:
        """Take an event in at the partition's clock (>= the event's time). None: a duplicate, nothing changed."""
        if event.uid in self.uids:
            return None
        self.uids.add(event.uid)
        fold = self.fold
        history = self.history
        in_order = not history or (event.order > history[-1].order and event.time_ms > fold.last_due_ms)
        if not in_order or fold.voided:
            return self._refold(event, clock_ms)
        fold.fire_until(event.time_ms, inclusive=False)
        fold.on_event(event)
        if fold.voided:  # everything that the entity stated is to be taken back: the fold keeps no list of it
            return self._refold(event, clock_ms)
        history.append(event)
        return self.advance(clock_ms)

    def advance(self, clock_ms: int) -> list[Fact]:
        """Let the moments up to ``clock_ms`` come."""
        fold = self.fold
        self.clock_ms = max(self.clock_ms, clock_ms)
        fold.fire_until(self.clock_ms, inclusive=True)
        facts, fold.facts = fold.facts, []
        return [] if fold.voided else facts

    def _refold(self, event: HistoryEvent, clock_ms: int) -> list[Fact]:
        before = facts_of(self.new_fold, self.history, self.clock_ms)[1]
        insort(self.history, event, key=lambda e: e.order)
        self.clock_ms = max(self.clock_ms, clock_ms)
        self.fold, after = facts_of(self.new_fold, self.history, self.clock_ms)
        return difference(after, before)
