"""Laws of a customer's whole view, against models that look at everything that stands anew."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from stream_kpi.entities import SMALL_BYTES, Entities, Retention
from stream_kpi.lifecycles.contribution import NpsAnswer, Resolution
from stream_kpi.lifecycles.entity import Entity, facts_of
from stream_kpi.lifecycles.facts import CutSets, Fact, net
from stream_kpi.lifecycles.history import HistoryEvent
from stream_kpi.lifecycles.options import Options
from stream_kpi.lifecycles.relationship.events import Answered, ChatContact, RelationshipEvent, TicketContact, Withdrawn
from stream_kpi.lifecycles.relationship.fold import RelationshipFold
from stream_kpi.measures import registry
from stream_kpi.pipeline import ENTITY_KINDS
from stream_kpi.windows.zones import floor_1h, floor_5m, floor_day, floor_month
from tests.at_rest import both_come_to_the_same
from tests.strategies.relationships import DAY_MS, END_MS, INSTANTS_MS, START_MS, relationship_stories

OPTIONS = Options(zone="Europe/Berlin")
ZONE = ZoneInfo("Europe/Berlin")
FIXED: dict[str, Callable[[int], int]] = {
    "5m": floor_5m,
    "1h": lambda ms: floor_1h(ms, ZONE),
    "1d": lambda ms: floor_day(ms, ZONE),
    "month": lambda ms: floor_month(ms, ZONE),
}
_unpack: Callable[[bytes], list[Any]] = msgspec.msgpack.Decoder(list[RelationshipEvent]).decode


def standing(story: list[RelationshipEvent]) -> list[RelationshipEvent]:
    """The last word of each, and all answers, in their order."""
    return sorted({event.uid: event for event in story}.values(), key=lambda event: event.order)


def facts_in_cut(
    story: list[RelationshipEvent], clock_ms: int, cut: tuple[str, ...] = ()
) -> list[tuple[int, int, int]]:
    """Slot, time and amount."""
    cut_sets = CutSets()
    facts = facts_of(partial(RelationshipFold, cut_sets, OPTIONS), standing(story), clock_ms)[1]
    return [(slot, ms, value * sign) for slot, ms, cuts, value, sign in facts if cut in cut_sets.cuts_of(cuts)]


def total(facts: list[tuple[int, int, int]], slot: int, start_ms: int, end_ms: int = END_MS) -> int:
    return sum(amount for one, ms, amount in facts if one == slot and start_ms <= ms < end_ms)


@given(relationship_stories(), st.data())
@settings(max_examples=200, deadline=None)
def test_what_is_passed_on_is_what_follows_from_the_last_words_whatever_was_said_before_or_twice(
    story: list[RelationshipEvent], data: st.DataObject
) -> None:
    new_fold = partial(RelationshipFold, CutSets(), OPTIONS)
    entity = Entity(new_fold)
    passed_on: list[Fact] = []
    clock_ms, told = START_MS - DAY_MS, list[RelationshipEvent]()
    for event in story:
        clock_ms = max(clock_ms, event.time_ms, data.draw(st.sampled_from(INSTANTS_MS)))
        for _ in range(data.draw(st.sampled_from([1, 1, 2]))):
            passed_on += entity.apply(event, clock_ms) or []
        passed_on += entity.advance(clock_ms)
        told.append(event)
        assert net(passed_on) == net(facts_of(new_fold, standing(told), clock_ms)[1])
        if data.draw(st.booleans()):
            entity = Entity(new_fold, _unpack(msgspec.msgpack.encode(entity.history)), entity.clock_ms)
    passed_on += entity.advance(END_MS)
    assert net(passed_on) == net(facts_of(new_fold, standing(story), END_MS)[1])


@given(relationship_stories(), st.data())
@settings(max_examples=100, deadline=None)
def test_words_of_different_tickets_and_chats_may_come_in_any_order(
    story: list[RelationshipEvent], data: st.DataObject
) -> None:
    new_fold = partial(RelationshipFold, CutSets(), OPTIONS)
    entity = Entity(new_fold)
    passed_on: list[Fact] = []
    for event in data.draw(st.permutations(standing(story))):
        passed_on += entity.apply(event, data.draw(st.sampled_from(INSTANTS_MS))) or []
    passed_on += entity.advance(END_MS)
    assert net(passed_on) == net(facts_of(new_fold, standing(story), END_MS)[1])


@given(relationship_stories(), st.data())
@settings(max_examples=150, deadline=None)
def test_contacts_that_have_said_their_last_word_are_forgotten_and_nothing_changes_by_it(
    story: list[RelationshipEvent], data: st.DataObject
) -> None:
    new_fold = partial(RelationshipFold, CutSets(), OPTIONS)
    entity = Entity(new_fold)
    passed_on: list[Fact] = []
    for event in story:
        passed_on += entity.apply(event, event.time_ms) or []
    passed_on += entity.advance(END_MS)
    last_words = [replace(one, final=True) for one in standing(story) if isinstance(one, TicketContact | ChatContact)]
    said: list[RelationshipEvent] = data.draw(st.permutations(last_words))
    for event in said:
        assert not entity.apply(event, END_MS)
        if data.draw(st.booleans()):
            entity = Entity(new_fold, _unpack(msgspec.msgpack.encode(entity.history)), entity.clock_ms)
    kept = [event for event in entity.history if isinstance(event, TicketContact | ChatContact)]
    assert sum(not event.answers for event in kept) <= 1
    assert entity.fold.closed or all_answers(story)
    new = TicketContact(END_MS, "t:new", None, None, ())
    dimensions = ("email", "high", "unknown", "g", "b")
    resolved = replace(new, resolution=Resolution(END_MS + 1, dimensions, first_contact=True))
    for event in (new, resolved):
        passed_on += entity.apply(event, END_MS + 1) or []
    passed_on += entity.advance(END_MS + 30 * DAY_MS)
    everything = standing([*story, resolved])
    assert net(passed_on) == net(facts_of(new_fold, everything, END_MS + 30 * DAY_MS)[1])


@given(relationship_stories(), st.data())
@settings(max_examples=200, deadline=None)
def test_a_word_that_is_taken_in_at_rest_leaves_what_it_leaves_in_one_that_is_unpacked(
    story: list[RelationshipEvent], data: st.DataObject
) -> None:
    retention = data.draw(st.sampled_from([None, Retention(closed_ms=8 * DAY_MS, open_ms=400 * DAY_MS)]))
    cut_sets = CutSets()
    resting, unpacked = (Entities(ENTITY_KINDS["relationship"], cut_sets, OPTIONS, retention) for _ in range(2))
    fed: list[tuple[HistoryEvent, int]] = []
    clock_ms = START_MS - DAY_MS
    for event in story:
        clock_ms = max(clock_ms, data.draw(st.sampled_from(INSTANTS_MS)))
        fed.append((event, max(clock_ms, event.time_ms)))  # the customer's clock may be ahead of its shard's
    both_come_to_the_same(resting, unpacked, fed, lambda _: True, lambda: data.draw(st.booleans()), END_MS)


def test_a_word_of_what_is_decided_by_the_customers_own_clock_is_not_for_one_at_rest() -> None:
    cut_sets = CutSets()
    resting, unpacked = (Entities(ENTITY_KINDS["relationship"], cut_sets, OPTIONS, None) for _ in range(2))
    ahead = TicketContact(START_MS + 10 * DAY_MS, "t:1", "bug", None, ())
    dimensions = ("email", "high", "bug", "g", "b")
    decided = TicketContact(START_MS, "t:2", "bug", Resolution(START_MS + 1, dimensions, first_contact=True), ())
    fed = [(ahead, ahead.time_ms), (decided, START_MS + DAY_MS)]
    both_come_to_the_same(resting, unpacked, fed, lambda _: True, lambda: False, START_MS + 30 * DAY_MS)


def test_a_word_that_is_told_again_and_again_does_not_fill_one_at_rest() -> None:
    customers = Entities(ENTITY_KINDS["relationship"], CutSets(), OPTIONS, None)
    words = [TicketContact(START_MS + number, f"t:{number}", "bug", None, ()) for number in range(3)]
    assert all(customers.take_at_rest("C", word, END_MS) for word in words * 1_000)
    assert len(customers.cold["C"]) < SMALL_BYTES + 100
    assert customers.find("C").history == words


def decided(story: list[RelationshipEvent], kind: type[Any], window_ms: int, clock_ms: int) -> tuple[int, int]:
    """How many were resolved long enough ago, and of how many it is confirmed."""
    contacts = [event for event in standing(story) if isinstance(event, kind)]
    resolved = confirmed = 0
    for contact in contacts:
        resolution = contact.resolution
        if resolution is None or resolution.time_ms + window_ms > clock_ms:
            continue
        resolved += 1
        after_ms, until_ms = max(resolution.time_ms, contact.time_ms), resolution.time_ms + window_ms
        undone = resolution.undone_ms is not None and resolution.undone_ms <= until_ms
        about = resolution.dimensions[2] if kind is TicketContact else None
        again = [
            other
            for other in contacts
            if other is not contact
            and after_ms < other.time_ms <= until_ms
            and (kind is ChatContact or (other.category or "unknown") == about)
        ]
        confirmed += resolution.first_contact and not undone and not again
    return resolved, confirmed


@pytest.mark.parametrize(
    ("kind", "window_ms", "cohort"),
    [
        (TicketContact, 7 * DAY_MS, registry.FCR_COHORT),
        (ChatContact, DAY_MS, registry.CHAT_FCR_COHORT),
    ],
)
@given(relationship_stories(), st.sampled_from(INSTANTS_MS))
@settings(max_examples=150, deadline=None)
def test_a_contact_is_confirmed_if_nothing_about_the_same_followed_in_the_window(
    kind: type[Any], window_ms: int, cohort: tuple[Any, Any], story: list[RelationshipEvent], clock_ms: int
) -> None:
    clock_ms = max([clock_ms, *(event.time_ms for event in story)])
    facts = facts_in_cut(story, clock_ms)
    assert tuple(total(facts, measure.slot, 0) for measure in cohort) == decided(story, kind, window_ms, clock_ms)


def all_answers(story: list[RelationshipEvent]) -> list[tuple[int, str, str, int]]:
    """Time, origin, survey and rating of each survey's answer, in order."""
    found: dict[tuple[str, str], tuple[NpsAnswer, int]] = {}
    for event in standing(story):
        if isinstance(event, Withdrawn):
            continue
        origin, answers = ("", (event.answer,)) if isinstance(event, Answered) else (event.uid, event.answers)
        for answer in answers:
            first = found.get((origin, answer.survey_id), (answer, 0))[0]
            found[origin, answer.survey_id] = (first, answer.rating)
    return sorted((first.time_ms, *survey, rating) for survey, (first, rating) in found.items())


@given(relationship_stories(), st.sampled_from(INSTANTS_MS))
@settings(max_examples=150, deadline=None)
def test_a_customer_counts_by_the_last_answer_in_every_window(story: list[RelationshipEvent], start_ms: int) -> None:
    facts, answers = facts_in_cut(story, END_MS), all_answers(story)

    def expect(inside: list[tuple[int, str, str, int]], component: int, start_ms: int, end_ms: int = END_MS) -> None:
        counts = [
            total(facts, measure.slot + component, start_ms, end_ms)
            for measure in (registry.NPS_ANSWERS, registry.NPS_PROMOTERS, registry.NPS_DETRACTORS)
        ]
        rating = inside[-1][3] if inside else 0
        assert counts == [bool(inside), rating == 1, rating == -1]

    expect([answer for answer in answers if answer[0] >= start_ms], 0, start_ms)
    for part, floor in FIXED.items():
        window_ms = floor(start_ms)
        inside = [answer for answer in answers if floor(answer[0]) == window_ms]
        end_ms = next((ms for ms in sorted(floor(a[0]) for a in answers) if ms > window_ms), END_MS)
        expect(inside, registry.NPS_ANSWERS.part_slot(part) - registry.NPS_ANSWERS.slot, window_ms, end_ms)
