"""An entity's state record: a head of fixed length, then its events packed one behind the other, so that one is added
without a touch of those before it. After the head it is a msgpack array."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stream_kpi.lifecycles.fold import Fold
    from stream_kpi.lifecycles.history import HistoryEvent

_HEAD = Struct(">qq?")
_ARRAY = Struct(">BI")
_RECORD = Struct(">qq?BI")
"""The two together."""
_ARRAY_32 = 0xDD
"""A msgpack array whose length takes 32 bits, whatever that is."""

Head = tuple[int, int, bool]
"""What is known of a packed entity without its events: its clock, when it is to be woken (both epoch milliseconds),
whether it is in a set that ages."""

append_event = msgspec.msgpack.Encoder().encode_into
"""``append_event(event, packed, -1)`` puts an event behind those that are packed already."""


def packed_events(history: Iterable[HistoryEvent]) -> bytearray:
    """A history as :func:`append_event` makes it."""
    packed = bytearray()
    for event in history:
        append_event(event, packed, -1)
    return packed


def record_of(clock_ms: int, wake_ms: int, events: bytes | bytearray, count: int, *, ages: bool) -> bytes:
    """The state record of an entity with so many packed events."""
    return _RECORD.pack(clock_ms, wake_ms, ages, _ARRAY_32, count) + events


def head_of(record: bytes) -> Head:
    """The head of a state record."""
    head: Head = _HEAD.unpack_from(record)
    return head


def history_of(fold: Fold, record: bytes) -> list[HistoryEvent]:
    """The events of a state record of an entity of this fold."""
    events: list[HistoryEvent] = fold.history_decoder.decode(memoryview(record)[_HEAD.size :])
    return events


def unpack_events(fold: Fold, events: bytearray, count: int) -> list[HistoryEvent]:
    """As many packed events."""
    history: list[HistoryEvent] = fold.history_decoder.decode(_ARRAY.pack(_ARRAY_32, count) + events)
    return history
