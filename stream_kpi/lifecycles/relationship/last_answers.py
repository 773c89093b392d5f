"""How a customer last answered (kpis.md: nps): in all, and in each window with fixed bounds."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from stream_kpi.lifecycles.visitor.distinct import Starts, starts_at
from stream_kpi.measures import registry

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from stream_kpi.lifecycles.contribution import NpsAnswer
    from stream_kpi.lifecycles.fold import Fold

ANSWERS_SLOT: Final = registry.NPS_ANSWERS.slot
RATING_SLOTS: Final = {1: registry.NPS_PROMOTERS.slot, -1: registry.NPS_DETRACTORS.slot}

Survey = tuple[str, str]
"""Of which ticket or chat (empty: of none), and its id there."""
Place = tuple[int, Survey]
"""Time and survey of an answer: their order."""


class LastAnswers:
    """All answers of one customer. Component 0 of a measure stands at the last one of all: its sum over a window that
    ends now is the number of customers with an answer in it. The parts stand at the last one in each window."""

    __slots__ = ("_answers", "_places", "_zone")

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._places: list[Place] = []
        """Ascending."""
        self._answers: dict[Survey, NpsAnswer] = {}

    def on_answered(self, fold: Fold, origin: str, answer: NpsAnswer) -> None:
        """An answer, in any order of time. The same survey again is a re-rating: it replaces the rating, where the
        first answer counts."""
        survey = (origin, answer.survey_id)
        before = self._answers.get(survey)
        if before is not None:
            place = (before.time_ms, survey)
            parts = self._last_in(place, bisect_right(self._places, place))
            _state(fold, before, parts, -1)
            answer = replace(before, rating=answer.rating)
        else:
            place = (answer.time_ms, survey)
            index = bisect_right(self._places, place)
            parts = self._last_in(place, index)
            if index:
                earlier = self._places[index - 1]
                since = set(self._starts(earlier[0])) & set(self._starts(place[0]))
                _state(fold, self._answers[earlier[1]], [part for part in parts if part in since], -1)
            self._places.insert(index, place)
        self._answers[survey] = answer
        _state(fold, answer, parts, 1)

    def _last_in(self, place: Place, index: int) -> Starts:
        """The windows in which an answer is the last, where ``index`` is that of the next one."""
        starts = self._starts(place[0])
        if index == len(self._places):
            return starts
        later = set(self._starts(self._places[index][0]))
        return tuple(start for start in starts if start not in later)

    def _starts(self, time_ms: int) -> Starts:
        """``(component, start)`` of the windows that hold an instant; component 0 is one window for all time."""
        return ((0, 0), *starts_at(time_ms, self._zone))


def _state(fold: Fold, answer: NpsAnswer, starts: Iterable[tuple[int, int]], sign: int) -> None:
    cut_sets, time_ms = fold.cut_sets, answer.time_ms
    of_channel = cut_sets.joined(cut_sets.total, cut_sets.only("channel", answer.channel))
    cuts = cut_sets.pair(of_channel, cut_sets.only("plan", answer.plan))
    rating_slot = RATING_SLOTS.get(answer.rating)
    for part, _ in starts:
        fold.facts.append((ANSWERS_SLOT + part, time_ms, cuts, 1, sign))
        if rating_slot is not None:
            fold.facts.append((rating_slot + part, time_ms, cuts, 1, sign))
