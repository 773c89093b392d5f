from __future__ import annotations

from collections import Counter
from datetime import datetime
from functools import partial

import pytest

from stream_kpi.lifecycles.entity import Entity
from stream_kpi.lifecycles.facts import CutSets, Fact
from stream_kpi.lifecycles.options import Options
from stream_kpi.lifecycles.visitor.events import Acted, Converted, Visited, VisitorEvent
from stream_kpi.lifecycles.visitor.fold import VisitorFold
from stream_kpi.measures import registry
from stream_kpi.measures.registry import Measure

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
T = int(datetime.fromisoformat("2026-03-02T10:00:00+00:00").timestamp() * 1000)
ADS, MAIL = ("channel", "ads"), ("channel", "mail")


class Visitor:
    """A visitor under test."""

    def __init__(self) -> None:
        self.cut_sets = CutSets()
        self.entity = Entity(partial(VisitorFold, self.cut_sets, Options()))
        self.facts: list[Fact] = []

    def add(self, event: VisitorEvent) -> None:
        self.facts += self.entity.apply(event, max(event.time_ms, self.entity.clock_ms)) or []

    def visit(self, after_ms: int, channel: str | None = "ads", uid: str = "") -> None:
        self.add(Visited(T + after_ms, f"v{after_ms}{uid}", channel))

    def convert(self, after_ms: int, goal: str = "signup") -> None:
        self.add(Converted(T + after_ms, f"c{after_ms}{goal}", goal))

    def act(self, after_ms: int) -> None:
        self.add(Acted(T + after_ms, f"a{after_ms}"))

    def advance(self, after_ms: int) -> None:
        self.facts += self.entity.advance(T + after_ms)

    def stated(self, measure: Measure, cut: tuple[str, ...] = (), part: str | None = None) -> list[int]:
        """When the facts of a cut that stand were stated: milliseconds after T."""
        asked = measure.slot if part is None else measure.part_slot(part)
        standing: Counter[int] = Counter()
        for slot, time_ms, cuts, value, sign in self.facts:
            if slot == asked and cut in self.cut_sets.cuts_of(cuts):
                standing[time_ms - T] += value * sign
        assert all(n >= 0 for n in standing.values())
        return sorted(standing.elements())


def test_a_visitor_stands_at_the_latest_visit_and_once_in_each_window_with_fixed_bounds() -> None:
    visitor = Visitor()
    for after_ms in (0, MINUTE, 6 * MINUTE, 61 * MINUTE, DAY):
        visitor.visit(after_ms)
    for cut in ((), ADS):
        assert visitor.stated(registry.VISITORS, cut) == [DAY]
        assert visitor.stated(registry.VISITORS, cut, "5m") == [0, 6 * MINUTE, 61 * MINUTE, DAY]
        assert visitor.stated(registry.VISITORS, cut, "1h") == [0, 61 * MINUTE, DAY]
        assert visitor.stated(registry.VISITORS, cut, "1d") == [0, DAY]
        assert visitor.stated(registry.VISITORS, cut, "month") == [0]
    assert visitor.stated(registry.CONVERTED_VISITORS) == []


def test_who_came_by_two_channels_counts_once_in_the_total_and_under_both() -> None:
    visitor = Visitor()
    visitor.visit(0, "ads")
    visitor.visit(MINUTE, "mail")
    assert visitor.stated(registry.VISITORS) == [MINUTE]
    assert visitor.stated(registry.VISITORS, ADS) == [0]
    assert visitor.stated(registry.VISITORS, MAIL) == [MINUTE]
    visitor.convert(2 * MINUTE)
    assert visitor.stated(registry.CONVERTED_VISITORS) == [MINUTE]
    assert visitor.stated(registry.CONVERTED_VISITORS, ADS) == [0]
    assert visitor.stated(registry.CONVERTED_VISITORS, MAIL) == [MINUTE]
    assert visitor.stated(registry.CONVERTED_VISITORS, (), "5m") == [2 * MINUTE]


def test_visit_and_conversion_count_together_only_in_windows_that_hold_both() -> None:
    visitor = Visitor()
    visitor.visit(0)
    visitor.convert(10 * MINUTE)
    assert visitor.stated(registry.CONVERTED_VISITORS) == [0]  # every window that ends now and holds the visit
    assert visitor.stated(registry.CONVERTED_VISITORS, (), "5m") == []
    assert visitor.stated(registry.CONVERTED_VISITORS, (), "1h") == [10 * MINUTE]
    visitor.visit(11 * MINUTE)
    assert visitor.stated(registry.CONVERTED_VISITORS) == [10 * MINUTE]
    assert visitor.stated(registry.CONVERTED_VISITORS, (), "5m") == [11 * MINUTE]
    assert visitor.stated(registry.CONVERTED_VISITORS, (), "1h") == [10 * MINUTE]


def test_each_goal_counts_those_who_reached_it() -> None:
    visitor = Visitor()
    visitor.visit(0)
    visitor.convert(MINUTE, "signup")
    visitor.convert(2 * MINUTE, "demo")
    visitor.convert(3 * MINUTE, "demo")
    visitor.visit(4 * MINUTE)
    assert visitor.stated(registry.CONVERTED_VISITORS) == [3 * MINUTE]
    assert visitor.stated(registry.CONVERTED_VISITORS, ("goal", "signup")) == [MINUTE]
    assert visitor.stated(registry.CONVERTED_VISITORS, ("goal", "demo")) == [3 * MINUTE]
    assert visitor.stated(registry.CONVERTED_VISITORS, ("goal", "demo"), "5m") == [2 * MINUTE]
    assert visitor.stated(registry.VISITORS, ("goal", "demo")) == []


def test_a_conversion_without_a_visit_counts_when_the_late_visit_comes() -> None:
    visitor = Visitor()
    visitor.convert(MINUTE)
    assert visitor.facts == []
    visitor.visit(0)
    assert visitor.stated(registry.CONVERTED_VISITORS) == [0]
    assert visitor.stated(registry.CONVERTED_VISITORS, (), "5m") == [MINUTE]


def test_a_visit_alone_for_thirty_minutes_is_a_bounce_and_counts_when_it_was() -> None:
    visitor = Visitor()
    visitor.visit(0)
    visitor.advance(30 * MINUTE - 1)
    assert visitor.stated(registry.COHORT_VISITS) == []
    visitor.advance(30 * MINUTE)
    assert visitor.stated(registry.COHORT_VISITS, ADS) == visitor.stated(registry.COHORT_BOUNCES, ADS) == [0]


@pytest.mark.parametrize(("after_ms", "bounces"), [(0, 0), (30 * MINUTE, 0), (30 * MINUTE + 1, 1)])
def test_any_other_signal_from_the_visit_on_until_thirty_minutes_later_makes_it_no_bounce(
    after_ms: int, bounces: int
) -> None:
    acting, converting, returning = Visitor(), Visitor(), Visitor()
    for visitor in (acting, converting, returning):
        visitor.visit(0)
    acting.act(after_ms)
    converting.convert(after_ms)
    returning.visit(after_ms, uid="again")
    for visitor in (acting, converting, returning):
        visitor.advance(31 * MINUTE)
        assert visitor.stated(registry.COHORT_BOUNCES) == [0] * bounces
    returning.advance(DAY)
    assert returning.stated(registry.COHORT_VISITS) == [0, after_ms]
    assert returning.stated(registry.COHORT_BOUNCES) == [0] * bounces + ([after_ms] if after_ms else [])


def test_a_signal_that_comes_late_takes_the_bounce_back_and_leaves_the_visit() -> None:
    visitor = Visitor()
    visitor.visit(0)
    visitor.advance(DAY)
    assert visitor.stated(registry.COHORT_BOUNCES) == [0]
    visitor.act(10 * MINUTE)
    assert visitor.stated(registry.COHORT_BOUNCES) == []
    assert visitor.stated(registry.COHORT_VISITS) == [0]


def test_of_activity_without_a_pause_only_what_can_matter_is_kept() -> None:
    visitor = Visitor()
    visitor.visit(0)
    for minute in range(1, 241):
        visitor.act(minute * MINUTE)
    assert len(visitor.entity.history) < 20
    visitor.visit(100 * MINUTE + 1)  # a late one, into the middle
    visitor.act(150 * MINUTE)  # delivered again
    visitor.advance(DAY)
    assert visitor.stated(registry.COHORT_BOUNCES) == []
    assert len(visitor.stated(registry.COHORT_VISITS)) == 2
    assert len(visitor.entity.history) < 20
    assert not visitor.entity.fold.closed
