"""What a visitor keeps of its events: the fields that measures need, and how they are made from the wire's."""

from __future__ import annotations

from typing import Any, ClassVar

from stream_kpi.events import signals as wire
from stream_kpi.lifecycles.history import HistoryEvent


class Visited(HistoryEvent, frozen=True, gc=False, tag=0):
    """A visit began."""

    channel: str | None


class Converted(HistoryEvent, frozen=True, gc=False, tag=1):
    """The visitor reached a goal."""

    goal: str

    rank: ClassVar[int] = 4


class Acted(HistoryEvent, frozen=True, gc=False, tag=2):
    """The visitor did something: enough to be no bounce."""

    rank: ClassVar[int] = 4


VisitorEvent = Visited | Converted | Acted
"""For decoding a packed history: ``list[VisitorEvent]``."""


def from_wire(event: Any, time_ms: int) -> VisitorEvent | None:  # noqa: ANN401 any type of the topic's union
    """The compact form of a decoded wire event that happened at ``time_ms``; None when no visitor needs it."""
    uid = f"{event.id}\0{event.source}"
    if isinstance(event, wire.VisitStarted):
        return Visited(time_ms, uid, event.data.channel or None)
    if isinstance(event, wire.ConversionCompleted):
        return Converted(time_ms, uid, event.data.goal)
    return Acted(time_ms, uid) if isinstance(event, wire.ActivityPerformed) else None
