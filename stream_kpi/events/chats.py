"""Events of ``support.chats.v1``; the subject is the id of the chat or call, of ``agent.presence`` the agent's."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from stream_kpi.events.envelope import (
    Data,
    Event,
    Id,
    RequiredText,
    Seconds,
    SurveyAnsweredData,
    SurveySentData,
    Text,
)
from stream_kpi.events.tickets import Author


class ChatQueuedData(Data, frozen=True, gc=False, kw_only=True):
    """Where the customer waits."""

    queue: RequiredText
    channel: RequiredText = "chat"
    customer_id: Id | None = None
    priority: Text | None = None
    category: Text | None = None
    brand: Text | None = None
    group: Text | None = None


class ChatQueued(Event, frozen=True, gc=False, kw_only=True, tag="chat.queued"):
    """A customer began to wait for an agent."""

    data: ChatQueuedData


class ChatAcceptedData(Data, frozen=True, gc=False, kw_only=True):
    """Who answered."""

    agent_id: Id
    queue: Text | None = None


class ChatAccepted(Event, frozen=True, gc=False, kw_only=True, tag="chat.accepted"):
    """An agent answered."""

    data: ChatAcceptedData


class ChatMessageData(Data, frozen=True, gc=False, kw_only=True):
    """Who wrote."""

    author: Author
    author_id: Id | None = None


class ChatMessage(Event, frozen=True, gc=False, kw_only=True, tag="chat.message"):
    """A message in a chat."""

    data: ChatMessageData


class ChatTransferredData(Data, frozen=True, gc=False, kw_only=True):
    """Where to."""

    to_queue: Text | None = None
    to_agent: Id | None = None


class ChatTransferred(Event, frozen=True, gc=False, kw_only=True, tag="chat.transferred"):
    """The chat went to another queue or agent."""

    data: ChatTransferredData


class ChatLeftData(Data, frozen=True, gc=False, kw_only=True):
    """How the waiting ended."""

    reason: Literal["abandoned", "callback", "flowout", "timeout", "voicemail", "blocked"]


class ChatLeft(Event, frozen=True, gc=False, kw_only=True, tag="chat.left"):
    """The customer left the queue without an agent."""

    data: ChatLeftData


class ChatEndedData(Data, frozen=True, gc=False, kw_only=True):
    """Who ended it, and what the agent's time on it was. ``hold_s`` lies inside the chat, ``after_work_s`` after it."""

    by: Literal["customer", "agent", "system", "timeout"]
    resolved: bool | None = None
    hold_s: Seconds | None = None
    after_work_s: Seconds | None = None


class ChatEnded(Event, frozen=True, gc=False, kw_only=True, tag="chat.ended"):
    """The chat is over."""

    data: ChatEndedData


class ChatSurveySent(Event, frozen=True, gc=False, kw_only=True, tag="chat.survey_sent"):
    """The customer was asked to rate."""

    data: SurveySentData


class ChatSurveyAnswered(Event, frozen=True, gc=False, kw_only=True, tag="chat.survey_answered"):
    """The customer rated, or rated anew."""

    data: SurveyAnsweredData


class AgentPresenceData(Data, frozen=True, gc=False, kw_only=True):
    """What an agent is doing; ``capacity`` in simultaneous chats."""

    state: Literal["available", "busy", "away", "offline"]
    capacity: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    group: Text | None = None
    queues: Annotated[tuple[RequiredText, ...], Meta(max_length=1_000)] | None = None


class AgentPresence(Event, frozen=True, gc=False, kw_only=True, tag="agent.presence"):
    """An agent's presence changed."""

    data: AgentPresenceData


ChatWire = (
    ChatQueued
    | ChatAccepted
    | ChatMessage
    | ChatTransferred
    | ChatLeft
    | ChatEnded
    | ChatSurveySent
    | ChatSurveyAnswered
    | AgentPresence
)
"""Every type of the topic."""
