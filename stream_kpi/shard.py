"""One partition number's whole way from records to panes. What a flush writes is all of its state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from functools import partial

import msgspec

from stream_kpi.deadlines import DEADLINES_KEY, pack_deadlines
from stream_kpi.entities import Entities, Retention
from stream_kpi.events.envelope import Event
from stream_kpi.events.partitioner import Algorithm, Partitioner
from stream_kpi.events.rekeying import origin_of
from stream_kpi.events.topics import TopicKind
from stream_kpi.exchange import Exchange
from stream_kpi.intake import Intake
from stream_kpi.lifecycles.facts import CutSets
from stream_kpi.lifecycles.history import NEVER_MS
from stream_kpi.lifecycles.options import Options
from stream_kpi.made_with import check_first_record, made_with_record
from stream_kpi.outbox import Outbox, Source
from stream_kpi.pipeline import ENTITY_KINDS, FED_BY_ONE_TOPIC, PROMISED, SUBJECT_ROUTES, Flush, InputRecord
from stream_kpi.position import POSITION_KEY, Applied, Position, pack_position, unpack_position
from stream_kpi.running_deadlines import RunningDeadlines
from stream_kpi.steps import all_of
from stream_kpi.windows.ages import AgeLog, AgeRewind, AgeSets
from stream_kpi.windows.clock import ShardClock, clock_record
from stream_kpi.windows.cut_table import CutTable
from stream_kpi.windows.panes import AGES_KEY, FLUSHED_KEY, Panes, unpack_key
from stream_kpi.windows.stating import AGES_EVERY_MS, Rota, StatedAges
from stream_kpi.windows.tiers import TIERS, Tier

MAX_CUT_SETS = 200_000
"""Distinct sets of dimension values, about 500 bytes each, that a shard knows before it starts anew: free text as a
category must not fill the memory."""

STAGE_RECORDS = 512
"""Records that go through decoding and lifecycles together: what they become, 1 kB each, stays in the processor's
cache from one stage to the next."""

MOST_FRESH = 100_000
"""Facts and fresh sums that wait for that at most: where so many are written anyway, nothing is saved."""


class ShardOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a shard needs to know. ``retention`` None: nothing ever leaves (`compute`, replay of a past log)."""

    options: Options
    definitions: dict[str, str] = {}
    """The settings behind the options that what is counted depends on (made_with)."""
    topics: dict[str, TopicKind]
    """The source topics' names."""
    rekeyed_topic: str = ""
    sla_topic: str = ""
    """Where it is told what becomes of service levels; empty: nowhere (`compute`)."""
    customers_topic: str = ""
    partitioner: Algorithm = "murmur2"
    retention: Retention | None = None
    future_skew_ms: int = 300_000
    tiers: tuple[Tier, ...] = TIERS
    spread_every_ms: int = 10_000
    """So often does a shard that events come to write its tiers; what they do not hold yet, at every flush
    (windows.spread)."""
    remember_ages: bool = False
    """Whether :meth:`Shard.rewind_ages` can be asked (`compute`)."""


class Shard:
    """Applies records, keeps entities and panes, and says what to write. Synchronous, and does no I/O.

    Not flushed means not happened: after a write that failed, throw the shard away and restore a new one.
    """

    def __init__(self, number: int, shards: int, settings: ShardOptions) -> None:
        self.number = number
        self.shards = shards
        """The partition count of the sources; after :meth:`restored`, that of the state."""
        self.position: dict[tuple[str, int], Applied] = {}
        self.clock_ms = -NEVER_MS
        """Up to where :meth:`advance` has let deadlines come."""
        self._feeding = {
            route.kind: frozenset({name, settings.rekeyed_topic})
            for name, topic in settings.topics.items()
            if (route := SUBJECT_ROUTES.get(topic)) and route.kind in FED_BY_ONE_TOPIC
        }
        """Of the kinds that few topics feed, which."""
        self._read_until: dict[str, int] = {}
        """The greatest event time read of each input topic."""
        self._batch_greatest_ms = -NEVER_MS
        self.greatest_ms: int | None = None
        self.first_ms: int | None = None
        self.counts: Counter[tuple[str, ...]] = Counter()
        """What happened since the shell last drained it: ``("events", topic)``, ``("rejected", reason)``..."""
        self._settings = settings
        cut_sets = self._cut_sets = CutSets()
        table = self._cut_table = CutTable(cut_sets)
        self._ages = AgeLog(table) if settings.remember_ages else AgeSets(table)
        # `compute` states them whenever the clock has gone on: nothing is written that would cost anything.
        self._stated_ages = StatedAges(self._ages, 1 if settings.retention is None else AGES_EVERY_MS)
        self._spread_ms = -2 * NEVER_MS
        self._panes = Panes(table, self._ages, settings.options.zone_info, settings.tiers)
        self.entities = {
            kind: Entities(lifecycle, cut_sets, settings.options, settings.retention)
            for kind, lifecycle in ENTITY_KINDS.items()
        }
        self._by_prefix = {entities.lifecycle.prefix: entities for entities in self.entities.values()}
        self._deadlines = RunningDeadlines({kind: self.entities[kind] for kind in PROMISED}, cut_sets)
        self._outbox = Outbox(self.counts, settings.rekeyed_topic, settings.sla_topic, settings.customers_topic)
        partitioner = Partitioner(settings.partitioner, shards)
        self._intake = Intake(number, partitioner, self.entities, self._outbox, settings.future_skew_ms)
        self._exchange = Exchange(number, partitioner, self.entities, self._outbox, settings.retention)
        self._changed = False
        self._applied = False
        """Whether records have come since the last flush."""
        self._said_caught_up: bool | None = None
        self._made_with_is_known = False
        """Whether the state topic says what the state was made with."""

    def apply(self, topic: str, partition: int, records: Sequence[InputRecord], wall_ms: int) -> None:
        """As :meth:`apply_steps`, all at once."""
        all_of(self.apply_steps(topic, partition, records, wall_ms))

    def apply_steps(
        self, topic: str, partition: int, records: Sequence[InputRecord], wall_ms: int
    ) -> Generator[None, None, None]:
        """Take a batch of one input in; what was applied before is passed over. Nothing else is to be asked of the
        shard before the last step."""
        applied = self.position.get((topic, partition))
        if applied is not None and records and records[0].offset <= applied.offset:
            records = [record for record in records if record.offset > applied.offset]
        if not records:
            return
        self._batch_greatest_ms = -NEVER_MS
        if topic == self._settings.customers_topic:
            self._batch_greatest_ms = yield from self._exchange.take(records, self.clock_ms)
            self._hand_over()
        elif topic == self._settings.rekeyed_topic:
            for record in records:
                origin = origin_of(record)
                self._apply(Source(origin.topic, origin.partition, sent_on=True), [origin.record], wall_ms)
                yield
        else:
            source = Source(topic, partition)
            for first in range(0, len(records), STAGE_RECORDS):
                self._apply(source, records[first : first + STAGE_RECORDS], wall_ms)
                yield
            self.counts["events", topic] += len(records)
        if self._batch_greatest_ms > self._read_until.get(topic, -NEVER_MS):
            self._read_until[topic] = self._batch_greatest_ms
        self.position[topic, partition] = Applied.last_of(records)
        self._changed = self._applied = True

    def take(self, topic: TopicKind, event: Event, time_ms: int) -> None:
        """Take one valid event in, to all of its entities. Raises TooLargeError when one of them has its fill."""
        self._saw(time_ms, time_ms)
        try:
            self._intake.take(topic, event, time_ms)
        finally:
            self._hand_over()

    def _saw(self, least_ms: int, greatest_ms: int) -> None:
        """Events of these times have come."""
        if self.greatest_ms is None or greatest_ms > self.greatest_ms:
            self.greatest_ms = greatest_ms
        if self.first_ms is None or least_ms < self.first_ms:
            self.first_ms = least_ms

    def _hand_over(self) -> None:
        for facts in (self._intake.facts, self._exchange.facts):
            if facts:
                self._panes.add(facts)
                facts.clear()  # the same list again: every fold that has added to it holds it
        for entities in self.entities.values():
            if entities.problems:
                self.counts.update(("data_problems", problem) for problem in entities.problems)
                entities.problems.clear()
            if entities.transitions:
                self._tell(entities)

    def _tell(self, entities: Entities) -> None:
        self._outbox.tell(entities.transitions)
        if self._settings.sla_topic:
            self._deadlines.hear(entities.lifecycle.prefix, (key for key, _ in entities.transitions))
        entities.transitions.clear()

    def advance(self, clock_ms: int | None, unread: Collection[str] = ()) -> None:
        """As :meth:`advance_steps`, all at once."""
        all_of(self.advance_steps(clock_ms, unread))

    def advance_steps(self, clock_ms: int | None, unread: Collection[str]) -> Generator[None, None, None]:
        """Let deadlines and evictions come: up to the clock (None: not known), or, of entities to which events of
        ``unread`` topics may go, up to the least that has been read of these. A topic read ahead of another must not
        let the deadlines of entities come whose events wait in the other; and a backlog that is older than what the
        shard has lived through is read before they go on. Nothing else is to be asked of the shard before the last
        step."""
        for kind, entities in self.entities.items():
            waiting = self._feeding.get(kind)
            up_to_ms = self._reached_ms(clock_ms, unread if waiting is None else waiting.intersection(unread))
            if up_to_ms is not None and up_to_ms >= self.clock_ms:
                while entities.is_due(up_to_ms):
                    self._advance(entities, up_to_ms)
                    yield
        reached_ms = self._reached_ms(clock_ms, unread)
        if reached_ms is not None:
            self.clock_ms = max(self.clock_ms, reached_ms)

    def _reached_ms(self, clock_ms: int | None, unread: Collection[str]) -> int | None:
        if not unread:
            return clock_ms
        times_ms = [self._read_until.get(topic) for topic in unread]
        return None if None in times_ms else min(ms for ms in times_ms if ms is not None)

    def _advance(self, entities: Entities, clock_ms: int) -> None:
        facts, unexplained = entities.advance(clock_ms)
        if facts:
            self._panes.add(facts)
            self._changed = True
        if unexplained:
            self.counts["data_problems", "never_created"] += unexplained
        if entities.transitions:
            self._tell(entities)
            self._changed = True

    def flush(self, *, caught_up: bool) -> Flush | None:
        """As :meth:`flush_steps`, all at once."""
        return all_of(self.flush_steps(caught_up=caught_up))

    def flush_steps(self, *, caught_up: bool) -> Generator[None, None, Flush | None]:
        """Everything since the last flush, to be written atomically; None when nothing changed. Nothing else is to be
        asked of the shard before the last step."""
        if (yield from self._exchange.collect(self.greatest_ms or 0, self.clock_ms)):
            self._hand_over()
            self._changed = True
        of_tiers = yield from self._take_facts()
        yield from self._deadlines.take_in()
        busy = self._applied
        ages_due = self._stated_ages.is_due(self.clock_ms, self._rota, changed=self._changed, busy=busy)
        deadlines_due = self._deadlines.is_due(self.clock_ms, busy=busy)
        if not (self._changed or ages_due or deadlines_due or caught_up != self._said_caught_up):
            return None
        state: list[tuple[bytes, bytes | None]] = []
        if not self._made_with_is_known:
            state.append(made_with_record(self._settings.definitions))
        for entities in self.entities.values():
            yield from entities.pack()
            state += entities.flush()
            yield
        applied = [(topic, partition, at) for (topic, partition), at in self.position.items()]
        position = Position(self.shards, self.clock_ms, self.greatest_ms, self.first_ms, applied)
        state.append((POSITION_KEY, pack_position(position)))
        panes = yield from self._panes.flush(self.clock_ms)
        tier_panes = len(panes) * (1 if of_tiers else len(self._settings.tiers))
        if ages_due:
            panes.append((AGES_KEY, self._stated_ages.state(self.clock_ms)))
        if deadlines_due:
            panes.append((DEADLINES_KEY, pack_deadlines(self._deadlines.state(self.clock_ms))))
        if panes:
            panes.append((FLUSHED_KEY, b"1"))
        if len(self._cut_sets.groups) > MAX_CUT_SETS and not self._settings.remember_ages:
            self._renew_cut_sets()
        self._changed = self._applied = False
        self._made_with_is_known = True
        self._said_caught_up = caught_up
        reached_ms = self.greatest_ms if caught_up else self.clock_ms if self.clock_ms > -NEVER_MS else None
        clock = clock_record(self.number, ShardClock(reached_ms, self.first_ms, caught_up))
        return Flush(state, panes, clock, self._outbox.take(), tier_panes)

    def _take_facts(self) -> Generator[None, None, bool]:
        """Whether they have gone to the tiers."""
        waiting = self._panes.waiting
        due = self._rota.has_come(self.clock_ms, self._spread_ms, self._settings.spread_every_ms)
        if self._applied and not due and waiting < MOST_FRESH:
            yield from self._panes.keep_fresh()
            return False
        self._changed |= waiting > 0
        yield from self._panes.spread(self.clock_ms)
        self._spread_ms = self.clock_ms
        return True

    def rewind_ages(self) -> AgeRewind:
        """The sets that age, for going back in time, when all has been flushed. TypeError without ``remember_ages``."""
        if not isinstance(self._ages, AgeLog):
            raise TypeError("this shard does not remember ages")
        return self._ages.rewind()

    def restore(self, state: Iterable[tuple[bytes, bytes | None]], panes: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Take records of the state and panes topics back, in log order, in batches of any size. Raises UserError when
        they were made with something else than this shard."""
        for key, value in state:
            if not self._made_with_is_known:
                check_first_record(key, value, self._settings.definitions)
                self._made_with_is_known = True
            elif key == POSITION_KEY:
                if value is not None:
                    self._restore_position(unpack_position(value))
            else:
                self._by_prefix[key[:2]].restore(key[2:].decode(), value)
        for key, value in panes:
            if key == AGES_KEY:
                self._stated_ages.restore()
            elif key == DEADLINES_KEY:
                self._deadlines.restore()
            elif key != FLUSHED_KEY:
                self._panes.restore(unpack_key(key), value)

    def restored(self) -> Generator[None, None, None]:
        """The topics have been read to their end: recover what follows from them, a step at a time. To be iterated
        over."""
        yield from self._panes.restored()
        for entities in self.entities.values():
            yield from entities.restored(self._panes.add, partial(self._deadlines.put, entities.lifecycle.prefix))

    def live_entities(self) -> Mapping[str, int]:
        """How many entities of each kind are kept."""
        return {kind: len(entities) for kind, entities in self.entities.items()}

    def _restore_position(self, position: Position) -> None:
        self.shards = position.shards
        self.clock_ms = position.clock_ms
        self.greatest_ms = position.greatest_ms
        self.first_ms = position.first_ms
        self.position = {(topic, partition): at for topic, partition, at in position.applied}

    def _renew_cut_sets(self) -> None:
        """Everything is flushed: no fact holds an id any more, folds are made again when they are next needed."""
        before = self._cut_sets.renew()
        self._cut_table.renew()
        self._ages.rekey(before, self._cut_sets)
        for entities in self.entities.values():
            entities.hot.clear()

    @property
    def _rota(self) -> Rota:
        return Rota(self.number, self.shards)

    def _apply(self, source: Source, records: Sequence[InputRecord], wall_ms: int) -> None:
        retention = self._settings.retention
        late_ms = -NEVER_MS if retention is None else self.clock_ms - retention.closed_ms
        kind = self._settings.topics[source.topic]
        least_ms, greatest_ms = self._intake.apply(kind, source, records, wall_ms, late_ms)
        if least_ms <= greatest_ms:
            self._saw(least_ms, greatest_ms)
            self._batch_greatest_ms = max(self._batch_greatest_ms, greatest_ms)
        self._hand_over()
