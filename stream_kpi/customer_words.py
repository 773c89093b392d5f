"""What customers are told by the tickets and chats of other shards, as records of the customers topic."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from stream_kpi.lifecycles.customer.events import BreachedTicket
from stream_kpi.lifecycles.relationship import events as relationship_events

Word = relationship_events.Word | BreachedTicket
"""What a customer is told: its relationship, or its account."""


class Words(NamedTuple):
    """One record of the topic."""

    reached_ms: int
    """How far the sender had come, in event time."""
    words: list[tuple[str, Word]]
    """Customer, and what it is told."""


pack = msgspec.msgpack.Encoder().encode
"""A record's value."""
unpack = msgspec.msgpack.Decoder(Words).decode
"""The inverse of :func:`pack`."""
