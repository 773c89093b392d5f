"""An entity's state record: a head of fixed length, then its events packed one behind the other, so that one is added
without a touch of those before it. After the head it is a msgpack array.

The events are the sorted history; or, of an entity at rest, the words that it was told, as they came: of those with one
uid the last one stands.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from stream_kpi.lifecycles.fold import Fold
    from stream_kpi.lifecycles.history import HistoryEvent

_HEAD = Struct(">qq??")
_ARRAY = Struct(">BI")
_RECORD = Struct(">qq??BI")
"""The two together."""
_UNPACKED, _AT_REST = False, True
_AGELESS = False
_ARRAY_32 = 0xDD
"""A msgpack array whose length takes 32 bits, whatever that is."""

Head = tuple[int, int, bool, bool]
"""What is known of a packed entity without its events: its clock, when it is to be woken (both epoch milliseconds),
whether it is in a set that ages or a promise runs, whether it is at rest: nothing follows from any of its words until
it is woken."""

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
    return _RECORD.pack(clock_ms, wake_ms, ages, _UNPACKED, _ARRAY_32, count) + events


def at_rest(clock_ms: int, wake_ms: int, words: Collection[HistoryEvent]) -> bytes:
    """The state record of an entity at rest."""
    return _RECORD.pack(clock_ms, wake_ms, _AGELESS, _AT_REST, _ARRAY_32, len(words)) + packed_events(words)


def told_at_rest(record: bytes, clock_ms: int, wake_ms: int, word: HistoryEvent) -> bytes:
    """The state record of an entity at rest once it has been told one word more."""
    count = _RECORD.unpack_from(record)[-1]
    told = bytearray(record)
    append_event(word, told, -1)
    _RECORD.pack_into(told, 0, clock_ms, wake_ms, _AGELESS, _AT_REST, _ARRAY_32, count + 1)
    return bytes(told)


def head_of(record: bytes) -> Head:
    """The head of a state record."""
    head: Head = _HEAD.unpack_from(record)
    return head


def history_of(fold: Fold, record: bytes) -> list[HistoryEvent]:
    """The sorted history in a state record of an entity of this fold."""
    events: list[HistoryEvent] = fold.history_decoder.decode(memoryview(record)[_HEAD.size :])
    if _HEAD.unpack_from(record)[-1]:
        return sorted({word.uid: word for word in events}.values(), key=lambda word: word.order)
    return events


def unpack_events(fold: Fold, events: bytearray, count: int) -> list[HistoryEvent]:
    """As many packed events."""
    history: list[HistoryEvent] = fold.history_decoder.decode(_ARRAY.pack(_ARRAY_32, count) + events)
    return history
