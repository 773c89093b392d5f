"""Which slots a single value changes, by the definition of the bins; the pipeline reckons whole arrays at once."""

from __future__ import annotations

from bisect import bisect_left

from stream_kpi.measures.histogram import EDGES_MS, REPRESENTATIVE_S, score_bin
from stream_kpi.measures.registry import Measure

OVERFLOW_BIN = len(EDGES_MS)
"""The bin of everything above the last edge (ten years)."""


def bin_of(value_ms: int) -> int:
    """The bin of a duration in milliseconds; what is below zero counts as zero."""
    return bisect_left(EDGES_MS, value_ms)


def representative(bin_number: int) -> float:
    """Seconds that stand for every value of the bin."""
    return REPRESENTATIVE_S[bin_number]


def duration_slots(measure: Measure, value_ms: int) -> tuple[int, int]:
    """The slots that a duration changes: its sum (by the value) and its bin (by one)."""
    return measure.slot, measure.slot + 1 + bin_of(value_ms)


def score_slots(measure: Measure, value_millionths: int) -> tuple[int, int]:
    """The slots that a score changes: its sum (by the value) and its bin (by one)."""
    return measure.slot, measure.slot + 1 + score_bin(value_millionths)
