"""Deadlines of single tickets and chats as a shard states them, and those of all shards together."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import nsmallest
from typing import Final

import msgspec

DEADLINES_KEY: Final = b"deadlines"
"""Key of a shard's nearest deadlines, beside its panes (a packed pane key never starts with a letter). Its newest
record stands for all of them."""
MOST_AHEAD: Final = 100
"""Of those that lie ahead, the nearest. A screen shows eight: the rest is for a board that shows one group."""
MOST_MISSED: Final = 20
"""Of those that were missed and are still owed, the latest. Counted apart: however many are missed, what can still be
kept is seen."""


class Deadline(msgspec.Struct, frozen=True, array_like=True):
    """A promise to one ticket or chat whose clock runs. It is text from events, and unbounded: never a label."""

    kind: str
    """``ticket`` or ``chat``."""
    subject: str
    """Its id."""
    metric: str
    policy: str
    priority: str | None
    target_ms: int
    """On the policy's clock."""
    deadline_ms: int
    """Event time, epoch ms."""
    channel: str
    group: str
    """Of a chat its queue."""
    category: str


pack_deadlines = msgspec.msgpack.Encoder().encode
unpack_deadlines = msgspec.msgpack.Decoder(tuple[Deadline, ...]).decode


def nearest(deadlines: Iterable[Deadline], now_ms: int) -> tuple[Deadline, ...]:
    """At most :data:`MOST_AHEAD` that lie ahead, the first one first, then at most :data:`MOST_MISSED` that were
    missed, the latest first. In whatever order and parts they come, those of all are those of all parts' nearest."""
    ahead: list[Deadline] = []
    missed: list[Deadline] = []
    for deadline in deadlines:
        (ahead if deadline.deadline_ms > now_ms else missed).append(deadline)
    return (
        *nsmallest(MOST_AHEAD, ahead, key=lambda one: (one.deadline_ms, *_name(one))),
        *nsmallest(MOST_MISSED, missed, key=lambda one: (-one.deadline_ms, *_name(one))),
    )


def _name(deadline: Deadline) -> tuple[str, str, str]:
    return deadline.kind, deadline.subject, deadline.metric
