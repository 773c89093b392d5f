"""What a chat keeps of its events: the fields that measures need, and how they are made from the wire's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from stream_kpi.events import chats as wire
from stream_kpi.events.envelope import SurveyAnsweredData, SurveySentData
from stream_kpi.lifecycles.history import Answer, HistoryEvent, Sent


class Queued(HistoryEvent, frozen=True, gc=False, tag=0):
    """A customer began to wait. Before everything else, whatever its time."""

    queue: str
    channel: str
    priority: str | None
    category: str | None
    brand: str | None
    customer_id: str | None = None

    opens: ClassVar[bool] = True


class Transferred(HistoryEvent, frozen=True, gc=False, tag=1):
    """The chat went to another queue or agent."""

    to_queue: str | None
    to_agent: str | None

    rank: ClassVar[int] = 3


class Accepted(HistoryEvent, frozen=True, gc=False, tag=2):
    """An agent answered."""

    agent_id: str
    queue: str | None
    """None: the queue stays."""

    rank: ClassVar[int] = 4


class Left(HistoryEvent, frozen=True, gc=False, tag=3):
    """The customer left the queue without an agent."""

    reason: str

    rank: ClassVar[int] = 6


class Ended(HistoryEvent, frozen=True, gc=False, tag=4):
    """The chat is over."""

    by: str
    after_work_ms: int
    resolved: bool = False

    rank: ClassVar[int] = 6


class SurveyAnswered(Answer, frozen=True, gc=False, tag=5):
    """A survey about the chat was answered, or answered again."""


class SurveySent(Sent, frozen=True, gc=False, tag=6):
    """A survey about the chat went out."""


class CustomerWrote(HistoryEvent, frozen=True, gc=False, tag=7):
    """A message of the customer."""

    rank: ClassVar[int] = 4


class AgentWrote(HistoryEvent, frozen=True, gc=False, tag=8):
    """A message of a human agent, which answers all that the customer wrote."""

    rank: ClassVar[int] = 4


ChatEvent = Queued | Transferred | Accepted | Left | Ended | SurveyAnswered | SurveySent | CustomerWrote | AgentWrote
"""For decoding a packed history: ``list[ChatEvent]``."""


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
