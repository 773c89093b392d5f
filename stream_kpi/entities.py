"""All entities of one kind in one shard: packed at rest, unpacked while they are busy."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from heapq import heappop, heappush
from typing import NamedTuple

from stream_kpi.lifecycles.contribution import Contribution
from stream_kpi.lifecycles.entity import Entity, facts_of
from stream_kpi.lifecycles.facts import CutSets, Fact
from stream_kpi.lifecycles.fold import Fold
from stream_kpi.lifecycles.history import NEVER_MS, HistoryEvent
from stream_kpi.lifecycles.leaving import leaving
from stream_kpi.lifecycles.options import Options
from stream_kpi.lifecycles.packing import at_rest, head_of, history_of, told_at_rest
from stream_kpi.lifecycles.sla.promise import Promise
from stream_kpi.lifecycles.sla.transition import Transition
from stream_kpi.steps import all_of

HOT_ENTITIES = 10_000
"""Unpacked entities kept between flushes, or else those that have changed since the flush before: a ticket about 4 kB,
packed about 300 bytes. Unpacking costs a fold, ~15 us, and in live use most entities that have an event have another
one within seconds; memory that is seldom touched costs those who share the machine's caches."""
MAX_EVENTS = 10_000
"""Events an entity may have: a loop that writes to one ticket must not stop its partition, nor fill a record."""
LATER_EVENTS = 1_000
"""Events that an entity which forgets keeps at least; it never has more than twice as many."""
SMALL_BYTES = 2_000
"""Up to so much an entity at rest is copied for one more word; a larger one is unpacked, and stays so."""
STEP_ENTITIES = 500
"""So many are packed, or recovered, before others may have a turn: 10 ms at most."""
STEP_WAKES = 100
"""So many are woken before others may have a turn: each is unpacked, and folded."""


class Lifecycle(NamedTuple):
    """What a kind of entity is: the prefix of its state keys, its fold. ``forgets``: a fold of its
    later events alone goes on as that of all of them, so that it need not keep the earlier ones for ever.
    ``contributes``: it says of itself to its customer what follows from no entity alone. ``follows_ms``: from when on
    something may follow from an event, or something be forgotten by it; ``NEVER_MS`` if nothing will."""

    prefix: bytes
    new_fold: Callable[[CutSets, Options], Fold]
    forgets: bool = False
    contributes: bool = False
    follows_ms: Callable[[HistoryEvent, Options], int] | None = None


class Said(NamedTuple):
    """The contribution of an entity has changed (None: it has none), or the entity has left memory, at ``gone_ms``."""

    key: str
    before: Contribution | None
    now: Contribution | None
    gone_ms: int | None = None


class Retention(NamedTuple):
    """How long an entity stays after its last event. Infinite in `compute` and when a past log is replayed."""

    closed_ms: int
    open_ms: int


class TooLargeError(Exception):
    """The entity has its fill of events; this one is refused."""


class Entities:
    """A dictionary of packed entities, ``cold``, with those that events touch unpacked in front of it.

    ``cold`` is what the state topic holds; :meth:`flush` brings it up to date.
    """

    def __init__(self, lifecycle: Lifecycle, cut_sets: CutSets, options: Options, retention: Retention | None) -> None:
        self.lifecycle = lifecycle
        self.cold: dict[str, bytes] = {}
        self.hot: dict[str, Entity] = {}
        self.problems: list[str] = []
        """Data problems met; the holder takes them out."""
        self.transitions: list[tuple[str, Transition]] = []
        """What is to be told of service levels, each with the key of its entity; the holder takes them out."""
        self._dirty: list[Entity] = []
        """Those with :attr:`Entity.dirty`; one that has left since may be among them, without it."""
        self._changed: dict[str, bytes | None] = {}
        """State records to be written: those packed since the last flush, None for those gone."""
        self._said: list[Said] = []
        self._wakes: list[tuple[int, str]] = []
        self._retention = retention
        self._options = options
        self._fill = LATER_EVENTS if lifecycle.forgets else MAX_EVENTS
        self._least_kept_ms = NEVER_MS if retention is None else retention.closed_ms
        self._new_fold: Callable[[], Fold] = partial(lifecycle.new_fold, cut_sets, options)
        self._unpack: Callable[[bytes], list[HistoryEvent]] = partial(history_of, self._new_fold())

    def __len__(self) -> int:
        cold = self.cold
        return len(cold) + sum([key not in cold for key in self.hot])

    def __contains__(self, key: str) -> bool:
        return key in self.hot or key in self.cold

    def find(self, key: str) -> Entity:
        """The entity, unpacked; a new one for a key that is not here."""
        return self.hot.get(key) or self._load(key)

    def apply(
        self, entity: Entity, event: HistoryEvent, clock_ms: int, onto: list[Fact] | None = None
    ) -> list[Fact] | None:
        """Take an event of one of :attr:`hot` in: the facts to pass on, appended to ``onto``, None for a duplicate.
        Raises :class:`TooLargeError`."""
        if len(entity.uids) >= self._fill and event.uid not in entity.uids:
            self._make_room(entity, event)
        facts = entity.apply(event, clock_ms, onto)
        if facts is None:
            return None
        if not entity.dirty:
            self._touch(entity)
        fold = entity.fold
        # Nearly every event leaves the plan as it is; to see that is cheaper than to plan.
        if fold.soonest_ms < entity.wake_ms or event.time_ms + self._least_kept_ms < entity.wake_ms:
            self._plan_wake(entity)
        if fold.problems:
            self.problems += entity.take_problems()
        if fold.transitions:
            self._tell(entity)
        return facts

    def take_at_rest(self, key: str, word: HistoryEvent, clock_ms: int) -> bool:
        """Take a word in, in place of one with its uid, without unpacking the entity: if nothing follows by
        ``clock_ms``, with or without it. False: it is for :meth:`apply`."""
        follows_ms = self.lifecycle.follows_ms
        if follows_ms is None or key in self.hot:
            return False
        packed, wake_ms, rests = self.cold.get(key), NEVER_MS, True
        if packed is not None:
            before_ms, wake_ms, _, rests = head_of(packed)
            clock_ms = max(before_ms, clock_ms)
        due_ms = follows_ms(word, self._options)
        if due_ms <= clock_ms:
            return False
        if packed is not None and not (rests and wake_ms > clock_ms and len(packed) <= SMALL_BYTES):
            packed = self._laid_to_rest(packed, clock_ms)
            if packed is None:
                return False
        if due_ms == NEVER_MS and self._retention is not None:
            due_ms = word.time_ms + self._retention.open_ms
        if due_ms < wake_ms:
            wake_ms = due_ms
            heappush(self._wakes, (wake_ms, key))
        told = at_rest(clock_ms, wake_ms, (word,)) if packed is None else told_at_rest(packed, clock_ms, wake_ms, word)
        self._changed[key] = self.cold[key] = told
        return True

    def _laid_to_rest(self, packed: bytes, clock_ms: int) -> bytes | None:
        """The state record of one of :attr:`cold` as that of an entity at rest, each word once; None: something has
        followed from its history, or it is too large."""
        before_ms, wake_ms, _, _ = head_of(packed)
        follows_ms, history = self.lifecycle.follows_ms, self._unpack(packed)
        # By its own plan it is woken when something follows, at the latest.
        if follows_ms is None or any(follows_ms(event, self._options) <= clock_ms for event in history):
            return None
        record = at_rest(before_ms, wake_ms, history)
        return record if len(record) <= SMALL_BYTES else None

    def is_due(self, clock_ms: int) -> bool:
        """Whether :meth:`advance` has something to do."""
        return bool(self._wakes) and self._wakes[0][0] <= clock_ms

    def advance(self, clock_ms: int) -> tuple[list[Fact], int]:
        """Let due moments and evictions up to the clock come, those of some entities at a time, while :meth:`is_due`:
        facts, and how many entities left unexplained (events of an entity whose creation never came)."""
        facts: list[Fact] = []
        unexplained = 0
        for _ in range(STEP_WAKES):
            if not self.is_due(clock_ms):
                break
            wake_ms, key = heappop(self._wakes)
            if key not in self:
                continue
            entity = self.find(key)
            if entity.wake_ms != wake_ms:
                continue
            facts.extend(entity.advance(clock_ms))
            if entity.fold.transitions:
                self._tell(entity)
            self._touch(entity)
            evict_at_ms = self._evict_at_ms(entity)
            if evict_at_ms <= clock_ms:
                if entity.fold.voided and not entity.fold.closed:
                    unexplained += len(entity.uids)
                facts.extend(leaving(entity, evict_at_ms))
                self._remove(entity, evict_at_ms)
                continue
            entity.wake_ms = NEVER_MS
            self._plan_wake(entity)
        return facts, unexplained

    def pack(self) -> Generator[None, None, None]:
        """Pack what has changed, a step for some entities. To be iterated over; what is left of it is packed, all at
        once, by :meth:`take_said` and :meth:`flush`."""
        dirty, self._dirty = self._dirty, []
        for first in range(0, len(dirty), STEP_ENTITIES):
            self._pack(dirty[first : first + STEP_ENTITIES])
            yield

    def take_said(self) -> list[Said]:
        """The contributions that have changed since the last call, each once. To be called before :meth:`flush`: what
        was said before a restart is what follows from the state as it was flushed."""
        all_of(self.pack())
        said, self._said = self._said, []
        return said

    def flush(self) -> list[tuple[bytes, bytes | None]]:
        """State records of everything that changed since the last flush."""
        all_of(self.pack())
        prefix, changed, hot = self.lifecycle.prefix, self._changed, self.hot
        if len(hot) > HOT_ENTITIES:
            self.hot = {key: hot[key] for key, packed in changed.items() if packed is not None and key in hot}
        self._changed = {}
        return [(prefix + key.encode(), packed) for key, packed in changed.items()]

    def restore(self, key: str, packed: bytes | None) -> None:
        """Take a state record back (recovery), in log order."""
        if packed is None:
            self.cold.pop(key, None)
        else:
            self.cold[key] = packed

    def promises(self, key: str) -> list[Promise]:
        """What runs for an entity, which stays as it is; nothing for a key that is not here."""
        entity = self.hot.get(key)
        if entity is not None:
            return entity.fold.promises()
        packed = self.cold.get(key)
        if packed is None:
            return []
        return facts_of(self._new_fold, self._unpack(packed), head_of(packed)[0])[0].promises()

    def restored(
        self, on_ages: Callable[[list[Fact]], None], on_promises: Callable[[str, list[Promise]], None]
    ) -> Generator[None, None, None]:
        """Recovery is over: timers, the members of the sets that age and what runs for each are derived from the
        entities, a step for some of them. Only those of which there is any are unpacked and folded, ~15 us each; the
        closed ones, most of them, take 1 us."""
        for place, (key, packed) in enumerate(self.cold.items()):
            if place % STEP_ENTITIES == 0:
                yield
            clock_ms, wake_ms, ages, _ = head_of(packed)
            if wake_ms < NEVER_MS:
                self._wakes.append((wake_ms, key))
            if ages:
                fold, _ = facts_of(self._new_fold, self._unpack(packed), clock_ms)
                on_ages(fold.memberships())
                if promises := fold.promises():
                    on_promises(key, promises)
        self._wakes.sort()

    def _load(self, key: str) -> Entity:
        packed = self.cold.get(key)
        if packed is None:
            entity = Entity(self._new_fold, key=key)
            self._changed.pop(key, None)  # it may have gone since the last flush
        else:
            clock_ms, wake_ms, _, _ = head_of(packed)
            entity = Entity(self._new_fold, self._unpack(packed), clock_ms, key)
            entity.wake_ms = wake_ms
        self.hot[key] = entity
        return entity

    def _tell(self, entity: Entity) -> None:
        self.transitions += [(entity.key, transition) for transition in entity.take_transitions()]

    def _touch(self, entity: Entity) -> None:
        if not entity.dirty:
            entity.dirty = True
            self._dirty.append(entity)

    def _pack(self, dirty: list[Entity]) -> None:
        # One way through the entities for all that they are asked before a flush: most have left the caches by then,
        # and to fetch them takes longer than to pack them.
        contributes, cold, changed = self.lifecycle.contributes, self.cold, self._changed
        for entity in dirty:
            if entity.dirty:
                entity.dirty = False
                key, fold = entity.key, entity.fold
                if contributes and fold.contribution_changed:
                    fold.contribution_changed = False
                    before, now = entity.contributed, fold.contribution()
                    if now != before:
                        self._said.append(Said(key, before, now))
                        entity.contributed = now
                changed[key] = cold[key] = entity.record()

    def _make_room(self, entity: Entity, event: HistoryEvent) -> None:
        """What comes before all that an entity still has cannot be put in its place any more."""
        last = entity.last
        in_order = last is not None and last.order < event.order
        if not self.lifecycle.forgets or not (in_order or entity.history[0].order < event.order):
            raise TooLargeError
        if len(entity.uids) >= 2 * LATER_EVENTS:
            entity.keep_last(LATER_EVENTS)

    def _remove(self, entity: Entity, at_ms: int) -> None:
        key = entity.key
        if self.lifecycle.contributes:
            self._said.append(Said(key, entity.contributed, entity.fold.contribution(), at_ms))
        self.hot.pop(key, None)
        self.cold.pop(key, None)
        entity.dirty = False
        self._changed[key] = None

    def _evict_at_ms(self, entity: Entity) -> int:
        if self._retention is None or entity.last is None:
            return NEVER_MS
        fold = entity.fold
        kept_ms = self._retention.closed_ms if fold.closed or fold.voided else self._retention.open_ms
        evict_at_ms = entity.last.time_ms + kept_ms
        due_ms = fold.next_due_ms()
        return evict_at_ms if due_ms == NEVER_MS else max(evict_at_ms, due_ms)

    def _plan_wake(self, entity: Entity) -> None:
        # The heap entry stays until it comes, however often the plan is put off: one entry an entity, not one an event.
        wake_ms = entity.fold.next_due_ms()
        if self._retention is not None:
            wake_ms = min(wake_ms, self._evict_at_ms(entity))
        if wake_ms < entity.wake_ms:
            entity.wake_ms = wake_ms
            heappush(self._wakes, (wake_ms, entity.key))
