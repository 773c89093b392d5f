"""One entity: its history, and the engine that makes arrival order irrelevant.

In order, an event is one step of the fold. Out of order - before the last event, or at or before a moment that has
already fired - the history is folded again with and without the event, and the difference of the facts leaves. A
property test holds the two ways equal.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from typing import TYPE_CHECKING

from stream_kpi.lifecycles.facts import Fact, difference
from stream_kpi.lifecycles.fold import Fold
from stream_kpi.lifecycles.history import NEVER_MS, HistoryEvent
from stream_kpi.lifecycles.sla.transition import Transition, corrections

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def facts_of(new_fold: Callable[[], Fold], history: Iterable[HistoryEvent], clock_ms: int) -> tuple[Fold, list[Fact]]:
    """Fold a sorted history from the start up to ``clock_ms``: the fold, and all facts (none while voided)."""
    fold = new_fold()
    facts = fold.facts = []
    fold.replay()
    for event in history:
        if not event.opens:
            fold.fire_until(event.time_ms, inclusive=False)
        fold.on_event(event)
    fold.fire_until(clock_ms, inclusive=True)
    fold.replayed(clock_ms)
    return fold, [] if fold.voided else facts


class Entity:
    """A ticket, chat or customer in memory.

    ``apply`` and ``advance`` return the facts to pass on; what was passed on before plus these is always exactly what
    a fold of the whole sorted history up to ``clock_ms`` gives.
    """

    __slots__ = ("clock_ms", "contributed", "dirty", "events", "fold", "key", "last", "new_fold", "wake_ms")

    def __init__(
        self,
        new_fold: Callable[[], Fold],
        history: list[HistoryEvent] | None = None,
        clock_ms: int = -NEVER_MS,
        key: str = "",
    ) -> None:
        """Take over a sorted history whose facts up to ``clock_ms`` have been passed on."""
        self.new_fold = new_fold
        self.clock_ms = clock_ms
        self.events: dict[str, HistoryEvent] = {}
        """The history by uid, sorted. One dictionary tells duplicates and keeps the order; the cycle collector does
        not track it, as it holds nothing that it tracks: a list and a set an entity cost a tenth of all CPU."""
        self.last: HistoryEvent | None = None
        """The last event of the history."""
        if history:
            self._keep(history)
            self.fold = facts_of(new_fold, history, clock_ms)[0]
            self.fold.problems = self.fold.spent = self.fold.transitions = ()
        else:
            self.fold = new_fold()
        # For the holder of many entities:
        self.key = key
        self.contributed = self.fold.contribution() if history else None
        """What it has said of itself to its customer."""
        self.wake_ms = NEVER_MS
        """When it is going to call :meth:`advance` next."""
        self.dirty = False
        """Whether it has changed since it was last written."""

    @property
    def history(self) -> list[HistoryEvent]:
        """All events, sorted."""
        return list(self.events.values())

    def apply(self, event: HistoryEvent, clock_ms: int, onto: list[Fact] | None = None) -> list[Fact] | None:
        """Take an event in at the partition's clock (>= the event's time), in place of one that it replaces. None: a
        duplicate, nothing changed.

        The facts are appended to ``onto``, which is returned: a list an event would cost more than most facts do.
        """
        uid = event.uid
        events = self.events
        facts = [] if onto is None else onto
        if uid in events:
            return self._replace(events[uid], event, clock_ms, facts)
        stated = len(facts)
        fold = self.fold
        fold.facts = facts
        last = self.last
        if last is not None:
            time_ms = event.time_ms
            if event.opens or time_ms <= fold.last_due_ms or (time_ms <= last.time_ms and event.order < last.order):
                facts += self._refold(event, clock_ms)
                return facts
            if fold.soonest_ms < time_ms:
                fold.fire_until(time_ms, inclusive=False)
            voided = fold.voided
            fold.on_event(event)
            if fold.voided is not voided:  # all that it stated goes or comes back: the fold keeps no list of it
                del facts[stated:]
                facts += self._refold(event, clock_ms)
                return facts
        else:
            fold.on_event(event)
            voided = fold.voided
        events[uid] = event
        self.last = event
        if fold.spent:
            self._drop_spent()
        if clock_ms > self.clock_ms:
            self.clock_ms = clock_ms
        else:
            clock_ms = self.clock_ms
        if fold.soonest_ms <= clock_ms:
            fold.fire_until(clock_ms, inclusive=True)
        if voided:
            del facts[stated:]
        return facts

    def advance(self, clock_ms: int) -> list[Fact]:
        """Let the moments up to ``clock_ms`` come."""
        fold = self.fold
        facts = fold.facts = []
        if clock_ms > self.clock_ms:  # noqa: PLR1730 - max() takes three times as long, at every event
            self.clock_ms = clock_ms
        if fold.soonest_ms <= self.clock_ms:
            fold.fire_until(self.clock_ms, inclusive=True)
        return [] if fold.voided else facts

    def take_problems(self) -> list[str]:
        """The data problems met since the last call; to be called after each ``apply``."""
        problems, self.fold.problems = self.fold.problems, ()
        return list(problems)

    def take_transitions(self) -> tuple[Transition, ...]:
        """What is to be told of its service levels since the last call; to be called after each ``apply`` and
        ``advance``. What was told before plus this is what a fold of the whole history tells."""
        transitions, self.fold.transitions = self.fold.transitions, ()
        return transitions

    def keep_last(self, count: int) -> None:
        """Forget all events but the last ones; for folds that go on from these as from all."""
        self._keep(self.history[-count:])

    def _keep(self, history: list[HistoryEvent]) -> None:
        self.events = {event.uid: event for event in history}
        self.last = history[-1]

    def _drop_spent(self) -> None:
        for uid in self.fold.spent:
            del self.events[uid]
        self.fold.spent = ()

    def _replace(self, known: HistoryEvent, event: HistoryEvent, clock_ms: int, facts: list[Fact]) -> list[Fact] | None:
        if not event.replaces(known):
            return None
        fold = self.fold
        fold.facts = facts
        if not fold.replace(known, event):
            facts += self._refold(event, clock_ms)
            return facts
        self.events[event.uid] = event  # in its place
        if self.last is known:
            self.last = event
        self._drop_spent()
        self.clock_ms = max(self.clock_ms, clock_ms)
        fold.fire_until(self.clock_ms, inclusive=True)
        return facts

    def _refold(self, event: HistoryEvent, clock_ms: int) -> list[Fact]:
        history = self.history
        fold_before, before = facts_of(self.new_fold, history, self.clock_ms)
        if event.uid in self.events:
            history.remove(self.events[event.uid])
        insort(history, event, key=lambda e: e.order)
        self._keep(history)
        self.clock_ms = max(self.clock_ms, clock_ms)
        self.fold, after = facts_of(self.new_fold, history, self.clock_ms)
        self._drop_spent()
        self.fold.problems = tuple((Counter(self.fold.problems) - Counter(fold_before.problems)).elements())
        if self.fold.transitions or fold_before.transitions:
            self.fold.transitions = corrections(self.fold.transitions, fold_before.transitions)
        return difference(after, before)
