"""Surveys: one arithmetic for those of tickets, of chats and of neither (kpis.md, Surveys)."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from stream_kpi.lifecycles.contribution import NpsAnswer
from stream_kpi.lifecycles.facts import UNKNOWN
from stream_kpi.lifecycles.options import SURVEY_WINDOW_MS
from stream_kpi.measures.registry import (
    CES_EASY,
    CES_SCORE,
    COHORT_SURVEYS_ANSWERED,
    COHORT_SURVEYS_SENT,
    CSAT_ANSWERS,
    CSAT_CLASS_NEUTRAL,
    CSAT_CLASS_POOR,
    CSAT_CLASS_POSITIVE,
    CSAT_CLASS_VERY_POOR,
    CSAT_CLASS_VERY_POSITIVE,
    CSAT_POSITIVE,
    CSAT_SCORE,
)

if TYPE_CHECKING:
    from stream_kpi.lifecycles.fold import Fold
    from stream_kpi.lifecycles.history import Answer, Sent

SURVEY_DUE: Final = 100
"""The kind of due moment at which it is decided whether surveys were answered; lifecycles number their own from 0."""

ANSWERS_SLOT: Final = CSAT_ANSWERS.slot
CSAT_CLASSES: Final = (
    (Fraction(9, 2), CSAT_CLASS_VERY_POSITIVE.slot),
    (Fraction(7, 2), CSAT_CLASS_POSITIVE.slot),
    (Fraction(5, 2), CSAT_CLASS_NEUTRAL.slot),
    (Fraction(3, 2), CSAT_CLASS_POOR.slot),
    (Fraction(1), CSAT_CLASS_VERY_POOR.slot),
)
"""The least n of each class."""
CES_DIMENSIONS: Final = frozenset({"channel", "category"})

Survey = tuple[str, str]
"""Kind and ``survey_id``: a form that asks two questions under one id is two surveys."""

Rating = tuple[tuple[int, int], ...]
"""Slots and values of the facts that follow from how an answer rates."""


def on_scale(top: int, score: float, scale_min: float, scale_max: float) -> Fraction:
    """The score on 1..top: ``1 + (top - 1) (score - min) / (max - min)``, exactly. Numbers count as the decimals they
    were written as, so that 0.3 of 0.4 is three quarters.

    Raises:
        ZeroDivisionError: the scale is empty.
    """
    low = Fraction(str(scale_min))
    return 1 + (top - 1) * (Fraction(str(score)) - low) / (Fraction(str(scale_max)) - low)


@lru_cache(maxsize=4096)
def rating_facts(kind: str, score: float, scale_min: float, scale_max: float) -> Rating:
    """All that follows from how an answer rates; the score itself is in millionths, rounded half to even. Nothing for
    kinds that are judged by customer (nps).

    Raises:
        ZeroDivisionError: the scale is empty.
    """
    if kind == "csat":
        n = on_scale(5, score, scale_min, scale_max)
        of_class = next(slot for least, slot in CSAT_CLASSES if n >= least)
        facts = ((CSAT_SCORE.slot, round(n * 1_000_000)), (of_class, 1))
        return (*facts, (CSAT_POSITIVE.slot, 1)) if n >= 4 else facts
    if kind == "ces":
        n = on_scale(7, score, scale_min, scale_max)
        score_fact = (CES_SCORE.slot, round(n * 1_000_000))
        return (score_fact, (CES_EASY.slot, 1)) if n >= 5 else (score_fact,)
    return ()


def nps_rating(score: float, scale_min: float, scale_max: float) -> int:
    """1 for a promoter (from 9 on 0..10, other scales mapped to it), -1 for a detractor (below 7), else 0.

    Raises:
        ZeroDivisionError: the scale is empty.
    """
    n = on_scale(11, score, scale_min, scale_max) - 1
    return 1 if n >= 9 else 0 if n >= 7 else -1


class Surveys:
    """The surveys of one entity: those sent, and their answers."""

    __slots__ = ("_nps", "_rated", "_sent")

    def __init__(self) -> None:
        self._rated: dict[Survey, tuple[int, int, Rating]] = {}
        """Where the first answer to a survey counts (time and cuts), and what the last one states there."""
        self._nps: dict[str, NpsAnswer] = {}
        """By ``survey_id``."""
        self._sent: dict[Survey, tuple[int, int] | None] = {}
        """In that order: time and cuts of those that may still be answered in time, None for the others."""

    def on_sent(self, fold: Fold, event: Sent, cuts: int) -> None:
        """A survey went out, in ``cuts`` (those of the moment, the agent's included). Sent again, it is a reminder."""
        survey = (event.kind, event.survey_id)
        sent = self._sent
        if survey in sent:
            return
        cut_sets = fold.cut_sets
        sent[survey] = (event.time_ms, cut_sets.with_group(cuts, cut_sets.only("kind", event.kind)))
        if not fold.is_scheduled(SURVEY_DUE):
            fold.schedule(event.time_ms + SURVEY_WINDOW_MS, SURVEY_DUE)

    def on_due(self, fold: Fold, due_ms: int) -> None:
        """The time in which an answer counts has passed for the surveys that were sent so long before."""
        for survey, sent in self._sent.items():
            if sent is None:
                continue
            time_ms, cuts = sent
            if time_ms + SURVEY_WINDOW_MS > due_ms:
                fold.schedule(time_ms + SURVEY_WINDOW_MS, SURVEY_DUE)
                return
            self._sent[survey] = None
            fold.emit(COHORT_SURVEYS_SENT.slot, time_ms, cuts)
            if survey in self._rated:
                fold.emit(COHORT_SURVEYS_ANSWERED.slot, time_ms, cuts)

    @property
    def nps_answers(self) -> tuple[NpsAnswer, ...]:
        """The answers that are judged by customer."""
        return tuple(self._nps.values())

    def on_answered(self, fold: Fold, event: Answer, cuts: int) -> None:
        """State the facts of an answer in ``cuts`` (those of the moment, the credited agent's included).

        A re-rating takes the rating before it back and states the new one, both in the window and the cuts of the
        first answer.
        """
        if event.kind == "nps":
            self._on_nps(event, next(cut[1] for cut in fold.cut_sets.cuts_of(cuts) if cut and cut[0] == "channel"))
        facts = fold.facts
        survey = (event.kind, event.survey_id)
        rated = self._rated.get(survey)
        if rated is not None:
            time_ms, cuts, replaced = rated
            for slot, value in replaced:
                facts.append((slot, time_ms, cuts, value, -1))
        else:
            time_ms = event.time_ms
            if event.kind == "csat":
                facts.append((ANSWERS_SLOT, time_ms, cuts, 1, 1))
            else:
                cuts = fold.cut_sets.within(cuts, CES_DIMENSIONS)
        rating = rating_facts(event.kind, event.score, event.scale_min, event.scale_max)
        self._rated[survey] = (time_ms, cuts, rating)
        for slot, value in rating:
            facts.append((slot, time_ms, cuts, value, 1))

    def _on_nps(self, event: Answer, channel: str) -> None:
        first = self._nps.get(event.survey_id)
        rating = nps_rating(event.score, event.scale_min, event.scale_max)
        time_ms, channel = (event.time_ms, channel) if first is None else (first.time_ms, first.channel)
        self._nps[event.survey_id] = NpsAnswer(event.survey_id, time_ms, channel, UNKNOWN, rating)
