"""A record that lies on another partition than its subject's: how it travels to its owner, and arrives as it was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from stream_kpi.events.records import InputRecord, Outgoing

ORIGIN_HEADER = "stream_kpi.origin"
"""``topic/partition/offset`` that the record came from: the last header but one."""
ORIGINAL_KEY_HEADER = "stream_kpi.original_key"
"""``=`` and the key that it came with, or nothing where it had none: the last header."""

LARGEST_SENT_ON_BYTES = 800_000
"""Key, value and headers: with what is added they fit into a record batch of a broker's default size, 1 MiB."""


class OriginalRecord(msgspec.Struct, gc=False):
    """A record as it stood where it came from."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class Origin(NamedTuple):
    """Where a re-keyed record came from, and what it was there."""

    topic: str
    partition: int
    record: OriginalRecord


def rekeyed(record: InputRecord, topic: str, partition: int, subject: bytes, to: tuple[str, int]) -> Outgoing:
    """The record on its way to its owner, ``to`` = (topic, partition)."""
    origin = f"{topic}/{partition}/{record.offset}".encode()
    key = b"" if record.key is None else b"=" + record.key
    headers = [*record.headers, (ORIGIN_HEADER, origin), (ORIGINAL_KEY_HEADER, key)]
    return Outgoing(to[0], to[1], subject, record.value, headers, record.timestamp)


def origin_of(record: InputRecord) -> Origin:
    """What :func:`rekeyed` was given. Raises ValueError when the record was not made by it."""
    *headers, (_, origin), (_, packed_key) = record.headers
    topic, partition, offset = origin.decode().rsplit("/", 2)
    key = packed_key[1:] if packed_key else None
    return Origin(topic, int(partition), OriginalRecord(int(offset), record.timestamp, key, record.value, headers))
