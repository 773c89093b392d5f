"""What a user keeps of its events: the fields that measures need, and how they are made from the wire's."""

from __future__ import annotations

from typing import Any, ClassVar

from stream_kpi.events import signals as wire
from stream_kpi.lifecycles.history import HistoryEvent


class SignedUp(HistoryEvent, frozen=True, gc=False, tag=0):
    """The user signed up."""

    channel: str | None
    plan: str | None


class Performed(HistoryEvent, frozen=True, gc=False, tag=1):
    """The user was active."""

    action: str
    plan: str | None

    rank: ClassVar[int] = 4


UserEvent = SignedUp | Performed
"""For decoding a packed history: ``list[UserEvent]``."""


def from_wire(event: Any, time_ms: int) -> UserEvent | None:  # noqa: ANN401 any type of the topic's union
    """The compact form of a decoded wire event that happened at ``time_ms``; None when no user needs it."""
    uid = f"{event.id}\0{event.source}"
    if isinstance(event, wire.ActivityPerformed):
        return Performed(time_ms, uid, event.data.action, event.data.plan or None)
    if isinstance(event, wire.SignupCompleted):
        return SignedUp(time_ms, uid, event.data.channel or None, event.data.plan or None)
    return None
