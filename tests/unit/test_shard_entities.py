"""Entities of one kind: packed and unpacked, due, forgotten, and never more of them than the retention holds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_kpi import entities as entities_module
from stream_kpi.entities import Entities, Retention, TooLargeError
from stream_kpi.lifecycles.facts import CutSets, Fact, net, spelled_out
from stream_kpi.lifecycles.history import HistoryEvent
from stream_kpi.lifecycles.options import Options
from stream_kpi.lifecycles.ticket.events import Created, Message, Status
from stream_kpi.measures.registry import (
    AGENT_WORK,
    BACKLOG,
    BUSINESS_RUNS,
    BUSINESS_STARTS_LESS_STOPS,
    BY_NUMBER,
    CLOCKS_OF_SCHEDULE,
    CLOCKS_STOPPED,
    COHORT_SOLVES,
    OPEN_TICKETS,
    REQUESTER_WAIT,
    SLOTS_PER_MEASURE,
    TICKETS_CREATED,
    Kind,
)
from stream_kpi.pipeline import ENTITY_KINDS
from stream_kpi.windows.tiers import ALL_TIME
from tests.shard_kit import (
    DAY_MS,
    HOUR_MS,
    LIVE,
    MINUTE_MS,
    T0_MS,
    TICKETS,
    Topics,
    created,
    new_shard,
    records,
    reply,
    status,
)
from tests.strategies.schedules import BY_DIMENSION, OFFICE

TICKET = ENTITY_KINDS["ticket"]


def tickets(retention: Retention | None = LIVE, cut_sets: CutSets | None = None) -> Entities:
    return Entities(TICKET, cut_sets or CutSets(), Options(), retention)


def opened(at_ms: int = T0_MS, uid: str = "created") -> Created:
    return Created(at_ms, uid, "email", None, None, None, None, "customer")


def became(name: str, at_ms: int, uid: str | None = None) -> Status:
    return Status(at_ms, uid or f"{name}@{at_ms}", name, "agent", None)


def wrote(author: str, at_ms: int) -> Message:
    return Message(at_ms, f"{author}@{at_ms}", author, "a1", public=True, session_id=None)


def level(facts: Iterable[Fact], slot: int) -> int:
    return sum(fact[3] * fact[4] for fact in spelled_out(facts) if fact[0] == slot)


def count(facts: Iterable[Fact], slot: int) -> int:
    return sum(fact[4] for fact in spelled_out(facts) if fact[0] == slot)


def take(entities: Entities, *events: HistoryEvent, key: str = "T") -> list[Fact]:
    facts: list[Fact] = []
    for event in events:
        facts += entities.apply(entities.find(key), event, event.time_ms) or []
    return facts


def again(entities: Entities, retention: Retention | None = LIVE) -> Entities:
    """A new holder of the same state."""
    restored = tickets(retention)
    for key, packed in entities.cold.items():
        restored.restore(key, packed)
    deque(restored.restored(lambda _: None, lambda *_: None), maxlen=0)
    return restored


def test_a_closed_entity_leaves_exactly_eight_days_after_its_last_event() -> None:
    entities = tickets()
    facts = take(entities, opened(), became("solved", T0_MS + HOUR_MS))
    last_ms = T0_MS + HOUR_MS
    facts += entities.advance(last_ms + 8 * DAY_MS - 1)[0]
    assert "T" in entities
    facts += entities.advance(last_ms + 8 * DAY_MS)[0]
    assert "T" not in entities
    assert len(entities) == 0
    assert count(facts, TICKETS_CREATED.slot) == 1
    assert count(facts, COHORT_SOLVES.slot) == 1, "the cohort was decided at seven days"


def test_an_open_entity_leaves_400_days_after_its_last_event_and_leaves_the_levels() -> None:
    entities = tickets()
    facts = take(entities, opened(), wrote("customer", T0_MS + DAY_MS))
    last_ms = T0_MS + DAY_MS
    facts += entities.advance(last_ms + 400 * DAY_MS - 1)[0]
    assert level(facts, BACKLOG.slot) > 0
    left, unexplained = entities.advance(last_ms + 400 * DAY_MS)
    facts += left
    assert "T" not in entities
    assert unexplained == 0
    assert {fact[1] for fact in left} == {last_ms + 400 * DAY_MS}
    for cuts in {fact[2] for fact in facts}:
        assert level([fact for fact in facts if fact[2] == cuts], BACKLOG.slot) == 0
    assert count(facts, OPEN_TICKETS.slot) == 0
    assert count(facts, TICKETS_CREATED.slot) == 1, "what it counted stays counted"


def test_an_open_entity_that_leaves_has_run_so_long_on_the_business_clock() -> None:
    entities = Entities(TICKET, CutSets(), Options(schedules=BY_DIMENSION), LIVE)
    facts = take(entities, Created(T0_MS, "created", "email", None, None, "billing", None, "customer"))
    facts += entities.advance(T0_MS + 400 * DAY_MS)[0]
    assert "T" not in entities
    both = REQUESTER_WAIT + AGENT_WORK
    assert count(facts, BUSINESS_STARTS_LESS_STOPS.part_slot(CLOCKS_STOPPED.name) + both) == 1
    assert level(facts, BUSINESS_RUNS.slot + CLOCKS_OF_SCHEDULE * OFFICE.number + both) == 0
    ran_ms = OFFICE.elapsed_ms(T0_MS, T0_MS + 400 * DAY_MS)
    assert ran_ms > 300 * 7 * HOUR_MS
    assert level(facts, BUSINESS_STARTS_LESS_STOPS.slot + both) == -ran_ms


def test_a_later_event_puts_the_eviction_off() -> None:
    entities = tickets()
    take(entities, opened(), became("solved", T0_MS + 1))
    entities.advance(T0_MS + 7 * DAY_MS)
    take(entities, became("closed", T0_MS + 7 * DAY_MS))
    entities.advance(T0_MS + 15 * DAY_MS - 1)
    assert "T" in entities
    entities.advance(T0_MS + 15 * DAY_MS)
    assert "T" not in entities


def test_a_reopened_entity_stays_as_an_open_one() -> None:
    entities = tickets()
    take(entities, opened(), became("solved", T0_MS + 1), became("open", T0_MS + 2))
    entities.advance(T0_MS + 399 * DAY_MS)
    assert "T" in entities


def test_no_entity_leaves_before_its_due_moments_have_come() -> None:
    entities = tickets(Retention(closed_ms=DAY_MS, open_ms=2 * DAY_MS))
    facts = take(entities, opened(), became("solved", T0_MS + 1))
    facts += entities.advance(T0_MS + 1 + 7 * DAY_MS - 1)[0]
    assert "T" in entities
    facts += entities.advance(T0_MS + 1 + 7 * DAY_MS)[0]
    assert count(facts, COHORT_SOLVES.slot) == 1
    assert "T" not in entities


def test_nothing_leaves_without_a_retention() -> None:
    entities = tickets(None)
    take(entities, opened(), became("solved", T0_MS + 1))
    entities.advance(T0_MS + 10_000 * DAY_MS)
    assert "T" in entities


def test_an_entity_whose_creation_never_comes_leaves_like_a_closed_one_and_its_events_are_counted() -> None:
    entities = tickets()
    assert take(entities, wrote("agent", T0_MS), became("open", T0_MS + 5)) == []
    assert entities.advance(T0_MS + 5 + 8 * DAY_MS - 1) == ([], 0)
    assert entities.advance(T0_MS + 5 + 8 * DAY_MS) == ([], 2)
    assert "T" not in entities


def test_due_moments_fire_once_whoever_holds_the_entity() -> None:
    entities = tickets()
    facts = take(entities, opened())
    entities.flush()
    for hours in (1, 1, 2, 4, 4, 24):
        entities = again(entities)
        facts += entities.advance(T0_MS + hours * HOUR_MS)[0]
        entities.flush()
        facts += entities.advance(T0_MS + hours * HOUR_MS)[0]
    at_total = [fact for fact in facts if fact[0] == BACKLOG.slot]
    assert all(amount in {-1, 1} for amount in net(at_total).values())


def test_an_entity_is_written_when_it_changed_and_taken_back_when_it_left() -> None:
    entities = tickets()
    take(entities, opened())
    take(entities, opened(uid="other"), key="U")
    assert {key for key, _ in entities.flush()} == {b"t:T", b"t:U"}
    assert entities.flush() == []
    take(entities, became("spam", T0_MS + 1))
    ((key, packed),) = entities.flush()
    assert (key, entities.cold["T"]) == (b"t:T", packed)
    entities.advance(T0_MS + 1 + 8 * DAY_MS)
    flushed = dict(entities.flush())
    assert flushed[b"t:T"] is None
    assert "T" not in entities


def test_an_entity_that_left_and_comes_back_before_the_flush_is_written() -> None:
    entities = tickets()
    take(entities, opened(), became("spam", T0_MS + 1))
    entities.flush()
    entities.advance(T0_MS + 1 + 8 * DAY_MS)
    take(entities, wrote("customer", T0_MS + 9 * DAY_MS))
    (record,) = entities.flush()
    assert record == (b"t:T", entities.cold["T"])


def test_an_entity_holds_no_more_events_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entities_module, "MAX_EVENTS", 3)
    entities = tickets()
    take(entities, opened(), wrote("agent", T0_MS + 1), wrote("agent", T0_MS + 2))
    with pytest.raises(TooLargeError):
        entities.apply(entities.find("T"), wrote("agent", T0_MS + 3), T0_MS + 3)
    assert entities.apply(entities.find("T"), wrote("agent", T0_MS + 2), T0_MS + 2) is None, "a duplicate"
    assert entities.apply(entities.find("U"), opened(uid="u"), T0_MS + 3)


def test_entities_that_are_packed_away_give_the_same_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [
        opened(),
        wrote("agent", T0_MS + MINUTE_MS),
        wrote("customer", T0_MS + HOUR_MS),
        wrote("agent", T0_MS + 2 * HOUR_MS),
        became("solved", T0_MS + DAY_MS),
        became("open", T0_MS + 2 * DAY_MS),
    ]
    stayed: list[Fact] = take(tickets(), *events)
    monkeypatch.setattr(entities_module, "HOT_ENTITIES", 0)
    entities = tickets()
    facts: list[Fact] = []
    for event in events:
        facts += take(entities, event)
        entities.flush()
        assert len(entities.hot) == 1, "what has changed since the last flush stays"
        entities.flush()
        assert not entities.hot
    assert facts == stayed


EVENTS = st.lists(
    st.one_of(
        st.builds(opened, st.integers(T0_MS, T0_MS + 9 * DAY_MS), st.sampled_from(["c1", "c2"])),
        st.builds(wrote, st.sampled_from(["agent", "customer"]), st.integers(T0_MS, T0_MS + 9 * DAY_MS)),
        st.builds(
            became,
            st.sampled_from(["open", "pending", "solved", "closed", "spam"]),
            st.integers(T0_MS, T0_MS + 9 * DAY_MS),
        ),
    ),
    max_size=10,
)


@given(events=EVENTS, flushed=st.lists(st.booleans(), min_size=10, max_size=10))
def test_packing_and_restoring_at_any_moment_changes_no_fact(events: list[HistoryEvent], flushed: list[bool]) -> None:
    cut_sets = CutSets()
    kept, packed = tickets(cut_sets=cut_sets), tickets(cut_sets=cut_sets)
    facts_kept: list[Fact] = []
    facts_packed: list[Fact] = []
    clock_ms = T0_MS
    for event, flush in zip(events, flushed, strict=False):
        clock_ms = max(clock_ms, event.time_ms)
        facts_kept += kept.apply(kept.find("T"), event, clock_ms) or []
        facts_packed += packed.apply(packed.find("T"), event, clock_ms) or []
        if flush:
            packed.flush()
            restored = tickets(cut_sets=cut_sets)
            for key, value in packed.cold.items():
                restored.restore(key, value)
            deque(restored.restored(lambda _: None, lambda *_: None), maxlen=0)
            packed = restored
        facts_kept += kept.advance(clock_ms)[0]
        facts_packed += packed.advance(clock_ms)[0]
    facts_kept += kept.advance(T0_MS + 500 * DAY_MS)[0]
    facts_packed += packed.advance(T0_MS + 500 * DAY_MS)[0]
    assert len(kept) == len(packed) == 0
    assert net(facts_kept) == net(facts_packed)


def test_restoring_tells_the_members_of_the_sets_that_age_and_nothing_else() -> None:
    entities = tickets()
    take(entities, opened(), wrote("customer", T0_MS + 1))
    take(entities, opened(uid="u"), became("solved", T0_MS + 1), key="U")
    entities.flush()
    restored = tickets()
    for key, packed in entities.cold.items():
        restored.restore(key, packed)
    told: list[Fact] = []
    deque(restored.restored(told.extend, lambda *_: None), maxlen=0)
    assert {BY_NUMBER[fact[0] // SLOTS_PER_MEASURE].kind for fact in told} == {Kind.AGE}
    assert count(told, OPEN_TICKETS.slot) == 1


def test_nothing_is_left_of_entities_once_their_time_has_passed() -> None:
    """The leak test: a year of tickets, then silence."""
    shard, topics = new_shard(), Topics()
    offset = 0
    for day in range(0, 360, 10):
        at_ms = T0_MS + day * DAY_MS
        values: list[bytes] = []
        for n in range(6):
            ticket = f"{day}-{n}"
            values += [created(ticket, at_ms + n), reply(ticket, at_ms + HOUR_MS)]
            values.append(status(ticket, at_ms + 2 * HOUR_MS, "pending"))
            if n:
                values.append(status(ticket, at_ms + DAY_MS, "solved"))
        shard.apply(TICKETS, 0, records(*values, first=offset), 1 << 60)
        offset += len(values)
        shard.advance(at_ms + DAY_MS)
        topics.write(shard.flush(caught_up=True))
        tickets_kept = shard.entities["ticket"]
        assert len(tickets_kept) <= day / 10 + 6, "one of six stays open"
        assert len(tickets_kept._wakes) <= 3 * len(tickets_kept)
    end_ms = T0_MS + (360 + 400 + 401) * DAY_MS
    shard.advance(end_ms)
    topics.write(shard.flush(caught_up=True))
    assert topics.entities() == set()
    tickets_kept = shard.entities["ticket"]
    assert [*tickets_kept.hot, *tickets_kept.cold, *tickets_kept._wakes] == []
    assert not shard._ages
    vectors = topics.vectors()
    assert {key.tier for key in vectors} == {ALL_TIME.number}
    assert not any(slot == BACKLOG.slot for vector in vectors.values() for slot in vector)
    assert {tier: len(slices) for tier, slices in shard._panes._slices.items() if slices} == {ALL_TIME.number: 1}
    assert len(shard._panes._slices[ALL_TIME.number][0].written) == len(vectors)


def test_a_batch_takes_no_longer_the_more_entities_are_at_rest() -> None:
    class Untraversed(dict[str, bytes]):
        """Entities at rest, of which nobody may go through all."""

        def __iter__(self) -> Iterator[str]:
            raise AssertionError("all entities have been gone through")

        def keys(self) -> NoReturn:
            raise AssertionError("all entities have been gone through")

    shard = new_shard()
    shard.apply(TICKETS, 0, records(created("T-1", T0_MS)), T0_MS)
    shard.flush(caught_up=True)
    tickets = shard.entities["ticket"]
    tickets.cold = Untraversed(tickets.cold)
    tickets.hot.clear()
    values = (created("T-2", T0_MS), status("T-1", T0_MS + 1, "solved"))
    shard.apply(TICKETS, 0, records(*values, first=1), T0_MS + 1)
    assert {*tickets.hot} == {"T-1", "T-2"}
