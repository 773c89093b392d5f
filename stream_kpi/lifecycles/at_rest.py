"""A word that an entity is told, put in its place in the sorted history: all it takes where nothing follows."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stream_kpi.lifecycles.history import HistoryEvent


def put(history: list[HistoryEvent], word: HistoryEvent) -> bool:
    """Put the word in, in place of the one of the same uid. False: it says nothing new, and the history is as it
    was."""
    for place, known in enumerate(history):
        if known.uid == word.uid:
            if not word.replaces(known):
                return False
            if known.time_ms == word.time_ms:
                history[place] = word
                return True
            del history[place]
            break
    if history and word.time_ms <= history[-1].time_ms:
        insort(history, word, key=lambda event: event.order)
    else:
        history.append(word)
    return True
