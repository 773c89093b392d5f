"""What a ticket keeps of its events: the fields that measures need, and how they are made from the wire's."""

from __future__ import annotations

from sys import intern
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import UNSET

from stream_kpi.events import tickets as wire
from stream_kpi.lifecycles.history import Answer, HistoryEvent, Sent

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream_kpi.events.envelope import SurveyAnsweredData, SurveySentData


class Created(HistoryEvent, frozen=True, gc=False, tag=0):
    """The ticket came to be. Before everything else, whatever its time."""

    channel: str
    category: str | None
    priority: str | None
    group: str | None
    brand: str | None
    created_by: str
    customer_id: str | None = None

    opens: ClassVar[bool] = True


class Updated(HistoryEvent, frozen=True, gc=False, tag=1):
    """Dimensions, or the policy of its service levels, changed."""

    changes: tuple[tuple[str, str | None], ...]
    """(dimension, ``sla_policy`` or ``customer_id``, new value); None: it has no value any more."""

    rank: ClassVar[int] = 1


class Merged(HistoryEvent, frozen=True, gc=False, tag=2):
    """The ticket went into another one."""

    rank: ClassVar[int] = 2


class Assigned(HistoryEvent, frozen=True, gc=False, tag=3):
    """The ticket is an agent's, or nobody's, from now on."""

    agent_id: str | None
    group: str | None
    """None: the group stays."""

    rank: ClassVar[int] = 3


class Message(HistoryEvent, frozen=True, gc=False, tag=4):
    """Somebody wrote."""

    author: str
    author_id: str | None
    public: bool
    session_id: str | None

    rank: ClassVar[int] = 4


class Status(HistoryEvent, frozen=True, gc=False, tag=5):
    """The status was set."""

    status: str
    actor: str
    actor_id: str | None

    rank: ClassVar[int] = 5


class SurveySent(Sent, frozen=True, gc=False, tag=6):
    """A survey about the ticket went out."""


class SurveyAnswered(Answer, frozen=True, gc=False, tag=7):
    """A survey about the ticket was answered, or answered again."""


class HandedOff(Assigned, frozen=True, gc=False, tag=8):
    """Assigned by a bot that hands the ticket over to people."""


TicketEvent = Created | Updated | Merged | Assigned | HandedOff | Message | Status | SurveySent | SurveyAnswered
"""For decoding a packed history: ``list[TicketEvent]``."""


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
