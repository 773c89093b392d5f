"""What a cost keeps of its events: the fields that measures need, and how they are made from the wire's."""

from __future__ import annotations

from typing import Any

from stream_kpi.events import signals as wire
from stream_kpi.events.currencies import numeric_code
from stream_kpi.events.times import event_time_ms
from stream_kpi.lifecycles.history import HistoryEvent


class Recorded(HistoryEvent, frozen=True, gc=False, tag=0):
    """An amount was booked."""

    kind: str
    """support or acquisition"""
    amount: int
    """Minor units; below 0: a credit."""
    currency: int
    """ISO 4217 numeric code."""
    start_ms: int
    end_ms: int
    """The period [start, end), not empty: the wire contract refuses others."""
    channel: str | None = None


CostEvent = Recorded
"""Every compact event of a cost; a union as soon as there is a second."""


def from_wire(event: Any, time_ms: int) -> CostEvent | None:  # noqa: ANN401 any type of the topic's union
    """The compact form of a decoded wire event that happened at ``time_ms``; None when no cost needs it."""
    if not isinstance(event, wire.CostRecorded):
        return None
    data = event.data
    return Recorded(
        time_ms,
        f"{event.id}\0{event.source}",
        data.kind,
        data.amount,
        numeric_code(data.currency),
        event_time_ms(data.period_start),
        event_time_ms(data.period_end),
        data.channel,
    )
