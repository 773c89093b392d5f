"""What a chat keeps of an event of the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stream_kpi.events import chats as wire
from stream_kpi.events.envelope import SurveyAnsweredData, SurveySentData
from stream_kpi.lifecycles.chat.events import (
    Accepted,
    AgentWrote,
    ChatEvent,
    CustomerWrote,
    Ended,
    Left,
    Queued,
    SurveyAnswered,
    SurveySent,
    Transferred,
)


def from_wire(event: Any, time_ms: int) -> ChatEvent | None:  # noqa: ANN401 any type of the topic's union
    """The compact form of a decoded wire event that happened at ``time_ms``; None when no measure needs it.

    ``agent.presence`` is no chat's event; what bots and automations write answers nobody.
    """
    convert = _CONVERTERS.get(type(event))
    return None if convert is None else convert(time_ms, f"{event.id}\0{event.source}", event.data)


def _queued(time_ms: int, uid: str, data: wire.ChatQueuedData) -> Queued:
    dimensions = (data.queue, data.channel, data.priority, data.category, data.brand)
    return Queued(time_ms, uid, *dimensions, data.customer_id)


def _transferred(time_ms: int, uid: str, data: wire.ChatTransferredData) -> Transferred:
    return Transferred(time_ms, uid, data.to_queue, data.to_agent)


def _accepted(time_ms: int, uid: str, data: wire.ChatAcceptedData) -> Accepted:
    return Accepted(time_ms, uid, data.agent_id, data.queue)


def _left(time_ms: int, uid: str, data: wire.ChatLeftData) -> Left:
    return Left(time_ms, uid, data.reason)


def _ended(time_ms: int, uid: str, data: wire.ChatEndedData) -> Ended:
    # Cut off at the millisecond, but 1.001 s is 1,001 ms though its float lies just below.
    after_work_ms = round((data.after_work_s or 0) * 1_000_000) // 1000
    return Ended(time_ms, uid, data.by, after_work_ms, data.resolved is True)


def _message(time_ms: int, uid: str, data: wire.ChatMessageData) -> ChatEvent | None:
    if data.author == "customer":
        return CustomerWrote(time_ms, uid)
    return AgentWrote(time_ms, uid) if data.author == "agent" else None


def _survey_answered(time_ms: int, uid: str, data: SurveyAnsweredData) -> SurveyAnswered:
    return SurveyAnswered(time_ms, uid, data.survey_id, data.kind, data.score, data.scale_min, data.scale_max)


def _survey_sent(time_ms: int, uid: str, data: SurveySentData) -> SurveySent:
    return SurveySent(time_ms, uid, data.survey_id, data.kind)


_CONVERTERS: dict[type, Callable[[int, str, Any], ChatEvent | None]] = {
    wire.ChatQueued: _queued,
    wire.ChatTransferred: _transferred,
    wire.ChatAccepted: _accepted,
    wire.ChatMessage: _message,
    wire.ChatLeft: _left,
    wire.ChatEnded: _ended,
    wire.ChatSurveyAnswered: _survey_answered,
    wire.ChatSurveySent: _survey_sent,
}
