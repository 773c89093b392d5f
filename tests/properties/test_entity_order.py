"""The engine's promise: what an entity has passed on is what one fold over its sorted history gives."""

from __future__ import annotations

from collections import Counter
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from stream_kpi.lifecycles.entity import Entity, facts_of
from stream_kpi.lifecycles.facts import CutSets, Fact, net
from stream_kpi.lifecycles.options import Options
from stream_kpi.lifecycles.ticket.events import TicketEvent
from stream_kpi.lifecycles.ticket.fold import TicketFold
from tests.strategies.schedules import BY_DIMENSION
from tests.strategies.tickets import DAY_MS, START_MS, ticket_stories, times_ms

OPTIONS = st.sampled_from(
    [
        Options(),
        Options(terminal_statuses=frozenset({"closed"}), auto_resolve_counts=False),
        Options(include_agent_created=False, reopen_window_ms=DAY_MS),
        Options(schedules=BY_DIMENSION),
        Options(first_response_start="creation", first_response_agent_created="include", fcr_rule="one_agent"),
        Options(
            first_response_start="bot_handoff_or_reopen",
            first_response_count_notes=True,
            fcr_rule="zero_customer_followups",
            schedules=BY_DIMENSION,
        ),
        Options(first_response_count_bot=True, first_response_agent_created="second_comment", fcr_rule="one_reply"),
        Options(requester_wait_statuses=frozenset({"new", "pending"}), on_hold_statuses=frozenset({"pending"})),
    ]
)
END_MS = START_MS + 100 * DAY_MS


@st.composite
def arrivals(draw: st.DrawFn) -> list[TicketEvent]:
    """A story in any order, some of its events more than once."""
    story = draw(ticket_stories())
    again = draw(st.lists(st.sampled_from(story), max_size=3)) if story else []
    return draw(st.permutations(story + again))


def sorted_once(events: list[TicketEvent]) -> list[TicketEvent]:
    return sorted({event.uid: event for event in events}.values(), key=lambda event: event.order)


@given(arrivals(), OPTIONS, st.data())
@settings(max_examples=150, deadline=None)
def test_any_order_any_repeats_and_any_clock_end_in_the_facts_of_the_sorted_history(
    events: list[TicketEvent], options: Options, data: st.DataObject
) -> None:
    new_fold = partial(TicketFold, CutSets(), options)
    entity = Entity(new_fold)
    passed_on: list[Fact] = []
    problems: Counter[str] = Counter()
    clock_ms = 0
    seen: list[TicketEvent] = []
    for event in events:
        clock_ms = max(clock_ms, event.time_ms + data.draw(st.sampled_from([0, 0, 1, DAY_MS])))
        facts = entity.apply(event, clock_ms)
        passed_on += entity.advance(clock_ms) if facts is None else facts
        problems.update(entity.take_problems())
        if data.draw(st.booleans()):
            clock_ms = max(clock_ms, data.draw(times_ms))
            passed_on += entity.advance(clock_ms)
        seen.append(event)
        fold, expected = facts_of(new_fold, sorted_once(seen), clock_ms)
        assert net(passed_on) == net(expected)
        assert problems >= Counter(fold.problems)  # a problem that a later event explains has been counted all the same
    passed_on += entity.advance(END_MS)
    fold, expected = facts_of(new_fold, sorted_once(events), END_MS)
    assert net(passed_on) == net(expected)
    assert entity.fold.closed == fold.closed


@given(arrivals(), OPTIONS, st.data())
@settings(max_examples=100, deadline=None)
def test_an_entity_that_was_packed_and_unpacked_goes_on_as_if_it_had_not_been(
    events: list[TicketEvent], options: Options, data: st.DataObject
) -> None:
    new_fold = partial(TicketFold, CutSets(), options)
    kept, repacked = Entity(new_fold), Entity(new_fold)
    clock_ms = 0
    for event in events:
        clock_ms = max(clock_ms, event.time_ms)
        if data.draw(st.booleans()):
            repacked = Entity(new_fold, list(repacked.history), repacked.clock_ms)
        assert net(repacked.apply(event, clock_ms) or []) == net(kept.apply(event, clock_ms) or [])
        assert sorted(repacked.take_problems()) == sorted(kept.take_problems())
        assert repacked.fold.next_due_ms() == kept.fold.next_due_ms()
    assert net(repacked.advance(END_MS)) == net(kept.advance(END_MS))
