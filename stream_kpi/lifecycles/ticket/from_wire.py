"""What a ticket keeps of an event of the wire."""

from __future__ import annotations

from collections.abc import Callable
from sys import intern
from typing import Any

from msgspec import UNSET

from stream_kpi.events import tickets as wire
from stream_kpi.events.envelope import SurveyAnsweredData, SurveySentData
from stream_kpi.lifecycles.ticket.events import (
    Assigned,
    Created,
    HandedOff,
    Merged,
    Message,
    Status,
    SurveyAnswered,
    SurveySent,
    TicketEvent,
    Updated,
)


def from_wire(event: wire.TicketWire, time_ms: int) -> TicketEvent | None:
    """The compact form of a decoded wire event that happened at ``time_ms``; None when no measure needs it."""
    convert = _CONVERTERS.get(type(event))
    return None if convert is None else convert(time_ms, f"{event.id}\0{event.source}", event.data)


def shared(text: str | None) -> str | None:
    """The one copy of a text that many events have."""
    return None if text is None else intern(text)


def _created(time_ms: int, uid: str, data: wire.TicketCreatedData) -> Created:
    dimensions = (shared(data.category), shared(data.priority), shared(data.group), shared(data.brand))
    return Created(time_ms, uid, intern(data.channel), *dimensions, data.created_by, data.customer_id)


def _updated(time_ms: int, uid: str, data: wire.TicketUpdatedData) -> Updated | None:
    values = (
        ("channel", data.channel),
        ("priority", data.priority),
        ("category", data.category),
        ("group", data.group),
        ("brand", data.brand),
        ("sla_policy", data.sla_policy),
        ("customer_id", data.customer_id),
    )
    changes = tuple((dimension, value) for dimension, value in values if value is not UNSET)
    return Updated(time_ms, uid, changes) if changes else None


def _merged(time_ms: int, uid: str, _: wire.TicketMergedData) -> Merged:
    return Merged(time_ms, uid)


def _assigned(time_ms: int, uid: str, data: wire.TicketAssignedData) -> Assigned:
    kind = HandedOff if data.reason == "bot_handoff" else Assigned
    return kind(time_ms, uid, shared(data.agent_id), shared(data.group))


def _message(time_ms: int, uid: str, data: wire.TicketMessageData) -> Message:
    return Message(time_ms, uid, data.author, shared(data.author_id), data.public, data.session_id)


def _status(time_ms: int, uid: str, data: wire.TicketStatusData) -> Status:
    return Status(time_ms, uid, data.status, data.actor or "agent", data.actor_id)


def _survey_sent(time_ms: int, uid: str, data: SurveySentData) -> SurveySent:
    return SurveySent(time_ms, uid, data.survey_id, data.kind)


def _survey_answered(time_ms: int, uid: str, data: SurveyAnsweredData) -> SurveyAnswered:
    return SurveyAnswered(time_ms, uid, data.survey_id, data.kind, data.score, data.scale_min, data.scale_max)


_CONVERTERS: dict[type, Callable[[int, str, Any], TicketEvent | None]] = {
    wire.TicketCreated: _created,
    wire.TicketUpdated: _updated,
    wire.TicketMerged: _merged,
    wire.TicketAssigned: _assigned,
    wire.TicketMessage: _message,
    wire.TicketStatus: _status,
    wire.TicketSurveySent: _survey_sent,
    wire.TicketSurveyAnswered: _survey_answered,
}
