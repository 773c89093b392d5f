"""Every kind of measure is a commutative group: merging in any order, split or grouping, and taking back."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_kpi.calendars.config import MOST_SCHEDULES
from stream_kpi.lifecycles.facts import spelled_out
from stream_kpi.measures import compound, registry
from stream_kpi.measures.histogram import Stats, duration_stats, score_stats
from stream_kpi.measures.registry import (
    BACKLOG,
    BY_NUMBER,
    CLOCK_SETS,
    CLOCKS_OF_SCHEDULE,
    CSAT_SCORE,
    FIRST_RESPONSE,
    MEASURES,
    MRR,
    SLOTS_PER_MEASURE,
    TICKETS_CREATED,
    Kind,
    Measure,
)
from stream_kpi.measures.vector import Vector, add_into, subtract
from tests.histogram_kit import duration_slots, score_slots

VALUES = {
    TICKETS_CREATED: st.just(1),
    BACKLOG: st.integers(-3, 3),
    MRR: st.integers(-(10**12), 10**12),
    FIRST_RESPONSE: st.integers(0, 300 * 86_400_000),
    CSAT_SCORE: st.integers(1_000_000, 5_000_000),
}
Fact = tuple[Measure, int]
FACTS = st.lists(st.sampled_from(list(VALUES)).flatmap(lambda m: VALUES[m].map(lambda value: (m, value))), max_size=12)


def vector_of(facts: Sequence[Fact]) -> Vector:
    """Facts added up one by one."""
    total: Vector = {}
    for measure, value in facts:
        if measure.kind is Kind.DURATION:
            sum_slot, bin_slot = duration_slots(measure, value)
            add_into(total, {sum_slot: value, bin_slot: 1})
        elif measure.kind is Kind.SCORE:
            sum_slot, bin_slot = score_slots(measure, value)
            add_into(total, {sum_slot: value, bin_slot: 1})
        else:
            add_into(total, {measure.currency_slot(978) if measure.by_currency else measure.slot: value})
    return total


def merged(*vectors: Vector) -> Vector:
    total: Vector = {}
    for vector in vectors:
        add_into(total, vector)
    return total


@given(FACTS, FACTS, FACTS)
def test_merging_is_associative_and_commutative_and_equals_adding_all_facts_up(
    a: list[Fact], b: list[Fact], c: list[Fact]
) -> None:
    x, y, z = vector_of(a), vector_of(b), vector_of(c)
    assert merged(merged(x, y), z) == merged(x, merged(y, z)) == merged(z, x, y) == vector_of(a + b + c)
    assert merged(x, {}) == x


@given(FACTS, FACTS)
def test_taking_back_leaves_what_was_there_before(a: list[Fact], b: list[Fact]) -> None:
    assert subtract(vector_of(a + b), vector_of(b)) == vector_of(a)


def exact_quantile(ascending: Sequence[float], q: float) -> float:
    rank = q * (len(ascending) - 1)
    below = math.floor(rank)
    above = min(below + 1, len(ascending) - 1)
    return ascending[below] + (ascending[above] - ascending[below]) * (rank - below)


def assert_describes(stats: Stats | None, values: list[float]) -> None:
    """Count, sum and mean exactly, the rest within 1.1 %."""
    if not values:
        assert stats is None
        return
    assert stats is not None
    values.sort()
    assert stats.count == len(values)
    assert stats.sum == pytest.approx(math.fsum(values), rel=1e-12)
    assert stats.mean == pytest.approx(math.fsum(values) / len(values), rel=1e-12)
    found = (stats.min, stats.p50, stats.p90, stats.p95, stats.p99, stats.max)
    exact = [exact_quantile(values, q) for q in (0, 0.5, 0.9, 0.95, 0.99, 1)]
    assert found == pytest.approx(exact, rel=0.011)


@given(
    shards=st.lists(st.lists(VALUES[FIRST_RESPONSE], max_size=10), max_size=4),
    taken_back=st.lists(VALUES[FIRST_RESPONSE], max_size=10),
)
def test_the_quantiles_of_merged_durations_are_within_1_1_percent_also_after_taking_back(
    shards: list[list[int]], taken_back: list[int]
) -> None:
    vectors = [vector_of([(FIRST_RESPONSE, value) for value in values]) for values in shards]
    gone = vector_of([(FIRST_RESPONSE, value) for value in taken_back])
    vector = subtract(merged(*vectors, gone), gone)
    assert_describes(duration_stats(vector, FIRST_RESPONSE), [ms / 1000 for values in shards for ms in values])


@given(shards=st.lists(st.lists(VALUES[CSAT_SCORE], max_size=10), max_size=4))
def test_the_quantiles_of_merged_scores_are_within_1_1_percent(shards: list[list[int]]) -> None:
    vector = merged(*(vector_of([(CSAT_SCORE, value) for value in values]) for values in shards))
    assert_describes(score_stats(vector, CSAT_SCORE), [v / 1_000_000 for values in shards for v in values])


def test_no_two_measures_share_a_number_or_a_name() -> None:
    assert len(BY_NUMBER) == len(MEASURES) == len({measure.name for measure in MEASURES})
    assert all(measure.slot == number * SLOTS_PER_MEASURE for number, measure in BY_NUMBER.items())


def test_the_components_of_a_measure_do_not_reach_into_the_next() -> None:
    assert CLOCKS_OF_SCHEDULE * (1 + MOST_SCHEDULES) <= SLOTS_PER_MEASURE
    for measure in MEASURES:
        last = measure.part_slots[-1] + (CLOCK_SETS[-1] if measure.by_clocks else 0)
        assert last // SLOTS_PER_MEASURE == measure.number


@given(st.integers(0, 1 << 42))
def test_who_is_queued_waits_from_then_on(time_ms: int) -> None:
    assert spelled_out([(compound.CHAT_QUEUED.slot, time_ms, 1, 1, 1)]) == [
        (registry.CHATS_QUEUED.slot, time_ms, 1, 1, 1),
        (registry.QUEUE_LENGTH.slot, time_ms, 1, 1, 1),
        (registry.WAITING_CHATS.slot, time_ms, 1, time_ms, 1),
    ]


def test_compounds_are_numbered_above_all_measures_and_no_two_share_a_number() -> None:
    assert len(compound.BY_NUMBER) == len(compound.COMPOUNDS)
    assert min(compound.BY_NUMBER) >= compound.FIRST_NUMBER > max(BY_NUMBER)


@given(start_ms=st.integers(0, 2 * registry.CLOCK_EPOCH_MS), time_ms=st.integers(1, 10**12))
def test_the_parts_of_a_start_and_an_end_add_up_to_the_time_between(start_ms: int, time_ms: int) -> None:
    starts = registry.CLOCK_STARTS_LESS_STOPS
    end_ms = start_ms + time_ms
    for start, end, stated_ms in (
        (compound.CLOCKS_STARTED, compound.CLOCKS_ENDED, end_ms - 1),
        (compound.CLOCKS_STARTED_FIRST, compound.CLOCKS_ALL_ENDED, end_ms - 1),
    ):
        facts = spelled_out([(start.slot, start_ms, 1, 1, 1), (end.slot, stated_ms, 1, 1, 1)])
        stated = [(slot, value * sign) for slot, _, _, value, sign in facts]
        assert sum(value for slot, value in stated if slot == starts.slot) == -time_ms
        assert sum(value for slot, value in stated if slot == registry.CLOCKS_RUNNING.slot) == 0


@given(created_ms=st.integers(0, 2 * registry.CLOCK_EPOCH_MS), sign=st.sampled_from([1, -1]))
def test_a_ticket_that_is_opened_counts_once_and_its_ages_start_at_its_creation(created_ms: int, sign: int) -> None:
    levels = (registry.TICKETS_CREATED, registry.BACKLOG, registry.BACKLOG_UNASSIGNED, registry.BACKLOG_UNATTENDED)
    ages = (registry.OPEN_TICKETS, registry.UNANSWERED_TICKETS)
    assert sorted(spelled_out([(compound.TICKET_OPENED.slot, created_ms, 7, 1, sign)])) == sorted(
        [
            *((m.slot, created_ms, 7, 1, sign) for m in levels),
            *((m.slot, created_ms, 7, created_ms, sign) for m in ages),
        ]
    )
