"""Survey answers: one arithmetic for tickets and chats (kpis.md, Surveys)."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache

from stream_kpi.lifecycles.fold import Fold
from stream_kpi.lifecycles.history import Answer
from stream_kpi.measures.registry import CSAT_ANSWERS, CSAT_POSITIVE, CSAT_SCORE

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
        self._first: dict[str, tuple[int, int, int, bool]] = {}
        """By survey: the time and cuts of its first answer; the five-point score of its last."""

    def on_answered(self, fold: Fold, event: Answer, cuts: int) -> None:
        """State the facts of an answer in ``cuts`` (those of the moment, the credited agent's included).

        A re-rating takes the score before it back and states the new one, both in the window and the cuts of the
        first answer. Only CSAT has measures so far.
        """
        if event.kind != "csat":
            return
        facts = fold.facts
        first = self._first.get(event.survey_id)
        if first is None:
            time_ms = event.time_ms
            facts.append((ANSWERS_SLOT, time_ms, cuts, 1, 1))
        else:
            time_ms, cuts, millionths, positive = first
            facts.append((SCORE_SLOT, time_ms, cuts, millionths, -1))
            if positive:
                facts.append((POSITIVE_SLOT, time_ms, cuts, 1, -1))
        millionths, positive = five_point(event.score, event.scale_min, event.scale_max)
        facts.append((SCORE_SLOT, time_ms, cuts, millionths, 1))
        if positive:
            facts.append((POSITIVE_SLOT, time_ms, cuts, 1, 1))
        self._first[event.survey_id] = (time_ms, cuts, millionths, positive)
