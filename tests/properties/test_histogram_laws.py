"""Laws of the histogram: its error bound, after merging and taking back too, against numpy and ddsketch."""

from __future__ import annotations

import numpy as np
import pytest
from ddsketch import DDSketch
from hypothesis import given
from hypothesis import strategies as st

from stream_kpi.measures import histogram as h
from stream_kpi.measures.registry import FIRST_RESPONSE
from stream_kpi.measures.vector import Vector, add_into, subtract
from tests.histogram_kit import bin_of, duration_slots, representative

DURATIONS_MS = st.one_of(st.integers(0, 200), st.integers(0, 90_000), st.integers(0, 315_360_000_000))
SAMPLES = st.lists(DURATIONS_MS, min_size=1, max_size=60)


def vector_of(values: list[int]) -> Vector:
    vector: Vector = {}
    for value in values:
        sum_slot, bin_slot = duration_slots(FIRST_RESPONSE, value)
        add_into(vector, {sum_slot: value})
        add_into(vector, {bin_slot: 1})
    return vector


def assert_within_error(stats: h.Stats | None, values: list[int]) -> None:
    assert stats is not None
    assert stats.count == len(values)
    assert stats.sum == sum(values) / 1_000
    assert stats.mean == pytest.approx(sum(values) / 1_000 / len(values), rel=1e-12)
    exact = np.quantile(values, [0, 0.5, 0.9, 0.95, 0.99, 1], method="linear") / 1_000
    found = [stats.min, stats.p50, stats.p90, stats.p95, stats.p99, stats.max]
    assert found == pytest.approx(list(exact), rel=0.011, abs=1e-9)


@given(SAMPLES)
def test_quantiles_are_within_the_error_of_the_exact_interpolated_ones(values: list[int]) -> None:
    assert_within_error(h.duration_stats(vector_of(values), FIRST_RESPONSE), values)


@given(SAMPLES, SAMPLES)
def test_merging_keeps_the_error_bound(some: list[int], others: list[int]) -> None:
    merged = vector_of(some)
    add_into(merged, vector_of(others))
    assert_within_error(h.duration_stats(merged, FIRST_RESPONSE), some + others)


@given(SAMPLES, SAMPLES)
def test_taking_back_leaves_no_trace(kept: list[int], taken_back: list[int]) -> None:
    vector = vector_of(kept + taken_back)
    add_into(vector, subtract({}, vector_of(taken_back)))
    assert vector == vector_of(kept)
    assert_within_error(h.duration_stats(vector, FIRST_RESPONSE), kept)


@given(SAMPLES)
def test_a_rank_without_a_neighbour_agrees_with_ddsketch(values: list[int]) -> None:
    odd = values if len(values) % 2 else [*values, values[-1]]
    sketch = DDSketch(relative_accuracy=h.RELATIVE_ERROR)
    for value in odd:
        sketch.add(value / 1_000)
    stats = h.duration_stats(vector_of(odd), FIRST_RESPONSE)
    assert stats is not None
    # Each is within 1 % of the true rank.
    assert stats.p50 == pytest.approx(sketch.get_quantile_value(0.5), rel=0.0205, abs=1e-9)


@given(DURATIONS_MS, DURATIONS_MS)
def test_a_longer_duration_is_never_in_a_lower_bin(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert bin_of(low) <= bin_of(high)
    assert representative(bin_of(low)) <= representative(bin_of(high))


@given(SAMPLES)
def test_stats_are_ordered(values: list[int]) -> None:
    stats = h.duration_stats(vector_of(values), FIRST_RESPONSE)
    assert stats is not None
    figures = [stats.min, stats.p50, stats.p90, stats.p95, stats.p99, stats.max]
    known = [figure for figure in figures if figure is not None]
    assert known == figures == sorted(known)


@given(SAMPLES)
def test_cumulative_buckets_count_what_is_not_above_their_bound(values: list[int]) -> None:
    for bound_s, count in h.cumulative_buckets(vector_of(values), FIRST_RESPONSE):
        assert count == sum(value <= 1_000 * bound_s for value in values)


@given(st.integers(1_000_000, 5_000_000))
def test_a_score_is_within_half_a_thousandth_of_its_bin(millionths: int) -> None:
    assert abs(1_000_000 + 1_000 * h.score_bin(millionths) - millionths) <= 500
