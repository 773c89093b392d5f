"""The histogram's table, its exact ladder and its quantiles."""

from __future__ import annotations

import itertools
import zlib

import pytest

from stream_kpi.measures import histogram as h
from stream_kpi.measures import registry
from stream_kpi.measures.vector import Vector, add_into
from tests.histogram_kit import OVERFLOW_BIN, bin_of, duration_slots, representative, score_slots

SLA_BOUNDS_S = (
    *(1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900, 1800, 3600, 7200, 14400, 28800),
    *(43200, 86400, 172800, 259200, 604800, 1209600, 2592000),
)
TEN_YEARS_MS = 315_360_000_000


def vector_of(measure: registry.Measure, values: list[int], slots: object = duration_slots) -> Vector:
    vector: Vector = {}
    for value in values:
        sum_slot, bin_slot = slots(measure, value)  # type: ignore[operator]
        add_into(vector, {sum_slot: value})
        add_into(vector, {bin_slot: 1})
    return vector


@pytest.mark.parametrize("bound_s", SLA_BOUNDS_S)
def test_every_agreed_target_is_an_exact_edge_of_a_bin(bound_s: int) -> None:
    bound_ms = 1_000 * bound_s
    assert bin_of(bound_ms) + 1 == bin_of(bound_ms + 1)
    assert bound_s in h.LADDER_S


def test_bins_are_at_most_two_percent_wide_up_to_ten_years() -> None:
    assert h.EDGES_MS[-1] >= TEN_YEARS_MS
    for below, high in itertools.pairwise(h.EDGES_MS):
        assert below < high
        assert high / (below + 1) <= 1.01 / 0.99


def test_below_fifty_milliseconds_every_value_has_a_bin_of_its_own_and_is_exact() -> None:
    for value_ms in range(50):
        assert bin_of(value_ms) == value_ms
        assert representative(value_ms) == value_ms / 1_000


def test_a_negative_duration_is_in_the_bin_of_zero() -> None:
    assert bin_of(-5) == 0


def test_everything_above_ten_years_is_in_the_last_bin() -> None:
    assert bin_of(10 * TEN_YEARS_MS) == OVERFLOW_BIN
    assert representative(OVERFLOW_BIN) == TEN_YEARS_MS / 1_000


def test_the_table_is_the_one_that_stored_states_were_written_with() -> None:
    # A changed table reads old states wrongly: it needs a new state version, not a new figure here.
    assert len(h.EDGES_MS) == 1195
    assert zlib.crc32(",".join(map(str, h.EDGES_MS)).encode()) == 945142919


def test_sum_and_mean_are_exact_and_no_samples_are_no_stats() -> None:
    stats = h.duration_stats(vector_of(registry.FIRST_RESPONSE, [1_234, 5_678, 91_011]), registry.FIRST_RESPONSE)
    assert stats is not None
    assert (stats.count, stats.sum, stats.mean) == (3, 97.923, 32.641)
    assert h.duration_stats({}, registry.FIRST_RESPONSE) is None
    assert h.duration_stats(vector_of(registry.NEXT_REPLY, [5]), registry.FIRST_RESPONSE) is None


def test_a_quantile_lies_between_the_two_neighbouring_ranks() -> None:
    stats = h.duration_stats(vector_of(registry.ANSWER_TIME, [10, 20, 30, 40]), registry.ANSWER_TIME)
    assert stats is not None
    assert stats.p50 == pytest.approx(0.025)
    assert stats.p90 == pytest.approx(0.037)
    assert (stats.min, stats.max) == (0.01, 0.04)


def test_stats_of_one_measure_ignore_its_neighbours_in_the_vector() -> None:
    vector = vector_of(registry.FIRST_RESPONSE, [40])
    for measure in (registry.NEXT_REPLY, registry.RESOLUTION_FIRST):
        add_into(vector, vector_of(measure, [TEN_YEARS_MS * 2, 0]))
    add_into(vector, {registry.FIRST_RESPONSE_IN_TARGET.slot: 9})
    stats = h.duration_stats(vector, registry.FIRST_RESPONSE, h.ordered_slots(vector))
    assert stats is not None
    assert (stats.count, stats.max) == (1, 0.04)


def test_stats_refuse_a_measure_of_another_kind() -> None:
    with pytest.raises(ValueError, match="csat_score is a score"):
        h.duration_stats({}, registry.CSAT_SCORE)
    with pytest.raises(ValueError, match="first_response is a duration"):
        h.score_stats({}, registry.FIRST_RESPONSE)


def test_scores_are_kept_to_the_thousandth_and_their_mean_exactly() -> None:
    vector = vector_of(registry.CSAT_SCORE, [1_000_000, 3_666_667, 5_000_000], score_slots)
    stats = h.score_stats(vector, registry.CSAT_SCORE)
    assert stats is not None
    assert (stats.min, stats.p50, stats.max) == (1.0, 3.667, 5.0)
    assert stats.mean == pytest.approx(9_666_667 / 3_000_000, rel=1e-15)


def test_a_score_of_seven_is_in_a_bin_of_its_own_too() -> None:
    vector = vector_of(registry.CES_SCORE, [1_000_000, 6_999_000, 7_000_000], score_slots)
    stats = h.score_stats(vector, registry.CES_SCORE)
    assert stats is not None
    assert (stats.count, stats.min, stats.p50, stats.max) == (3, 1.0, 6.999, 7.0)
    assert max(vector) < registry.CES_SCORE.slot + registry.SLOTS_PER_MEASURE


def test_a_score_between_two_thousandths_goes_to_the_even_one() -> None:
    assert [h.score_bin(1_000_000 + rest) for rest in (499, 500, 501, 1_500, 2_500)] == [0, 0, 1, 2, 2]


def test_cumulative_buckets_count_exactly_at_every_bound() -> None:
    values = [edge + step for bound_s in h.LADDER_S for edge in [1_000 * bound_s] for step in (-1, 0, 1)]
    buckets = h.cumulative_buckets(vector_of(registry.HANDLE_TIME, values), registry.HANDLE_TIME)
    assert buckets[-1] == (float("inf"), len(values))
    for bound_s, count in buckets[:-1]:
        assert count == sum(value <= 1_000 * bound_s for value in values)


def test_ages_have_stats_from_bins_and_an_exact_sum() -> None:
    stats = h.bins_stats({bin_of(10): 1, bin_of(30): 1}, 40)
    assert stats is not None
    assert (stats.count, stats.mean) == (2, 0.02)
    assert stats.p50 == pytest.approx(0.02)
    assert h.bins_stats({}, 0) is None
