"""Laws of what visitors, users, mentions, costs and surveys state, against models that look at every window anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stream_kpi.lifecycles.customer_survey.events import CustomerSurveyEvent, SurveyAnswered, SurveySent
from stream_kpi.lifecycles.entity import Entity, facts_of
from stream_kpi.lifecycles.facts import CutSets, Fact, net
from stream_kpi.lifecycles.history import HistoryEvent
from stream_kpi.lifecycles.options import Options
from stream_kpi.lifecycles.user.events import Performed, SignedUp, UserEvent
from stream_kpi.lifecycles.visitor.events import Converted, Visited, VisitorEvent
from stream_kpi.measures import registry
from stream_kpi.measures.registry import Measure
from stream_kpi.pipeline import ENTITY_KINDS
from stream_kpi.windows.zones import floor_1h, floor_5m, floor_day, floor_month
from tests.strategies.signals import (
    DAY_MS,
    END_MS,
    MINUTE_MS,
    USER_INSTANTS_MS,
    VISITOR_INSTANTS_MS,
    cost_stories,
    mention_stories,
    survey_stories,
    user_stories,
    visitor_stories,
)

OPTIONS = Options(zone="Europe/Berlin", activation_action="invite")
ZONE = ZoneInfo("Europe/Berlin")
STORIES: dict[str, st.SearchStrategy[Any]] = {
    "visitor": visitor_stories(),
    "user": user_stories(),
    "mention": mention_stories(),
    "cost": cost_stories(),
    "survey": survey_stories(),
}
FIXED: list[tuple[str, Callable[[int], int]]] = [
    ("5m", floor_5m),
    ("1h", lambda ms: floor_1h(ms, ZONE)),
    ("1d", lambda ms: floor_day(ms, ZONE)),
    ("month", lambda ms: floor_month(ms, ZONE)),
]
Cut = tuple[str, ...]


def in_order(story: Sequence[HistoryEvent]) -> list[HistoryEvent]:
    return sorted(story, key=lambda event: event.order)


class Facts:
    """Facts of a story by slot and cut, to be summed over time."""

    def __init__(self, kind: str, story: Sequence[HistoryEvent], clock_ms: int) -> None:
        cut_sets = CutSets()
        new_fold = partial(ENTITY_KINDS[kind].new_fold, cut_sets, OPTIONS)
        known = [event for event in in_order(story) if event.time_ms <= clock_ms]
        self.rows = [
            (slot, cut, time_ms, value * sign)
            for slot, time_ms, cuts, value, sign in facts_of(new_fold, known, clock_ms)[1]
            for cut in cut_sets.cuts_of(cuts)
        ]

    def total(self, slot: int, cut: Cut, start_ms: int, end_ms: int) -> int:
        """What was stated in [start, end)."""
        return sum(v for s, c, t, v in self.rows if s == slot and c == cut and start_ms <= t < end_ms)


@pytest.mark.parametrize("kind", STORIES)
@given(data=st.data())
@settings(max_examples=120, deadline=None)
def test_what_is_passed_on_does_not_depend_on_arrival_duplicates_packing_or_how_the_clock_ran(
    kind: str, data: st.DataObject
) -> None:
    story: list[Any] = data.draw(STORIES[kind])
    repeats = data.draw(st.lists(st.sampled_from(story), max_size=3)) if story else []
    new_fold = partial(ENTITY_KINDS[kind].new_fold, CutSets(), OPTIONS)
    unpack = new_fold().history_decoder.decode
    entity = Entity(new_fold)
    passed_on: list[Fact] = []
    clock_ms = VISITOR_INSTANTS_MS[0]
    seen: list[Any] = []
    for event in data.draw(st.permutations(story + repeats)):
        clock_ms = max(clock_ms, event.time_ms, data.draw(st.sampled_from(USER_INSTANTS_MS)))
        facts = entity.apply(event, clock_ms)
        assert facts is not None or event in seen
        passed_on += [*(facts or []), *entity.advance(clock_ms)]
        seen += [] if event in seen else [event]
        assert net(passed_on) == net(facts_of(new_fold, in_order(seen), clock_ms)[1])
        assert all(fact[1] <= clock_ms for fact in passed_on)
        if data.draw(st.booleans()):
            entity = Entity(new_fold, unpack(msgspec.msgpack.encode(entity.history)), entity.clock_ms)
    passed_on += entity.advance(END_MS)
    assert net(passed_on) == net(facts_of(new_fold, in_order(story), END_MS)[1])


def visited(story: list[VisitorEvent], cut: Cut, start_ms: int, end_ms: int) -> bool:
    by = cut[1] if cut and cut[0] == "channel" else None
    visits = [event for event in story if isinstance(event, Visited) and start_ms <= event.time_ms < end_ms]
    return any(by is None or (event.channel or "unknown") == by for event in visits)


def converted(story: list[VisitorEvent], cut: Cut, start_ms: int, end_ms: int) -> bool:
    goal = cut[1] if cut and cut[0] == "goal" else None
    reached = [event for event in story if isinstance(event, Converted) and start_ms <= event.time_ms < end_ms]
    return any(goal is None or event.goal == goal for event in reached)


@given(visitor_stories(), st.sampled_from(VISITOR_INSTANTS_MS))
@settings(max_examples=150, deadline=None)
def test_a_visitor_counts_once_in_every_window_and_as_converted_if_it_holds_both(
    story: list[VisitorEvent], now_ms: int
) -> None:
    facts = Facts("visitor", story, now_ms)
    known = [event for event in story if event.time_ms <= now_ms]
    windows = [(registry.DISTINCT_PARTS.index(part) + 1, start_of(now_ms)) for part, start_of in FIXED]
    windows += [(0, start_ms) for start_ms in VISITOR_INSTANTS_MS if start_ms <= now_ms]
    for component, start_ms in windows:
        for cut in ((), ("channel", "ads"), ("channel", "mail"), ("channel", "unknown"), ("goal", "demo")):
            both = visited(known, cut, start_ms, now_ms + 1) and converted(known, cut, start_ms, now_ms + 1)
            slot = registry.CONVERTED_VISITORS.slot + component
            assert facts.total(slot, cut, start_ms, now_ms + 1) == both
            if not cut or cut[0] == "channel":
                slot = registry.VISITORS.slot + component
                assert facts.total(slot, cut, start_ms, now_ms + 1) == visited(known, cut, start_ms, now_ms + 1)


@given(visitor_stories())
@settings(max_examples=150, deadline=None)
def test_a_past_window_with_fixed_bounds_holds_what_happened_in_it_whatever_came_later(
    story: list[VisitorEvent],
) -> None:
    facts = Facts("visitor", story, END_MS)
    for part, start_of in FIXED:
        for start_ms in {start_of(event.time_ms) for event in story}:
            end_ms = max(event.time_ms for event in story if start_of(event.time_ms) == start_ms) + 1
            for cut in ((), ("channel", "ads"), ("goal", "signup")):
                both = visited(story, cut, start_ms, end_ms) and converted(story, cut, start_ms, end_ms)
                slot = registry.CONVERTED_VISITORS.part_slot(part)
                assert facts.total(slot, cut, start_ms, end_ms) == both


@given(visitor_stories())
@settings(max_examples=150, deadline=None)
def test_a_bounce_is_a_visit_that_nothing_followed_for_half_an_hour(story: list[VisitorEvent]) -> None:
    facts = Facts("visitor", story, END_MS)
    visits = [event for event in story if isinstance(event, Visited)]
    for time_ms in VISITOR_INSTANTS_MS:
        here = [event for event in visits if event.time_ms == time_ms]
        others = [event for event in story if 0 <= event.time_ms - time_ms <= 30 * MINUTE_MS]
        assert facts.total(registry.COHORT_VISITS.slot, (), time_ms, time_ms + 1) == len(here)
        bounces = len(here) == 1 == len(others)
        assert facts.total(registry.COHORT_BOUNCES.slot, (), time_ms, time_ms + 1) == bounces


LEVELS: list[tuple[Measure, int]] = [
    (registry.DAILY_ACTIVE_USERS, DAY_MS),
    (registry.WEEKLY_ACTIVE_USERS, 7 * DAY_MS),
    (registry.MONTHLY_ACTIVE_USERS, 30 * DAY_MS),
]


@given(user_stories(), st.sampled_from(USER_INSTANTS_MS))
@settings(max_examples=150, deadline=None)
def test_a_user_is_active_while_an_activity_of_the_trailing_time_says_so(story: list[UserEvent], clock_ms: int) -> None:
    facts = Facts("user", story, clock_ms)
    for measure, length_ms in LEVELS:
        for at_ms in [ms for ms in USER_INSTANTS_MS if ms <= clock_ms]:
            for cut in ((), ("plan", "pro"), ("plan", "team"), ("plan", "unknown")):
                active = any(
                    event.time_ms <= at_ms < event.time_ms + length_ms
                    for event in story
                    if isinstance(event, Performed) and (not cut or (event.plan or "unknown") == cut[1])
                )
                assert facts.total(measure.slot, cut, 0, at_ms + 1) == active


@given(user_stories())
@settings(max_examples=150, deadline=None)
def test_the_first_sign_up_is_activated_by_the_action_within_the_week(story: list[UserEvent]) -> None:
    facts = Facts("user", story, END_MS)
    signups = [event for event in in_order(story) if isinstance(event, SignedUp)]
    stated = [facts.total(measure.slot, (), 0, END_MS) for measure in registry.ACTIVATION_COHORT]
    if not signups:
        assert stated == [0, 0]
        return
    first_ms = signups[0].time_ms
    activated = any(
        isinstance(event, Performed) and event.action == "invite" and 0 <= event.time_ms - first_ms <= 7 * DAY_MS
        for event in story
    )
    assert stated == [1, activated]


@given(cost_stories(), st.sampled_from(USER_INSTANTS_MS))
@settings(max_examples=100, deadline=None)
def test_a_costs_shares_add_up_and_none_comes_before_its_day(story: list[Any], clock_ms: int) -> None:
    facts, ahead = Facts("cost", story, END_MS), Facts("cost", story, clock_ms)
    for kind, measure in (("support", registry.SUPPORT_COST), ("acquisition", registry.ACQUISITION_COST)):
        for currency in (978, 840):
            recorded = sum(event.amount for event in story if (event.kind, event.currency) == (kind, currency))
            assert facts.total(measure.currency_slot(currency), (), 0, END_MS) == recorded
    assert all(time_ms <= clock_ms for _, _, time_ms, _ in ahead.rows)


@given(survey_stories())
@settings(max_examples=150, deadline=None)
def test_a_survey_rates_once_as_its_last_answer_says_where_the_first_one_counts(
    story: list[CustomerSurveyEvent],
) -> None:
    facts = Facts("survey", story, END_MS)
    for kind, score, top in (("csat", registry.CSAT_SCORE, 5), ("ces", registry.CES_SCORE, 7)):
        answers = [event for event in in_order(story) if isinstance(event, SurveyAnswered) and event.kind == kind]
        stated = sum(value for slot, cut, _, value in facts.rows if slot == score.slot and not cut)
        if not answers:
            assert stated == 0
            continue
        first, last = answers[0], answers[-1]
        cut = ("channel", first.channel or "unknown")
        assert stated == facts.total(score.slot, cut, first.time_ms, first.time_ms + 1)
        assert stated == round((1 + (top - 1) * last.score / 4) * 1_000_000)


@given(survey_stories())
@settings(max_examples=150, deadline=None)
def test_of_the_questions_that_were_sent_those_answered_by_a_week_later_are_answered(
    story: list[CustomerSurveyEvent],
) -> None:
    facts = Facts("survey", story, END_MS)
    for kind in ("csat", "ces", "nps"):
        ours = [event for event in story if event.kind == kind]
        sent_ms = [event.time_ms for event in ours if isinstance(event, SurveySent)]
        decided_ms = min(sent_ms, default=0) + 7 * DAY_MS
        answered = any(isinstance(event, SurveyAnswered) and event.time_ms <= decided_ms for event in ours)
        stated = [facts.total(measure.slot, ("kind", kind), 0, END_MS) for measure in registry.SURVEY_COHORT]
        assert stated == [bool(sent_ms), bool(sent_ms) and answered]
