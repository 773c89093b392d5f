"""Laws of the MRR at risk, against a model that looks at every instant anew."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from stream_kpi.entities import Entities, Retention
from stream_kpi.lifecycles.customer.events import BreachedTicket, CustomerEvent, Paid
from stream_kpi.lifecycles.customer.fold import CustomerFold
from stream_kpi.lifecycles.entity import Entity, facts_of
from stream_kpi.lifecycles.facts import CutSets, Fact, net, spelled_out
from stream_kpi.lifecycles.history import HistoryEvent
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures import registry
from stream_kpi.pipeline import ENTITY_KINDS
from tests.at_rest import both_come_to_the_same
from tests.strategies.customers import (
    DAY_MS,
    END_MS,
    EUR,
    INSTANTS_MS,
    START_MS,
    USD,
    customer_stories,
    instants_ms,
    sole_stories,
)

OPTIONS = Options(zone="Europe/Berlin")
CUTS = ((), ("plan", "gold"), ("plan", "silver"))
LEVELS = (
    (registry.MRR, registry.MRR_AT_RISK),
    (registry.CUSTOMERS_BY_CURRENCY, registry.CUSTOMERS_AT_RISK),
)
_unpack: Callable[[bytes], list[Any]] = msgspec.msgpack.Decoder(list[CustomerEvent]).decode
stories = st.one_of(customer_stories(), sole_stories())


@st.composite
def words(draw: st.DrawFn) -> list[BreachedTicket]:
    """What a few tickets say, one after the other; the last word of each stands."""
    said = []
    for _ in range(draw(st.integers(1, 5))):
        breaches = tuple(sorted(draw(st.lists(instants_ms, max_size=4))))
        said.append(BreachedTicket(draw(instants_ms), draw(st.sampled_from(["t:1", "t:2", "t:3"])), breaches))
    return said


def is_breach(event: HistoryEvent) -> bool:
    return isinstance(event, BreachedTicket)


def standing(events: list[CustomerEvent]) -> list[CustomerEvent]:
    """The last word of each ticket, and all else, in their order."""
    return sorted({event.uid: event for event in events}.values(), key=lambda event: event.order)


def owes(events: list[CustomerEvent], at_ms: int) -> bool:
    """The model: whether any ticket does at an instant."""
    return any(
        sum(moment_ms <= at_ms for moment_ms in event.breaches) % 2
        for event in standing(events)
        if isinstance(event, BreachedTicket)
    )


def at(facts: list[Fact], cut_sets: CutSets, slot: int, cut: tuple[str, ...], at_ms: int) -> int:
    """What a level is at an instant."""
    return sum(
        value * sign
        for one, time_ms, cuts, value, sign in spelled_out(facts)
        if one == slot and time_ms <= at_ms and cut in cut_sets.cuts_of(cuts)
    )


@given(stories, words(), st.data())
@settings(max_examples=200, deadline=None)
def test_what_is_at_risk_does_not_depend_on_arrival_what_was_said_before_packing_or_how_the_clock_ran(
    story: list[CustomerEvent], said: list[BreachedTicket], data: st.DataObject
) -> None:
    new_fold = partial(CustomerFold, CutSets(), OPTIONS)
    entity = Entity(new_fold)
    passed_on: list[Fact] = []
    clock_ms, taken = INSTANTS_MS[0], list[CustomerEvent]()
    for event in data.draw(st.permutations([*story, *said])):
        clock_ms = max(clock_ms, event.time_ms, data.draw(instants_ms))
        for _ in range(data.draw(st.sampled_from([1, 1, 2]))):
            passed_on += entity.apply(event, clock_ms) or []
        passed_on += entity.advance(clock_ms)
        taken.append(event)
        assert net(passed_on) == net(facts_of(new_fold, standing(taken), clock_ms)[1])
        if data.draw(st.booleans()):
            entity = Entity(new_fold, _unpack(msgspec.msgpack.encode(entity.history)), entity.clock_ms)
    passed_on += entity.advance(END_MS)
    assert net(passed_on) == net(facts_of(new_fold, standing(taken), END_MS)[1])


@given(stories, words())
@settings(max_examples=200, deadline=None)
def test_at_every_instant_all_of_a_customers_mrr_is_at_risk_while_a_ticket_is_owed_something_and_none_else(
    story: list[CustomerEvent], said: list[BreachedTicket]
) -> None:
    cut_sets, events = CutSets(), [*story, *said]
    facts = facts_of(partial(CustomerFold, cut_sets, OPTIONS), standing(events), END_MS)[1]
    for at_ms in (*INSTANTS_MS, END_MS):
        owed = owes(events, at_ms)
        for whole, part in LEVELS:
            for currency in (EUR, USD):
                for cut in CUTS:
                    level = at(facts, cut_sets, whole.currency_slot(currency), cut, at_ms)
                    assert at(facts, cut_sets, part.currency_slot(currency), cut, at_ms) == (level if owed else 0)


@given(stories, words(), st.data())
@settings(max_examples=200, deadline=None)
def test_what_is_at_risk_now_stays_right_when_tickets_are_forgotten_and_events_come_late(
    story: list[CustomerEvent], said: list[BreachedTicket], data: st.DataObject
) -> None:
    cut_sets = CutSets()
    new_fold = partial(CustomerFold, cut_sets, OPTIONS)
    ended = [replace(word, breaches=word.breaches[: len(word.breaches) // 2 * 2]) for word in said]
    late = data.draw(st.integers(0, len(story)))
    entity = Entity(new_fold)
    passed_on: list[Fact] = []
    for event in [*story[late:], *ended]:
        passed_on += entity.apply(event, END_MS) or []
    last_words = {word.uid: replace(word, final=True) for word in ended}  # who has missed nothing has none
    for word in data.draw(st.permutations([word for word in last_words.values() if word.breaches])):
        assert not entity.apply(word, END_MS)
    if data.draw(st.booleans()):
        entity = Entity(new_fold, _unpack(msgspec.msgpack.encode(entity.history)), entity.clock_ms)
    kept = [event for event in entity.history if isinstance(event, BreachedTicket)]
    assert len(kept) == 1 or not any(word.breaches for word in last_words.values())
    owed = data.draw(st.booleans())
    new = [BreachedTicket(END_MS, "t:new", (END_MS,))] if owed else []
    for event in data.draw(st.permutations([*story[:late], *new])):
        passed_on += entity.apply(event, END_MS) or []
    for whole, part in LEVELS:
        for currency in (EUR, USD):
            for cut in CUTS:
                level = at(passed_on, cut_sets, whole.currency_slot(currency), cut, END_MS)
                assert at(passed_on, cut_sets, part.currency_slot(currency), cut, END_MS) == (level if owed else 0)


@given(stories, words(), st.booleans(), st.data())
@settings(max_examples=200, deadline=None)
def test_a_word_that_is_taken_in_at_rest_leaves_what_it_leaves_in_one_that_is_unpacked(
    story: list[CustomerEvent], said: list[BreachedTicket], subscribes: bool, data: st.DataObject
) -> None:
    retention = data.draw(st.sampled_from([None, Retention(closed_ms=8 * DAY_MS, open_ms=400 * DAY_MS)]))
    finals = [replace(word, final=True) for word in said if data.draw(st.booleans())]
    events = data.draw(st.permutations([*said, *finals, *(story if subscribes else ())]))
    cut_sets = CutSets()
    resting, unpacked = (Entities(ENTITY_KINDS["customer"], cut_sets, OPTIONS, retention) for _ in range(2))
    fed: list[tuple[HistoryEvent, int]] = []
    clock_ms = START_MS
    for event in events:
        clock_ms = max(clock_ms, data.draw(st.sampled_from(INSTANTS_MS)))
        fed.append((event, max(clock_ms, event.time_ms)))  # the customer's clock may be ahead of its shard's
    both_come_to_the_same(
        resting,
        unpacked,
        fed,
        lambda event: isinstance(event, BreachedTicket),
        lambda: data.draw(st.booleans()),
        END_MS,
    )


def test_a_word_of_one_who_has_never_paid_needs_no_fold_and_any_other_does() -> None:
    customers = Entities(ENTITY_KINDS["customer"], CutSets(), OPTIONS, None)
    word = BreachedTicket(START_MS, "t:1", (START_MS + DAY_MS,))
    assert customers.take_at_rest("C", word, END_MS)
    assert customers.take_at_rest("C", replace(word, breaches=(START_MS + DAY_MS, END_MS, END_MS + 1)), END_MS)
    assert not customers.take_at_rest("C", replace(word, breaches=(), uid="t:2"), END_MS)
    assert not customers.take_at_rest("C", replace(word, final=True), END_MS)
    assert not customers.take_at_rest("C", Paid(START_MS, "paid", "i1", 100, 978), END_MS)
