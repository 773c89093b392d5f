"""What a mention keeps of its events: the fields that measures need, and how they are made from the wire's."""

from __future__ import annotations

from typing import Any, ClassVar

from stream_kpi.events import signals as wire
from stream_kpi.lifecycles.history import HistoryEvent


class Mentioned(HistoryEvent, frozen=True, gc=False, tag=0):
    """Somebody mentioned the organisation."""

    network: str
    sentiment: str | None

    opens: ClassVar[bool] = True


class Replied(HistoryEvent, frozen=True, gc=False, tag=1):
    """The mention was replied to."""

    rank: ClassVar[int] = 4


MentionEvent = Mentioned | Replied
"""For decoding a packed history: ``list[MentionEvent]``."""


def from_wire(event: Any, time_ms: int) -> MentionEvent | None:  # noqa: ANN401 any type of the topic's union
    """The compact form of a decoded wire event that happened at ``time_ms``; None when no mention needs it."""
    uid = f"{event.id}\0{event.source}"
    if isinstance(event, wire.SocialMention):
        return Mentioned(time_ms, uid, event.data.network, event.data.sentiment)
    return Replied(time_ms, uid) if isinstance(event, wire.SocialReplied) else None
