"""The nearest deadlines of one shard, found without a look at all that run.

Deadlines lie in heaps. One that moved or was met stays there until it comes up, or until such ones are the most: what
counts is what was last heard of its entity.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from heapq import heapify, heappop, heappush
from itertools import islice
from typing import Final

from stream_kpi.deadlines import MOST_AHEAD, MOST_MISSED, Deadline, nearest
from stream_kpi.entities import Entities
from stream_kpi.lifecycles.facts import CutSets
from stream_kpi.lifecycles.sla.promise import Promise

EVERY_MS: Final = 1_000
"""So often a shard that events come to states them: a board counts down by itself in between."""
STEP_ENTITIES: Final = 500
"""So many are asked before others may have a turn."""
MOST_OUTDATED: Final = 1_000
"""So many entries that count no more are kept beside as many as there are deadlines."""


class _OfKind:
    """Those of one kind of entity."""

    def __init__(self, kind: str, entities: Entities) -> None:
        self.kind = kind
        self.entities = entities
        self.heard: dict[str, None] = {}
        """Keys of those of whose promises there is news."""
        self._deadlines: dict[str, tuple[int, ...]] = {}
        self._count = 0
        """Of all entities together."""
        self._ahead: list[tuple[int, str]] = []
        """A heap of deadlines with the keys of their entities."""
        self._missed: list[tuple[int, str]] = []
        """The same with the deadlines' negatives: the latest comes first."""
        self._stated: dict[str, tuple[bytes, list[Deadline]]] = {}
        """What was stated last, and the state record that it follows from."""

    def put(self, key: str, promises: Iterable[Promise]) -> None:
        """An entity has these promises now, and no others."""
        before = self._deadlines.pop(key, ())
        deadlines = tuple({promise.deadline_ms: None for promise in promises})
        if deadlines:
            self._deadlines[key] = deadlines
        self._count += len(deadlines) - len(before)
        for deadline_ms in deadlines:
            if deadline_ms not in before:
                heappush(self._ahead, (deadline_ms, key))
        if len(self._ahead) + len(self._missed) > 2 * self._count + MOST_OUTDATED:
            self._ahead = [(deadline_ms, key) for key, found in self._deadlines.items() for deadline_ms in found]
            self._missed = []
            heapify(self._ahead)

    def nearest(self, clock_ms: int, cut_sets: CutSets) -> list[Deadline]:
        """The nearest, as of the state records."""
        ahead, missed = self._ahead, self._missed
        while ahead and ahead[0][0] <= clock_ms:
            deadline_ms, key = heappop(ahead)
            if deadline_ms in self._deadlines.get(key, ()):
                heappush(missed, (-deadline_ms, key))
        keys = dict.fromkeys([*self._top(ahead, 1, MOST_AHEAD), *self._top(missed, -1, MOST_MISSED)])
        cold = self.entities.cold
        before, self._stated = self._stated, {}
        for key in keys:
            packed = cold.get(key)
            if packed is None:  # it has left memory
                self.put(key, ())
                continue
            known = before.get(key)
            # A state record is a new object whenever it is written: one that is the same says the same.
            if known is None or known[0] is not packed:
                known = packed, [self._named(key, promise, cut_sets) for promise in self.entities.promises(key)]
            self._stated[key] = known
        return [deadline for _, found in self._stated.values() for deadline in found]

    def _top(self, heap: list[tuple[int, str]], sign: int, most: int) -> list[str]:
        """The keys of the first entries that count, each entry once."""
        found: dict[tuple[int, str], None] = {}
        while heap and len(found) < most:
            entry = heappop(heap)
            if sign * entry[0] in self._deadlines.get(entry[1], ()):
                found[entry] = None
        for entry in found:
            heappush(heap, entry)
        return [key for _, key in found]

    def _named(self, key: str, promise: Promise, cut_sets: CutSets) -> Deadline:
        dimensions = dict(cut for cut in cut_sets.cuts_of(promise.cuts) if cut)
        return Deadline(
            self.kind,
            key,
            promise.metric,
            promise.policy,
            promise.priority,
            promise.target_ms,
            promise.deadline_ms,
            dimensions["channel"],
            dimensions["group"],
            dimensions["category"],
        )


class RunningDeadlines:
    """Those of a shard. :meth:`hear` and :meth:`put` tell it of changes, :meth:`take_in` asks the entities,
    :meth:`state` is what the shard says."""

    def __init__(self, entities: Mapping[str, Entities], cut_sets: CutSets) -> None:
        """``entities``: by kind, those that may be promised something."""
        self._kinds = {one.lifecycle.prefix: _OfKind(kind, one) for kind, one in entities.items()}
        self._cut_sets = cut_sets
        self._moved = False
        self._stated_ms: int | None = None

    def hear(self, prefix: bytes, keys: Iterable[str]) -> None:
        """Something has become of service levels of these entities, of the kind with this prefix of state keys."""
        self._kinds[prefix].heard.update(dict.fromkeys(keys))
        self._moved = True

    def put(self, prefix: bytes, key: str, promises: Iterable[Promise]) -> None:
        """An entity has these promises (recovery)."""
        self._kinds[prefix].put(key, promises)
        self._moved = True

    def restore(self) -> None:
        """An earlier owner of the shard has stated some."""
        self._moved = True

    def take_in(self) -> Generator[None, None, None]:
        """Ask those of whom there is news, a step at a time. To be iterated over, before a flush lets any rest."""
        for of_kind in self._kinds.values():
            heard, of_kind.heard = iter(of_kind.heard), {}
            while some := list(islice(heard, STEP_ENTITIES)):
                for key in some:
                    of_kind.put(key, of_kind.entities.promises(key))
                yield

    def is_due(self, clock_ms: int, *, busy: bool) -> bool:
        """Whether they are to be stated: they may have changed, and, if events come, the last time is a while ago."""
        return self._moved and not (busy and self._stated_ms is not None and clock_ms - self._stated_ms < EVERY_MS)

    def state(self, clock_ms: int) -> tuple[Deadline, ...]:
        """The nearest, when all entities have been packed."""
        self._moved, self._stated_ms = False, clock_ms
        return nearest(
            [deadline for of_kind in self._kinds.values() for deadline in of_kind.nearest(clock_ms, self._cut_sets)],
            clock_ms,
        )
