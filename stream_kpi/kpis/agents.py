"""Rows about agents' time: how much of it they are busy, and with how many chats at once (pure)."""

from __future__ import annotations

from typing import Final

from stream_kpi.kpis import rows
from stream_kpi.kpis.rows import Area, Kpi, KpiKind
from stream_kpi.kpis.running import TimeRatio
from stream_kpi.measures import registry

_CUTS: Final = (rows.TOTAL_CUT, "group", "agent")
_WINDOWS: Final = (*rows.TODAY, *rows.TUMBLING)

PRESENCE: Final = (
    Kpi(
        id="agent_occupancy",
        title="Agent occupancy",
        area=Area.AGENTS,
        unit="ratio",
        kind=KpiKind.RATIO,
        direction="none",
        target=None,
        cuts=_CUTS,
        windows=_WINDOWS,
        formula=TimeRatio(registry.AGENTS_BUSY, registry.AGENTS_PRESENT),
        definition="Time that agents were busy / time that they were busy or available, inside the window, the state "
        "that lasts included. An agent's groups are its own and each queue that it serves.",
        advice="Keep it between 75 and 85 %: above, people tire and handle times grow, so bring in another agent or "
        "defer outbound work; far below, move agents to tickets or to a busier queue in these hours.",
    ),
    Kpi(
        id="agent_concurrency",
        title="Simultaneous chats of an agent",
        area=Area.AGENTS,
        unit="chats",
        kind=KpiKind.QUOTIENT,
        direction="none",
        target=None,
        cuts=_CUTS,
        windows=_WINDOWS,
        formula=TimeRatio(registry.CHATS_IN_HAND, registry.AGENTS_PRESENT),
        definition="Chats and calls in hand, weighted by time: the time from accept to end, hand-over or return to a "
        "queue, added up / time that agents were busy or available. By group: the chats of a queue by the agents who "
        "serve it.",
        advice="Compare it with the capacity that agents are given. If customers wait while it is far below, raise the "
        "routing's limit by one; if answers within chats slow down as it rises, lower the limit again.",
    ),
)
