"""The agent lifecycle: present (available or busy), busy, and neither (kpis.md, Chat and voice)."""

from __future__ import annotations

from typing import Final

import msgspec

from stream_kpi.lifecycles.agent.events import AgentEvent, Presence
from stream_kpi.lifecycles.facts import TOTAL, UNKNOWN, Cut, CutSets
from stream_kpi.lifecycles.fold import Fold
from stream_kpi.lifecycles.history import HistoryEvent
from stream_kpi.lifecycles.options import Options
from stream_kpi.lifecycles.running import Running
from stream_kpi.measures import registry

PRESENT: Final = Running.of(registry.AGENTS_PRESENT)
BUSY: Final = Running.of(registry.AGENTS_BUSY)
PRESENT_STATES: Final = frozenset({"available", "busy"})


class AgentFold(Fold):
    """One agent. The group cuts are its own group and each queue that it serves, the groups of chats.

    Each presence says all, so the fold of an agent's later events goes on as that of all of them.
    """

    __slots__ = ("_cuts", "_state")

    history_decoder = msgspec.msgpack.Decoder(list[AgentEvent])

    def __init__(self, cut_sets: CutSets, options: Options) -> None:  # noqa: ARG002 as every fold
        super().__init__(cut_sets)
        self._state = "offline"
        self._cuts = 0

    @property
    def closed(self) -> bool:
        """Offline."""
        return self._state == "offline"

    def on_event(self, event: HistoryEvent) -> None:
        """Apply the next presence."""
        assert isinstance(event, Presence)  # noqa: S101 an agent has no other events
        self.voided = False
        before, after, time_ms = self._state, event.state, event.time_ms
        left, entered = self._cuts, self._cuts_of(event)
        self._state, self._cuts = after, entered
        moved = left != entered
        was_present, is_present = before in PRESENT_STATES, after in PRESENT_STATES
        if was_present and (moved or not is_present):
            PRESENT.stop(self.facts, time_ms, left)
        if is_present and (moved or not was_present):
            PRESENT.start(self.facts, time_ms, entered)
        if before == "busy" and (moved or after != "busy"):
            BUSY.stop(self.facts, time_ms, left)
        if after == "busy" and (moved or before != "busy"):
            BUSY.start(self.facts, time_ms, entered)

    def _cuts_of(self, event: Presence) -> int:
        groups = sorted({event.group or UNKNOWN, *event.queues})
        cuts: tuple[Cut, ...] = (TOTAL, *(("group", group) for group in groups))
        return self.cut_sets.credited(self.cut_sets.id_of(cuts), event.agent_id)
