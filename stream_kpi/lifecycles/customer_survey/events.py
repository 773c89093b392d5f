"""What a survey of a customer keeps of its events: what measures need, and how it is made from the wire's fields."""

from __future__ import annotations

from typing import Any

from stream_kpi.events import signals as wire
from stream_kpi.lifecycles.history import Answer, Sent


class SurveySent(Sent, frozen=True, gc=False, tag=0):
    """The survey went out."""

    channel: str | None
    category: str | None


class SurveyAnswered(Answer, frozen=True, gc=False, tag=1):
    """The survey was answered, or answered again."""

    channel: str | None
    category: str | None


CustomerSurveyEvent = SurveySent | SurveyAnswered
"""For decoding a packed history: ``list[CustomerSurveyEvent]``."""


def key_of(event: wire.SurveySent | wire.SurveyAnswered) -> str:
    """Which survey an event is about: the customer's of that id, as a ticket's surveys are the ticket's. One id may
    stand for what many customers were asked."""
    return f"{event.data.customer_id}\0{event.data.survey_id}"


def from_wire(event: Any, time_ms: int) -> CustomerSurveyEvent | None:  # noqa: ANN401 any type of the topic's union
    """The compact form of a decoded wire event that happened at ``time_ms``; None when no survey needs it."""
    uid = f"{event.id}\0{event.source}"
    if isinstance(event, wire.SurveyAnswered):
        data = event.data
        rating = (data.score, data.scale_min, data.scale_max)
        return SurveyAnswered(time_ms, uid, data.survey_id, data.kind, *rating, data.channel, data.category)
    if isinstance(event, wire.SurveySent):
        sent = event.data
        return SurveySent(time_ms, uid, sent.survey_id, sent.kind, sent.channel, sent.category)
    return None
