"""What an agent keeps of its presence."""

from __future__ import annotations

from stream_kpi.events import chats as wire
from stream_kpi.lifecycles.history import HistoryEvent


class Presence(HistoryEvent, frozen=True, gc=False, tag=0):
    """What an agent is doing from now on. It says all: what it leaves out is unknown, whatever an earlier one said."""

    agent_id: str
    state: str
    """available, busy, away or offline"""
    group: str | None
    queues: tuple[str, ...]


AgentEvent = Presence
"""For decoding a packed history: ``list[AgentEvent]``."""


def from_wire(event: wire.AgentPresence, time_ms: int) -> Presence:
    """The compact form of a presence that was told at ``time_ms``."""
    data = event.data
    return Presence(
        time_ms, f"{event.id}\0{event.source}", event.subject, data.state, data.group or None, data.queues or ()
    )
