"""Records as the pure code sees them: consumed, and to be sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class InputRecord(Protocol):
    """What a shard needs of a consumed Kafka record; aiokafka's ConsumerRecord fits as it is."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


def size_bytes(record: InputRecord | Outgoing) -> int:
    """Of key, value and headers."""
    return (
        len(record.key or b"")
        + len(record.value or b"")
        + sum(len(name.encode()) + len(value or b"") for name, value in record.headers)
    )


class Outgoing(NamedTuple):
    """A record that leaves with the flush (dead letter, late, re-keyed). ``partition`` None: by key."""

    topic: str
    partition: int | None
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]
    timestamp_ms: int | None
