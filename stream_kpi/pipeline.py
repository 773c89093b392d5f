"""The way of the data on one page.

    records ─► decode_batch ─► Event | Rejected | UnknownType          events/
    Event ─► from_wire ─► HistoryEvent ─► Entity.apply ─► facts        lifecycles/
    facts ─► Panes.add, spread ─► panes by tier, start and cut         measures/, windows/
    Shard.flush ─► state, panes, clock, dead letters: one transaction  shard.py, written by shell/
    panes of all shards ─► MergedPanes ─► one View a window            windows/
    View ─► evaluate ─► KpiRecord                                      kpis/, merge.py (live), compute.py (a file)

Here: the kinds of entities that events are folded into, and what goes in and out of a shard.
"""

from __future__ import annotations

from typing import NamedTuple

from stream_kpi.entities import Lifecycle
from stream_kpi.events.records import InputRecord, Outgoing
from stream_kpi.events.topics import TopicKind
from stream_kpi.lifecycles.chat import events as chat_events
from stream_kpi.lifecycles.chat.fold import ChatFold
from stream_kpi.lifecycles.customer import events as customer_events
from stream_kpi.lifecycles.customer.fold import CustomerFold
from stream_kpi.lifecycles.ticket import events as ticket_events
from stream_kpi.lifecycles.ticket.fold import TicketFold

__all__ = ["LIFECYCLES", "Flush", "InputRecord", "Outgoing"]

LIFECYCLES: dict[TopicKind, Lifecycle] = {
    TopicKind.TICKET: Lifecycle(b"t:", TicketFold, ticket_events.TicketEvent, ticket_events.from_wire),
    TopicKind.CHAT: Lifecycle(b"c:", ChatFold, chat_events.ChatEvent, chat_events.from_wire),
    TopicKind.SUBSCRIPTION: Lifecycle(b"s:", CustomerFold, customer_events.CustomerEvent, customer_events.from_wire),
}
"""What the events of each source topic are folded into. Signals (visits, mentions, costs) are decoded and counted;
their lifecycles belong here."""


class Flush(NamedTuple):
    """Everything that one flush writes atomically. A None value is a tombstone."""

    state: list[tuple[bytes, bytes | None]]
    panes: list[tuple[bytes, bytes | None]]
    clock: tuple[bytes, bytes]
    outgoing: list[Outgoing]
