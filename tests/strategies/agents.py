"""Stories of one agent's presence, for properties: few instants and few states, so that ties and repeats are common."""

from __future__ import annotations

from hypothesis import strategies as st

from stream_kpi.lifecycles.agent.events import Presence

START_MS = 1_700_000_000_000
_OFFSETS_MS = (-1_000, 0, 1, 59_999, 60_000, 300_000, 3_600_000)

times_ms = st.sampled_from([START_MS + offset_ms for offset_ms in _OFFSETS_MS])

_states = st.sampled_from(["available", "busy", "away", "offline"])
_groups = st.sampled_from([None, "phone", "web"])
_queues = st.sampled_from([(), ("sales",), ("sales", "web")])


@st.composite
def agent_stories(draw: st.DrawFn, *, max_events: int = 8) -> list[Presence]:
    """What one agent told, each once, in the order of its making."""
    return [
        Presence(draw(times_ms), f"e{i}", "ann", draw(_states), draw(_groups), draw(_queues))
        for i in range(draw(st.integers(0, max_events)))
    ]
