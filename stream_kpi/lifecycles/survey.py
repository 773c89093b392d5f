"""Survey answers: one arithmetic for tickets and chats (kpis.md, Surveys)."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING

from stream_kpi.lifecycles.fold import Fold
from stream_kpi.lifecycles.history import Answer
from stream_kpi.measures.registry import CSAT_ANSWERS, CSAT_POSITIVE, CSAT_SCORE

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWERS_SLOT = CSAT_ANSWERS.slot
POSITIVE_SLOT = CSAT_POSITIVE.slot
SCORE_SLOT = CSAT_SCORE.slot


@lru_cache(maxsize=4096)
def five_point(score: float, scale_min: float, scale_max: float) -> tuple[int, bool]:
    """The score as ``n = 1 + 4 (score - min) / (max - min)``: millionths of n, rounded half to even, and whether
    n >= 4. Numbers count as the decimals they were written as, so that 0.3 of 0.4 is exactly three quarters.

    Raises ZeroDivisionError for an empty scale.
    """
    low = Fraction(str(scale_min))
    n = 1 + 4 * (Fraction(str(score)) - low) / (Fraction(str(scale_max)) - low)
    return round(n * 1_000_000), n >= 4


class Surveys:
    """The CSAT answers of one entity."""

    __slots__ = ("_first",)

    def __init__(self) -> None:
        self._first: dict[str, tuple[int, int, float, float, float]] = {}
        """By survey: the time and cuts of its first answer; score and scale of its last."""

    def on_answered(self, fold: Fold, event: Answer, cuts: int) -> None:
        """State the facts of an answer in ``cuts`` (those of the moment, the credited agent's included).

        A re-rating takes the score before it back and states the new one, both in the window and the cuts of the
        first answer. Only CSAT has measures so far.
        """
        if event.kind != "csat":
            return
        rating = (event.score, event.scale_min, event.scale_max)
        first = self._first.get(event.survey_id)
        if first is None:
            time_ms = event.time_ms
            fold.emit(ANSWERS_SLOT, time_ms, cuts)
        else:
            time_ms, cuts, *replaced = first
            for slot, value in _rating_facts(*replaced):
                fold.take_back(slot, time_ms, cuts, value)
        self._first[event.survey_id] = (time_ms, cuts, *rating)
        for slot, value in _rating_facts(*rating):
            fold.emit(slot, time_ms, cuts, value)


def _rating_facts(score: float, scale_min: float, scale_max: float) -> Iterator[tuple[int, int]]:
    millionths, positive = five_point(score, scale_min, scale_max)
    yield SCORE_SLOT, millionths
    if positive:
        yield POSITIVE_SLOT, 1
