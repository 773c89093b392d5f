"""What the tests of the pure core share: records of events, and topics that keep what a shard flushes."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from stream_kpi.deadlines import DEADLINES_KEY
from stream_kpi.entities import Retention
from stream_kpi.events.partitioner import Partitioner
from stream_kpi.events.records import InputRecord, Outgoing
from stream_kpi.events.times import event_time_ms
from stream_kpi.events.topics import TopicKind
from stream_kpi.kpis.record import timestamp
from stream_kpi.lifecycles.options import Options
from stream_kpi.measures.vector import Vector
from stream_kpi.pipeline import Flush
from stream_kpi.shard import Shard, ShardOptions
from stream_kpi.windows.panes import AGES_KEY, FLUSHED_KEY, PaneKey, unpack_key
from stream_kpi.windows.sum_table import unpacked_vectors

TICKETS = TopicKind.TICKET.default_topic
CHATS = TopicKind.CHAT.default_topic
REKEYED = "app-rekeyed"
SLA = "support.sla.events.v1"
CUSTOMERS = "app-customers"
TOPICS = {kind.default_topic: kind for kind in TopicKind}
SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS = 1_000, 60_000, 3_600_000, 86_400_000
T0_MS = event_time_ms("2026-03-02T10:00:00Z")
LIVE = Retention(closed_ms=8 * DAY_MS, open_ms=400 * DAY_MS)


@dataclass
class Record:
    """A consumed Kafka record."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


def event(kind: str, subject: str, time_ms: int, uid: str, /, **data: Any) -> bytes:
    """A structured CloudEvent."""
    document = {"specversion": "1.0", "id": uid, "source": "/test", "type": kind, "subject": subject}
    return json.dumps({**document, "time": timestamp(time_ms), "data": data}).encode()


def created(subject: str, time_ms: int, uid: str | None = None, **data: Any) -> bytes:
    """A ticket of channel email, unless told otherwise."""
    uid = uid or f"{subject}/created"
    return event("ticket.created", subject, time_ms, uid, **{"channel": "email", "customer_id": "c", **data})


def status(subject: str, time_ms: int, name: str, uid: str | None = None) -> bytes:
    """A change of a ticket's status."""
    return event("ticket.status", subject, time_ms, uid or f"{subject}/{name}/{time_ms}", status=name)


def reply(subject: str, time_ms: int, agent: str = "a1") -> bytes:
    """An agent's public message."""
    return event("ticket.message", subject, time_ms, f"{subject}/reply/{time_ms}", author="agent", author_id=agent)


def records(*values: bytes | None, first: int = 0, at_ms: int = T0_MS, key: bytes | None = None) -> list[InputRecord]:
    """Values as consecutive records of a partition."""
    return [Record(first + place, at_ms, key, value) for place, value in enumerate(values)]


class Topics:
    """The state and panes topics of one shard as compaction leaves them, and what else was written."""

    def __init__(self) -> None:
        self.state: dict[bytes, bytes | None] = {}
        self.panes: dict[bytes, bytes | None] = {}
        self.outgoing: list[Outgoing] = []

    def write(self, flush: Flush | None) -> Flush | None:
        """Take a flush in."""
        if flush is not None:
            for kept, written in ((self.state, flush.state), (self.panes, flush.panes)):
                for key, value in written:
                    kept.pop(key, None)
                    kept[key] = value
            self.outgoing += flush.outgoing
        return flush

    def entities(self) -> set[bytes]:
        """Keys of the entities that are kept."""
        return {key for key, value in self.state.items() if value is not None and key[1:2] == b":"}

    def vectors(self) -> dict[PaneKey, dict[int, int]]:
        """All panes that are kept."""
        return {
            unpack_key(key): vector_in(value)
            for key, value in self.panes.items()
            if value is not None and key not in (AGES_KEY, DEADLINES_KEY, FLUSHED_KEY)
        }


def vector_in(value: bytes) -> Vector:
    """What a pane's record states."""
    return unpacked_vectors({0: value}).vector(0)


def owned_by(number: int, shards: int) -> str:
    """A key that belongs to a shard."""
    partitioner = Partitioner("murmur2", shards)
    return next(f"T-{n}" for n in range(100) if partitioner.owner(f"T-{n}".encode()) == number)


def new_shard(
    number: int = 0, shards: int = 1, *, retention: Retention | None = LIVE, options: Options | None = None
) -> Shard:
    """A shard of the default topics, that writes its tiers at every flush."""
    settings = ShardOptions(
        options=options or Options(),
        topics=TOPICS,
        rekeyed_topic=REKEYED,
        sla_topic=SLA,
        customers_topic=CUSTOMERS,
        retention=retention,
        spread_every_ms=0,
    )
    return Shard(number, shards, settings)


def restored_shard(
    topics: Topics,
    number: int = 0,
    shards: int = 1,
    *,
    retention: Retention | None = LIVE,
    options: Options | None = None,
) -> Shard:
    """A shard that has read back what an earlier one wrote."""
    shard = new_shard(number, shards, retention=retention, options=options)
    shard.restore(list(topics.state.items()), list(topics.panes.items()))
    deque(shard.restored(), maxlen=0)
    return shard
