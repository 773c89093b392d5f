"""What a ticket keeps of its events: the fields that measures need."""

from __future__ import annotations

from typing import ClassVar

from stream_kpi.lifecycles.history import Answer, HistoryEvent, Sent


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
