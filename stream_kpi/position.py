"""How far a shard has come, as its state topic says it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple
from zlib import crc32

import msgspec

from stream_kpi.pipeline import InputRecord

POSITION_KEY: Final = b"position"


class Applied(NamedTuple):
    """The last record of an input that a flush holds. Its identity shows whether the topic is still the same one."""

    offset: int
    timestamp_ms: int
    checksum: int
    """crc32 of the value."""

    @classmethod
    def last_of(cls, records: Sequence[InputRecord]) -> Applied:
        """When these have been applied."""
        last = records[-1]
        return cls(last.offset, last.timestamp, crc32(last.value or b""))


class Position(NamedTuple):
    """Of a shard. ``shards`` is the partition count that its state was made with."""

    shards: int
    clock_ms: int
    greatest_ms: int | None
    first_ms: int | None
    applied: list[tuple[str, int, Applied]]


pack_position = msgspec.msgpack.Encoder().encode
unpack_position = msgspec.msgpack.Decoder(Position).decode
