"""From when on something may follow from what an account is told: nothing from a missed service level of one who has
never had a subscription or an invoice, as no revenue is at risk. To take such a word in needs no fold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stream_kpi.lifecycles.customer.events import BreachedTicket
from stream_kpi.lifecycles.history import NEVER_MS, HistoryEvent

if TYPE_CHECKING:
    from stream_kpi.lifecycles.options import Options


def follows_ms(event: HistoryEvent, options: Options) -> int:  # noqa: ARG001 the signature of all that say it
    """As that of a relationship (lifecycles.relationship.at_rest)."""
    # When nothing is owed any more, the customer may be forgotten sooner.
    if isinstance(event, BreachedTicket) and event.breaches and not event.final:
        return NEVER_MS
    return -NEVER_MS
