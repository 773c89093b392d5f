"""The global clock: one `now` for windows and deadlines of all shards."""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class ShardClock(NamedTuple):
    """What a shard says of itself on the clock topic. Times are event times in epoch ms; None before any event."""

    greatest_ms: int | None
    """Of its events when it is caught up; else how far its clock has come."""
    first_ms: int | None
    caught_up: bool


_decode = msgspec.msgpack.Decoder(ShardClock).decode
_encode = msgspec.msgpack.Encoder().encode


def clock_record(shard: int, clock: ShardClock) -> tuple[bytes, bytes]:
    """Key and value of a shard's record on the clock topic."""
    return b"%d" % shard, _encode(clock)


class GlobalClock:
    """`now` of all shards (design.md section 5): the greatest time when all are caught up, else the least of those
    that are not; while one of these does not know its own, it stands still. Never goes back: a shard that recovers
    starts behind, and a wallboard must not."""

    def __init__(self) -> None:
        self.shards: dict[int, ShardClock] = {}
        self._last_ms: int | None = None

    def update(self, key: bytes | None, value: bytes | None) -> None:
        """Take one record of the clock topic in."""
        if key is not None and value is not None:
            self.shards[int(key)] = _decode(value)

    @property
    def first_ms(self) -> int | None:
        """The time of the first event of all shards."""
        return min((c.first_ms for c in self.shards.values() if c.first_ms is not None), default=None)

    def now_ms(self, wall_ms: int | None) -> int | None:
        """`now`; ``wall_ms`` None: the event clock. None while nothing is known."""
        behind = [c.greatest_ms for c in self.shards.values() if not c.caught_up]
        if behind:
            now_ms = None if None in behind else min(ms for ms in behind if ms is not None)
        else:
            greatest = [c.greatest_ms for c in self.shards.values() if c.greatest_ms is not None]
            now_ms = max([*greatest, wall_ms] if wall_ms is not None else greatest, default=None)
        if now_ms is not None and (self._last_ms is None or now_ms > self._last_ms):
            self._last_ms = now_ms
        return self._last_ms
