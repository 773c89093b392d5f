"""Whether a customer's message was answered, and the drop of a chat in which it was not."""

from __future__ import annotations

from typing import Final

from stream_kpi.lifecycles.fold import Fold
from stream_kpi.measures import registry

SILENCE: Final = 1
"""Due moment: nobody has written for too long since the customer's unanswered message."""

DROPPED_SLOT: Final = registry.CHATS_DROPPED.slot


class Silence:
    """Of a chat in which the customer has written. It is dropped if it ends unanswered; until it ends, a long silence
    counts as its end for as long as nobody writes."""

    __slots__ = ("_abandon_after_ms", "_dropped", "_unanswered")

    def __init__(self, abandon_after_ms: int) -> None:
        self._abandon_after_ms = abandon_after_ms
        self._unanswered = False
        self._dropped: tuple[int, int] | None = None
        """Time and cuts of the drop by silence."""

    def on_customer_wrote(self, fold: Fold, time_ms: int, *, accepted: bool) -> None:
        """The customer has written; an agent is there, or not yet."""
        self._unanswered = True
        if self._dropped is not None:
            self._take_back(fold, *self._dropped)
        if accepted:
            fold.schedule(time_ms + self._abandon_after_ms, SILENCE)

    def on_accepted(self, fold: Fold, time_ms: int) -> None:
        """An agent is there now: what the customer wrote while waiting is to be answered."""
        if self._unanswered:
            fold.schedule(time_ms + self._abandon_after_ms, SILENCE)

    def on_agent_wrote(self, fold: Fold) -> None:
        """A human agent has answered all that stands."""
        self._unanswered = False
        fold.cancel(SILENCE)
        if self._dropped is not None:
            self._take_back(fold, *self._dropped)

    def on_ended(self, fold: Fold, time_ms: int, cuts: int) -> None:
        """An accepted chat is over."""
        if self._unanswered:
            fold.cancel(SILENCE)
            if self._dropped is not None:
                self._take_back(fold, *self._dropped)
            fold.emit(DROPPED_SLOT, time_ms, cuts)

    def on_due(self, fold: Fold, due_ms: int, cuts: int) -> None:
        """The silence has lasted too long."""
        self._dropped = (due_ms, cuts)
        fold.emit(DROPPED_SLOT, due_ms, cuts)

    def _take_back(self, fold: Fold, time_ms: int, cuts: int) -> None:
        fold.take_back(DROPPED_SLOT, time_ms, cuts)
        self._dropped = None
