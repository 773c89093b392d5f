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
from stream_kpi.lifecycles.packing import append_event, packed_events, record_of, unpack_events
from stream_kpi.lifecycles.sla.transition import Transition, corrections

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


SPENT_EVENTS = 100
"""So many events that no fact needs any more stay packed with the others."""


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

    __slots__ = (
        "clock_ms",
        "contributed",
        "dirty",
        "fold",
        "key",
        "last",
        "new_fold",
        "packed",
        "spent",
        "uids",
        "wake_ms",
    )

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
        self.packed = bytearray()
        """The history, sorted: its events packed one behind the other. Nearly none is needed again but to be written,
        and to be kept as objects costs them twice: in the processor's caches and at the next flush."""
        self.uids: dict[str, None] = {}
        """Those of the history, which tell duplicates. A dictionary, which the cycle collector does not track, as it
        would a set."""
        self.spent: tuple[str, ...] = ()
        """Uids of packed events that are not of the history any more."""
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
        self.fold.contribution_changed = False
        self.wake_ms = NEVER_MS
        """When it is going to call :meth:`advance` next."""
        self.dirty = False
        """Whether it has changed since it was last written."""

    @property
    def history(self) -> list[HistoryEvent]:
        """All events, sorted."""
        history = unpack_events(self.fold, self.packed, len(self.uids) + len(self.spent))
        return [event for event in history if event.uid not in self.spent] if self.spent else history

    def record(self) -> bytes:
        """The entity's state record."""
        if self.spent:
            self._keep(self.history)
        ages = bool(self.fold.memberships() or self.fold.promises())
        return record_of(self.clock_ms, self.wake_ms, self.packed, len(self.uids), ages=ages)

    def apply(self, event: HistoryEvent, clock_ms: int, onto: list[Fact] | None = None) -> list[Fact] | None:
        """Take an event in at the partition's clock (>= the event's time), in place of one that it replaces. None: a
        duplicate, nothing changed.

        The facts are appended to ``onto``, which is returned: a list an event would cost more than most facts do.
        """
        uid = event.uid
        facts = [] if onto is None else onto
        if uid in self.uids:
            return self._replace(event, clock_ms, facts)
        if self.spent and uid in self.spent:
            self._keep(self.history)
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
        self.uids[uid] = None
        append_event(event, self.packed, -1)
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
        self.packed = packed_events(history)
        self.uids = {event.uid: None for event in history}
        self.spent = ()
        self.last = history[-1]

    def _drop_spent(self) -> None:
        # They stay packed for a while: to pack the history again takes the longer the more events there are.
        for uid in self.fold.spent:
            del self.uids[uid]
        self.spent += self.fold.spent
        self.fold.spent = ()
        if len(self.spent) > SPENT_EVENTS:
            self._keep(self.history)

    def _replace(self, event: HistoryEvent, clock_ms: int, facts: list[Fact]) -> list[Fact] | None:
        history = self.history
        place = next(place for place, known in enumerate(history) if known.uid == event.uid)
        known = history[place]
        if not event.replaces(known):
            return None
        fold = self.fold
        fold.facts = facts
        if not fold.replace(known, event):
            facts += self._refold(event, clock_ms)
            return facts
        history[place] = event
        self._keep(history)
        self._drop_spent()
        self.clock_ms = max(self.clock_ms, clock_ms)
        fold.fire_until(self.clock_ms, inclusive=True)
        return facts

    def _refold(self, event: HistoryEvent, clock_ms: int) -> list[Fact]:
        history = self.history
        fold_before, before = facts_of(self.new_fold, history, self.clock_ms)
        if event.uid in self.uids:
            history = [known for known in history if known.uid != event.uid]
        insort(history, event, key=lambda e: e.order)
        self._keep(history)
        self.clock_ms = max(self.clock_ms, clock_ms)
        self.fold, after = facts_of(self.new_fold, history, self.clock_ms)
        self._drop_spent()
        self.fold.contribution_changed = True
        self.fold.problems = tuple((Counter(self.fold.problems) - Counter(fold_before.problems)).elements())
        if self.fold.transitions or fold_before.transitions:
            self.fold.transitions = corrections(self.fold.transitions, fold_before.transitions)
        return difference(after, before)
