"""Words that nothing follows from for now, nearly all: what was solved is decided when it has stood its time. To take
such a word in needs no fold."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING

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
    known: HistoryEvent | None = None
    for event in history:
        due_ms = _decided_ms(event, options)
        if due_ms <= clock_ms:
            return None
        if event.uid == word.uid:
            known = event
        elif due_ms < soonest_ms:
            soonest_ms = due_ms
    if known is not None:
        if not word.replaces(known):
            return None
        history.remove(known)
    insort(history, word, key=lambda event: event.order)
    return soonest_ms


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
    return NEVER_MS if event.resolution is None else event.resolution.time_ms + window_ms
