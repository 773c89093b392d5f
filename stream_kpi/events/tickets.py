"""Events of ``support.tickets.v1``; the subject is the ticket's id."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, UnsetType

from stream_kpi.events.envelope import (
    Data,
    Event,
    Id,
    RequiredText,
    SurveyAnsweredData,
    SurveySentData,
    Text,
)
from stream_kpi.events.rejection import InvalidEventError, Reason

Author = Literal["customer", "agent", "bot", "automation", "campaign", "system"]
TicketState = Literal["new", "open", "pending", "on_hold", "solved", "closed", "deleted", "spam"]
"""``pending`` waits for the customer, ``on_hold`` for a third party."""


class TicketCreatedData(Data, frozen=True, gc=False, kw_only=True):
    """Where a ticket came from and what it is about."""

    channel: RequiredText
    customer_id: Id
    category: Text | None = None
    priority: Text | None = None
    group: Text | None = None
    brand: Text | None = None
    created_by: Literal["customer", "agent", "bot", "system"] = "customer"


class TicketCreated(Event, frozen=True, gc=False, kw_only=True, tag="ticket.created"):
    """A ticket was opened."""

    data: TicketCreatedData


class TicketMessageData(Data, frozen=True, gc=False, kw_only=True):
    """Who wrote. Messages of one ``session_id`` count as one reply."""

    author: Author
    author_id: Id | None = None
    public: bool = True
    channel: Text | None = None
    session_id: Id | None = None


class TicketMessage(Event, frozen=True, gc=False, kw_only=True, tag="ticket.message"):
    """A message or note was added."""

    data: TicketMessageData


class TicketAssignedData(Data, frozen=True, gc=False, kw_only=True):
    """The new assignee; no ``agent_id``: nobody."""

    agent_id: Id | None = None
    group: Text | None = None
    reason: Literal["auto", "manual", "transfer", "bot_handoff"] | None = None


class TicketAssigned(Event, frozen=True, gc=False, kw_only=True, tag="ticket.assigned"):
    """The ticket went to an agent or a group."""

    data: TicketAssignedData


class TicketStatusData(Data, frozen=True, gc=False, kw_only=True):
    """The new status, and who set it."""

    status: TicketState
    actor: Literal["customer", "agent", "bot", "automation", "system"] | None = None
    actor_id: Id | None = None


class TicketStatus(Event, frozen=True, gc=False, kw_only=True, tag="ticket.status"):
    """The status changed."""

    data: TicketStatusData


class TicketUpdatedData(Data, frozen=True, gc=False, kw_only=True):
    """New values. UNSET: not mentioned, so it stays; None: it has no value any more."""

    channel: Text | UnsetType | None = UNSET
    category: Text | UnsetType | None = UNSET
    priority: Text | UnsetType | None = UNSET
    group: Text | UnsetType | None = UNSET
    brand: Text | UnsetType | None = UNSET
    customer_id: Id | UnsetType | None = UNSET
    sla_policy: Text | UnsetType | None = UNSET


class TicketUpdated(Event, frozen=True, gc=False, kw_only=True, tag="ticket.updated"):
    """Fields of the ticket changed."""

    data: TicketUpdatedData


class TicketMergedData(Data, frozen=True, gc=False, kw_only=True):
    """The ticket that stays."""

    into: Id


class TicketMerged(Event, frozen=True, gc=False, kw_only=True, tag="ticket.merged"):
    """The ticket became part of another and leaves every count. Into itself: refused."""

    data: TicketMergedData

    def __post_init__(self) -> None:
        """Refuse a ticket that would make itself vanish."""
        if self.data.into == self.subject:
            raise InvalidEventError(Reason.INVALID_DATA, "a ticket cannot be merged into itself - at `$.data.into`")


class TicketSurveySent(Event, frozen=True, gc=False, kw_only=True, tag="ticket.survey_sent"):
    """The customer was asked to rate."""

    data: SurveySentData


class TicketSurveyAnswered(Event, frozen=True, gc=False, kw_only=True, tag="ticket.survey_answered"):
    """The customer rated, or rated anew."""

    data: SurveyAnsweredData


TicketWire = (
    TicketCreated
    | TicketMessage
    | TicketAssigned
    | TicketStatus
    | TicketUpdated
    | TicketMerged
    | TicketSurveySent
    | TicketSurveyAnswered
)
"""Every type of the topic."""
