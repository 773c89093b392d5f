"""The lifecycle of a customer's survey: whether it was answered, and how (kpis.md, Surveys)."""

from __future__ import annotations

import msgspec

from stream_kpi.lifecycles.customer_survey.events import CustomerSurveyEvent, SurveyAnswered, SurveySent
from stream_kpi.lifecycles.facts import CutSets
from stream_kpi.lifecycles.fold import Fold
from stream_kpi.lifecycles.history import HistoryEvent
from stream_kpi.lifecycles.options import Options
from stream_kpi.lifecycles.survey import Surveys


class CustomerSurveyFold(Fold):
    """One survey. It counts as one of a ticket does, by the channel and category that its event names and for no agent.
    What an nps answer says counts by customer, in the relationship; here it is an answer to what was sent."""

    history_decoder = msgspec.msgpack.Decoder(list[CustomerSurveyEvent])

    __slots__ = ("_surveys",)

    def __init__(self, cut_sets: CutSets, options: Options) -> None:  # noqa: ARG002 every fold is made like this
        super().__init__(cut_sets)
        self.voided = False
        self._surveys = Surveys()

    @property
    def closed(self) -> bool:
        """Never: a reminder, or a rating that replaces another, must not count as another survey's."""
        return False

    def on_event(self, event: HistoryEvent) -> None:
        """Apply the next event."""
        if isinstance(event, SurveyAnswered):
            self._surveys.on_answered(self, event, self._cuts(event))
        elif isinstance(event, SurveySent):
            self._surveys.on_sent(self, event, self._cuts(event))

    def on_due(self, kind: int, due_ms: int) -> None:  # noqa: ARG002 it schedules one kind only
        """Decide whether the survey was answered in time."""
        self._surveys.on_due(self, due_ms)

    def _cuts(self, event: SurveyAnswered | SurveySent) -> int:
        return self.cut_sets.standard(event.channel, None, event.category, None, None)
