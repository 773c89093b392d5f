"""Laws of the ticket's facts that hold for every story."""

from __future__ import annotations

from collections import Counter
from functools import partial

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from stream_kpi.lifecycles.entity import Entity, facts_of
from stream_kpi.lifecycles.facts import TOTAL, Cut, CutSets, Fact, net, spelled_out
from stream_kpi.lifecycles.options import Options
from stream_kpi.lifecycles.ticket.contribution import contribution_of
from stream_kpi.lifecycles.ticket.events import Status, SurveySent, TicketEvent
from stream_kpi.lifecycles.ticket.fold import TicketFold
from stream_kpi.measures.registry import (
    BACKLOG,
    BUSINESS_RUNS,
    BUSINESS_STARTS_LESS_STOPS,
    BY_NUMBER,
    CES_EASY,
    CES_SCORE,
    COHORT_REOPENS,
    COHORT_SOLVES,
    COHORT_SURVEYS_ANSWERED,
    COHORT_SURVEYS_SENT,
    CSAT_ANSWERS,
    CSAT_CLASS_NEUTRAL,
    CSAT_CLASS_POOR,
    CSAT_CLASS_POSITIVE,
    CSAT_CLASS_VERY_POOR,
    CSAT_CLASS_VERY_POSITIVE,
    CSAT_POSITIVE,
    CSAT_SCORE,
    FCR_FIRST_CONTACT,
    FCR_SOLVES,
    FIRST_RESPONSE,
    FIRST_RESPONSE_BUSINESS,
    FIRST_RESPONSE_IN_TARGET,
    FIRST_SOLVES,
    NEXT_REPLY,
    NEXT_REPLY_BUSINESS,
    RESOLUTION_FIRST,
    RESOLUTION_FIRST_BUSINESS,
    RESOLUTION_FULL,
    RESOLUTION_FULL_BUSINESS,
    SLOTS_PER_MEASURE,
    TICKETS_CREATED,
    Kind,
    Measure,
)
from tests.strategies.schedules import ALWAYS_OPEN, BY_DIMENSION
from tests.strategies.tickets import DAY_MS, START_MS, ticket_stories, times_ms

CSAT_CLASSES = (
    CSAT_CLASS_VERY_POSITIVE,
    CSAT_CLASS_POSITIVE,
    CSAT_CLASS_NEUTRAL,
    CSAT_CLASS_POOR,
    CSAT_CLASS_VERY_POOR,
)
END_MS = START_MS + 100 * DAY_MS
BOTH_CLOCKS = {
    FIRST_RESPONSE: FIRST_RESPONSE_BUSINESS,
    NEXT_REPLY: NEXT_REPLY_BUSINESS,
    RESOLUTION_FIRST: RESOLUTION_FIRST_BUSINESS,
    RESOLUTION_FULL: RESOLUTION_FULL_BUSINESS,
}
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[TicketEvent]).decode


def kind_of(slot: int) -> Kind:
    return BY_NUMBER[slot // SLOTS_PER_MEASURE].kind


def in_order(story: list[TicketEvent]) -> list[TicketEvent]:
    return sorted(story, key=lambda event: event.order)


def final_facts(story: list[TicketEvent], cut_sets: CutSets, options: Options | None = None) -> list[Fact]:
    return spelled_out(facts_of(partial(TicketFold, cut_sets, options or Options()), in_order(story), END_MS)[1])


@given(ticket_stories())
@settings(max_examples=100, deadline=None)
def test_packing_and_unpacking_a_history_is_the_identity(story: list[TicketEvent]) -> None:
    assert _unpack(_pack(story)) == story


@given(ticket_stories())
@settings(max_examples=100, deadline=None)
def test_after_the_ticket_is_closed_it_is_in_no_level_and_in_no_set_that_ages(story: list[TicketEvent]) -> None:
    assume(story)
    last_ms = max(event.time_ms for event in story)
    cut_sets = CutSets()
    standing: Counter[tuple[int, Cut]] = Counter()
    members: Counter[tuple[int, Cut, int]] = Counter()
    for slot, _, cuts, value, sign in final_facts(
        [*story, Status(last_ms + 1, "z", "closed", "agent", None)], cut_sets
    ):
        for cut in cut_sets.cuts_of(cuts):
            if kind_of(slot) is Kind.LEVEL:
                standing[slot, cut] += sign * value
            elif kind_of(slot) is Kind.AGE:
                members[slot, cut, value] += sign
    assert not any(standing.values())
    assert not any(members.values())


@given(ticket_stories())
@settings(max_examples=100, deadline=None)
def test_at_every_instant_each_level_is_zero_or_one_and_the_backlogs_breakdowns_add_up_to_its_total(
    story: list[TicketEvent],
) -> None:
    cut_sets = CutSets()
    facts = [fact for fact in final_facts(story, cut_sets) if kind_of(fact[0]) is Kind.LEVEL]
    for now_ms in {fact[1] for fact in facts}:
        level: Counter[tuple[int, str]] = Counter()
        for slot, time_ms, cuts, value, sign in facts:
            if time_ms <= now_ms:
                for cut in cut_sets.cuts_of(cuts):
                    level[slot, cut[0] if cut else ""] += sign * value
        assert set(level.values()) <= {0, 1}
        backlog = {dimension: n for (slot, dimension), n in level.items() if slot == BACKLOG.slot}
        assert len(set(backlog.values())) == 1
        assert set(backlog) == {"", "channel", "priority", "category", "group", "brand", "status", "age_band"}


@given(ticket_stories())
@settings(max_examples=100, deadline=None)
def test_what_a_ticket_can_do_once_it_does_at_most_once_and_parts_never_exceed_their_whole(
    story: list[TicketEvent],
) -> None:
    cut_sets = CutSets()
    count: Counter[int] = Counter()
    for slot, _, cuts, _, sign in final_facts(story, cut_sets):
        if TOTAL in cut_sets.cuts_of(cuts):
            count[slot] += sign

    def n(measure: Measure) -> int:
        return count[measure.slot]

    assert 1 >= n(TICKETS_CREATED) >= n(FIRST_SOLVES) >= n(RESOLUTION_FULL) >= 0
    assert n(FIRST_SOLVES) == n(RESOLUTION_FIRST) == n(COHORT_SOLVES) >= n(COHORT_REOPENS) >= 0
    assert n(FIRST_SOLVES) >= n(FCR_SOLVES) >= n(FCR_FIRST_CONTACT) >= 0
    assert 1 >= n(FIRST_RESPONSE) >= n(FIRST_RESPONSE_IN_TARGET) >= 0
    assert n(CSAT_ANSWERS) == n(CSAT_SCORE) == sum(n(of_class) for of_class in CSAT_CLASSES) >= n(CSAT_POSITIVE) >= 0
    assert n(CES_SCORE) >= n(CES_EASY) >= 0
    sent = {(event.kind, event.survey_id) for event in story if isinstance(event, SurveySent)}
    assert len(sent) >= n(COHORT_SURVEYS_SENT) >= n(COHORT_SURVEYS_ANSWERED) >= 0


def on_business_clock(facts: list[Fact]) -> list[Fact]:
    """The facts of the durations, told as if they had been on the business clock."""
    twins = {calendar.slot: business.slot for calendar, business in BOTH_CLOCKS.items()}
    return [(twins[slot], *rest) for slot, *rest in facts if slot in twins]  # type: ignore[misc]


@given(ticket_stories())
@settings(max_examples=100, deadline=None)
def test_while_the_schedule_is_open_always_the_business_clock_says_what_the_calendar_says(
    story: list[TicketEvent],
) -> None:
    cut_sets = CutSets()
    without = final_facts(story, cut_sets)
    facts = final_facts(story, cut_sets, Options(schedules=ALWAYS_OPEN))
    # Of what runs, every window says the same (test_clock_laws), but the facts are others.
    runs = {BUSINESS_RUNS.number, BUSINESS_STARTS_LESS_STOPS.number}
    assert net(fact for fact in facts if fact[0] // SLOTS_PER_MEASURE not in runs) == net(
        [*without, *on_business_clock(without)]
    )


@given(ticket_stories())
@settings(max_examples=100, deadline=None)
def test_each_duration_has_its_business_time_which_is_never_longer(story: list[TicketEvent]) -> None:
    cut_sets = CutSets()
    facts = final_facts(story, cut_sets, Options(schedules=BY_DIMENSION))
    for calendar, business in BOTH_CLOCKS.items():
        one, other = ([fact for fact in facts if fact[0] == measure.slot] for measure in (calendar, business))
        assert len(one) == len(other)
        for (_, *at, calendar_ms, sign), (_, *business_at, business_ms, business_sign) in zip(one, other, strict=True):
            assert (at, sign) == (business_at, business_sign)
            assert 0 <= business_ms <= calendar_ms


@given(ticket_stories(), st.data())
@settings(max_examples=100, deadline=None)
def test_an_event_at_the_very_instant_of_a_due_moment_counts_before_it_whichever_comes_to_the_entity_first(
    story: list[TicketEvent], data: st.DataObject
) -> None:
    new_fold = partial(TicketFold, CutSets(), Options())
    fold = facts_of(new_fold, in_order(story), START_MS)[0]
    assume(fold.due)
    due_ms = data.draw(st.sampled_from(sorted(fold.due.values())))
    event = Status(due_ms, "z", data.draw(st.sampled_from(["open", "solved", "spam"])), "agent", None)
    before, after = Entity(new_fold), Entity(new_fold)
    facts: dict[str, Counter[Fact]] = {}
    for name, entity, advance_first in (("event first", before, False), ("moment first", after, True)):
        passed_on: list[Fact] = []
        for earlier in in_order(story):
            passed_on += entity.apply(earlier, earlier.time_ms) or []
        if advance_first:
            passed_on += entity.advance(due_ms)
        passed_on += entity.apply(event, due_ms) or []
        passed_on += entity.advance(END_MS)
        facts[name] = Counter()
        for slot, time_ms, cuts, value, sign in passed_on:
            facts[name][slot, time_ms, cuts, value, 1] += sign
    assert {k: n for k, n in facts["event first"].items() if n} == {k: n for k, n in facts["moment first"].items() if n}


@given(ticket_stories(), times_ms)
@settings(max_examples=100, deadline=None)
def test_the_sets_that_age_hold_a_ticket_as_its_facts_say(story: list[TicketEvent], clock_ms: int) -> None:
    fold, facts = facts_of(partial(TicketFold, CutSets(), Options()), in_order(story), clock_ms)
    members: Counter[tuple[int, int, int]] = Counter()
    for slot, _, cuts, start_ms, sign in spelled_out(facts):
        if kind_of(slot) is Kind.AGE:
            members[slot, cuts, start_ms] += sign
    stated = Counter((slot, cuts, start_ms) for slot, _, cuts, start_ms, _ in fold.memberships())
    assert stated == Counter({member: n for member, n in members.items() if n})


@given(ticket_stories())
@settings(max_examples=100, deadline=None)
def test_what_a_ticket_says_to_its_customer_is_at_any_time_what_follows_from_all_that_it_knows(
    story: list[TicketEvent],
) -> None:
    entity = Entity(partial(TicketFold, CutSets(), Options()))
    for event in story:
        entity.apply(event, max(event.time_ms, entity.clock_ms))
        assert isinstance(entity.fold, TicketFold)
        assert entity.fold.contribution() == contribution_of(entity.fold)
