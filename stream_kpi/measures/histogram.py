"""Durations and scores in mergeable bins: which bin a value falls into, and what the bins say about all values (pure).

One static table of integer-millisecond edges serves every duration. Each bound of :data:`LADDER_S` is an exact edge, so
a Prometheus histogram made from the bins counts exactly; between the bounds the edges are geometric, so that
the value that stands for a bin is within :data:`RELATIVE_ERROR` of every value of it. The table is part of the state
format: changing it needs a migration of everything stored.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Final

import msgspec

from stream_kpi.measures.registry import SLOTS_PER_MEASURE, Kind, Measure

RELATIVE_ERROR: Final = 0.01
"""Greatest relative error of a bin's representative."""

LADDER_S: Final[tuple[int, ...]] = (
    *(1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900, 1_800),
    *(3_600, 7_200, 14_400, 28_800, 43_200, 86_400, 172_800, 259_200, 604_800, 1_209_600, 2_592_000),
)
"""Upper bounds in seconds of the published cumulative buckets: the targets that support teams agree on, 1 s to 30 d."""

_LONG_S: Final = (7_776_000, 31_536_000, 315_360_000)
"""90 d, a year and ten years: beyond the ladder, only to carry the edges on."""

SCORE_UNIT: Final = 1_000_000
"""A score's facts and sums are integer millionths."""

_SCORE_BIN: Final = 1_000
"""Width of a score's bin in millionths."""


class Stats(msgspec.Struct, frozen=True):
    """What is known of the values of one histogram; seconds for durations, points of 1..5 or 1..7 for scores.

    Count, sum and mean are exact. A quantile is pandas' and DuckDB's (linear interpolation between the two neighbouring
    ranks), each rank's value taken as its bin's representative; min and max are representatives too. Of what is only
    summed they are None.
    """

    count: int
    sum: float
    mean: float
    min: float | None = None
    max: float | None = None
    p50: float | None = None
    p90: float | None = None
    p95: float | None = None
    p99: float | None = None


def _edges() -> Iterator[int]:
    growth = math.log((1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR))
    edge_ms = 0
    yield edge_ms
    for bound_ms in (1_000 * bound_s for bound_s in LADDER_S + _LONG_S):
        low_ms = max(edge_ms, 1)
        steps = math.ceil(math.log(bound_ms / low_ms) / growth)
        for step in range(steps):
            # Below 50 ms a step is less than a millisecond: rounding repeats edges, and one a millisecond is left.
            next_ms = round(low_ms * (bound_ms / low_ms) ** ((step + 1) / steps))
            if next_ms > edge_ms:
                yield next_ms
                edge_ms = next_ms


EDGES_MS: Final[tuple[int, ...]] = tuple(_edges())
"""Greatest value of each bin: bin ``b`` is ``(EDGES_MS[b - 1], EDGES_MS[b]]``, bin 0 is the value 0 alone; one more bin
takes everything above the last edge."""


def _representatives_s() -> Iterator[float]:
    yield 0.0
    for below_ms, high_ms in pairwise(EDGES_MS):
        low_ms = below_ms + 1
        # The harmonic mean has the same relative error at both ends of the bin.
        yield 2 * low_ms * high_ms / (low_ms + high_ms) / 1_000
    yield EDGES_MS[-1] / 1_000


REPRESENTATIVE_S: Final[tuple[float, ...]] = tuple(_representatives_s())
"""Seconds that stand for every value of a bin: exact for a bin of a single millisecond, else within 1 %. The last bin's
is its lower edge, ten years: a lower bound, without an error bound."""
_LADDER_BINS: Final[tuple[int, ...]] = tuple(bisect_left(EDGES_MS, 1_000 * bound_s) for bound_s in LADDER_S)
_SCORES: Final[tuple[float, ...]] = tuple(1 + thousandths / 1_000 for thousandths in range(6_001))
"""Of each bin, up to the longest scale's 7."""
_QUANTILES: Final = (0.5, 0.9, 0.95, 0.99)


def score_bin(value_millionths: int) -> int:
    """The bin of a score in millionths on 1..7: whole thousandths above 1, half to even."""
    thousandths, rest = divmod(value_millionths - SCORE_UNIT, _SCORE_BIN)
    half = _SCORE_BIN // 2
    return thousandths + (rest > half or (rest == half and thousandths % 2 == 1))


def ordered_slots(vector: Mapping[int, int]) -> list[int]:
    """The vector's slots in order: made once, it serves the stats of every measure of the vector."""
    return sorted(vector)


def duration_stats(vector: Mapping[int, int], measure: Measure, ordered: Sequence[int] | None = None) -> Stats | None:
    """Stats in seconds of a DURATION measure of the vector; None without samples.

    ``ordered`` is :func:`ordered_slots` of the same vector, for callers that want several measures of it.

    Raises:
        ValueError: the measure is of another kind.
    """
    if measure.kind is not Kind.DURATION:
        message = f"{measure.name} is a {measure.kind.value}, not a duration"
        raise ValueError(message)
    slots, counts = _bins(vector, measure, ordered)
    return _stats(slots, measure.slot + 1, REPRESENTATIVE_S, counts, vector.get(measure.slot, 0) / 1_000)


def score_stats(vector: Mapping[int, int], measure: Measure, ordered: Sequence[int] | None = None) -> Stats | None:
    """Stats in points of a SCORE measure of the vector; None without samples. ``ordered`` as in duration_stats.

    Raises:
        ValueError: the measure is of another kind.
    """
    if measure.kind is not Kind.SCORE:
        message = f"{measure.name} is a {measure.kind.value}, not a score"
        raise ValueError(message)
    slots, counts = _bins(vector, measure, ordered)
    return _stats(slots, measure.slot + 1, _SCORES, counts, vector.get(measure.slot, 0) / SCORE_UNIT)


def quantile(
    vector: Mapping[int, int], measure: Measure, q: float, ordered: Sequence[int] | None = None
) -> float | None:
    """The quantile ``q`` (0..1) of a DURATION measure in seconds or a SCORE measure in points, as :class:`Stats` has
    its own; None without samples. ``ordered`` as in duration_stats."""
    slots, counts = _bins(vector, measure, ordered)
    ends = list(accumulate(counts))
    if not ends or ends[-1] <= 0:
        return None
    values = _SCORES if measure.kind is Kind.SCORE else REPRESENTATIVE_S
    return _quantile(slots, measure.slot + 1, values, ends, q)


def bins_stats(bins: Mapping[int, int], sum_ms: int) -> Stats | None:
    """Stats in seconds of ``{bin: count}`` whose values add up to ``sum_ms``; None without samples."""
    ordered = sorted(bins)
    return _stats(ordered, 0, REPRESENTATIVE_S, [bins[b] for b in ordered], sum_ms / 1_000)


def sample_count(vector: Mapping[int, int], measure: Measure, ordered: Sequence[int] | None = None) -> int:
    """How many values a DURATION or SCORE measure of the vector holds."""
    return sum(_bins(vector, measure, ordered)[1])


def cumulative_buckets(
    vector: Mapping[int, int], measure: Measure, ordered: Sequence[int] | None = None
) -> list[tuple[float, int]]:
    """``(le_seconds, count)`` for every bound of :data:`LADDER_S`, then infinity: exact, as each bound is an edge."""
    slots, counts = _bins(vector, measure, ordered)
    totals = [0, *accumulate(counts)]
    first = measure.slot + 1
    buckets = [
        (float(bound_s), totals[bisect_right(slots, first + bin_number)])
        for bound_s, bin_number in zip(LADDER_S, _LADDER_BINS, strict=True)
    ]
    return [*buckets, (math.inf, totals[-1])]


def _bins(
    vector: Mapping[int, int], measure: Measure, ordered: Sequence[int] | None
) -> tuple[Sequence[int], Sequence[int]]:
    """The slots of the measure's bins in order, and their counts."""
    if ordered is None:
        ordered = sorted(vector)
    base = measure.slot
    first = bisect_right(ordered, base)
    slots = ordered[first : bisect_left(ordered, base + SLOTS_PER_MEASURE, first)]
    return slots, [vector[slot] for slot in slots]


def _stats(
    bins: Sequence[int], first: int, values: Sequence[float], counts: Sequence[int], total: float
) -> Stats | None:
    """Stats of ``bins``, ascending, of which ``first`` is the number of the bin of ``values[0]``."""
    ends = list(accumulate(counts))
    if not ends or ends[-1] <= 0:
        return None
    count = ends[-1]
    quantiles = [_quantile(bins, first, values, ends, q) for q in _QUANTILES]
    return Stats(count, total, total / count, values[bins[0] - first], values[bins[-1] - first], *quantiles)


def _quantile(bins: Sequence[int], first: int, values: Sequence[float], ends: Sequence[int], q: float) -> float:
    """A quantile of bins as in :func:`_stats`; ``ends`` are their counts added up, the last one above 0."""
    rank = q * (ends[-1] - 1)
    below = int(rank)
    place = bisect_right(ends, below)
    value = values[bins[place] - first]
    if rank > below and ends[place] == below + 1:
        value += (values[bins[place + 1] - first] - value) * (rank - below)
    return value
