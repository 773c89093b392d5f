"""From when on something may follow from what a customer's relationship is told: from nearly every word nothing for
now, as what was solved is decided when it has stood its time. To take such a word in needs no fold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream_kpi.lifecycles.history import NEVER_MS, HistoryEvent
from stream_kpi.lifecycles.options import CHAT_FCR_WINDOW_MS
from stream_kpi.lifecycles.relationship.events import ChatContact, TicketContact

if TYPE_CHECKING:
    from stream_kpi.lifecycles.options import Options


def follows_ms(event: HistoryEvent, options: Options) -> int:
    """From when on something may follow from the event: ``NEVER_MS`` if nothing will; ``-NEVER_MS`` if it may at once,
    or if others are forgotten by it."""
    if isinstance(event, TicketContact):
        window_ms = options.fcr_window_ms
    elif isinstance(event, ChatContact):
        window_ms = CHAT_FCR_WINDOW_MS
    else:
        return -NEVER_MS
    if event.answers or event.final:
        return -NEVER_MS
    resolution = event.resolution
    return NEVER_MS if resolution is None else resolution.time_ms + window_ms
