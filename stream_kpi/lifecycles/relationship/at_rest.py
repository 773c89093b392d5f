"""Words that nothing follows from for now, nearly all: what was solved is decided when it has stood its time. To take
such a word in needs no fold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream_kpi.lifecycles.at_rest import put
from stream_kpi.lifecycles.history import NEVER_MS, HistoryEvent
from stream_kpi.lifecycles.options import CHAT_FCR_WINDOW_MS
from stream_kpi.lifecycles.relationship.events import ChatContact, TicketContact

if TYPE_CHECKING:
    from stream_kpi.lifecycles.options import Options


def take_in(history: list[HistoryEvent], word: HistoryEvent, clock_ms: int, options: Options) -> int | None:
    """Put a word in its place in a customer's sorted history, if neither without it nor with it anything has followed
    from that by ``clock_ms``: when something is going to, ``NEVER_MS`` if nothing is. None: only a fold can tell, and
    the history is as it was."""
    soonest_ms = _decided_ms(word, options)
    if soonest_ms <= clock_ms:
        return None
    for event in history:
        due_ms = _decided_ms(event, options)
        if due_ms <= clock_ms:
            return None
        if due_ms < soonest_ms and event.uid != word.uid:
            soonest_ms = due_ms
    return soonest_ms if put(history, word) else None


def _decided_ms(event: HistoryEvent, options: Options) -> int:
    """When something follows from an event; ``-NEVER_MS`` if that may be at once, or if others are forgotten by it."""
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
