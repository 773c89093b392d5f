"""Missed service levels of those who have never had a subscription or an invoice: no revenue is at risk. To take such a
word in needs no fold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream_kpi.lifecycles.at_rest import put
from stream_kpi.lifecycles.customer.events import BreachedTicket
from stream_kpi.lifecycles.history import NEVER_MS, HistoryEvent

if TYPE_CHECKING:
    from stream_kpi.lifecycles.options import Options


def take_in(
    history: list[HistoryEvent],
    word: HistoryEvent,
    clock_ms: int,  # noqa: ARG001 nothing comes with time
    options: Options,  # noqa: ARG001 the signature of all that take words in
) -> int | None:
    """As that of a relationship (lifecycles.relationship.at_rest)."""
    if not _is_owed(word):
        return None
    for event in history:
        if not _is_owed(event):
            return None
    return NEVER_MS if put(history, word) else None


def _is_owed(event: HistoryEvent) -> bool:
    # When nothing is, the customer may be forgotten sooner.
    return isinstance(event, BreachedTicket) and bool(event.breaches) and not event.final
