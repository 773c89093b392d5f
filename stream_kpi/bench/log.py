"""A fixed log of any length: the lives of many tickets, chats and customers at once, made as fast as it is read.

Events are byte templates filled in; nothing is decided by an event before it, as a simulation does (see
:mod:`stream_kpi.simulator`), so that a million take seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import NamedTuple

from stream_kpi.bench.scripts import SCRIPTS, dimensions
from stream_kpi.events.partitioner import Partitioner
from stream_kpi.events.topics import TopicKind

PARTITIONS = 4
START_MS = 1_772_442_000_000
"""2026-03-02T09:00:00Z."""
EVENTS_PER_S = 20_000
LIVE_SHARE = 0.02
"""Entities alive at any moment, of the log's events."""
_TOPIC_SHARES = ((TopicKind.TICKET, 0.6), (TopicKind.CHAT, 0.3), (TopicKind.SUBSCRIPTION, 0.1))
KINDS = tuple(kind for kind, _ in _TOPIC_SHARES)
"""The topics that the log has."""
_SUBJECT_PREFIX = {TopicKind.TICKET: "T", TopicKind.CHAT: "CH", TopicKind.SUBSCRIPTION: "C"}


class LogRecord(NamedTuple):
    """One event, and where it belongs."""

    kind: TopicKind
    partition: int
    key: bytes
    value: bytes
    time_ms: int


class _Lives:
    """Entities of one topic that are alive. Each has its own next event; who has had the last makes place for one."""

    def __init__(self, kind: TopicKind, live: int, random: Random) -> None:
        self._scripts = SCRIPTS[kind]
        self._prefix = _SUBJECT_PREFIX[kind]
        self._random = random
        self._born = 0
        self._owner = Partitioner("murmur2", PARTITIONS).owner
        self._live = live
        self._lives: list[tuple[bytes, int, Iterator[bytes]]] = [self._birth() for _ in range(live)]

    def _birth(self) -> tuple[bytes, int, Iterator[bytes]]:
        """An entity: its key, its partition, what its events say after their id and time."""
        self._born += 1
        subject = f"{self._prefix}-{self._born}".encode()
        script = self._scripts[int(self._random.random() * len(self._scripts))]
        values = dimensions(self._random, subject)
        return subject, self._owner(subject), iter((script % values).split(b"\n"))

    def next(self, place: float) -> tuple[bytes, int, bytes]:
        """Key, partition and text of the next event of the entity at ``place`` (0..1) among those alive."""
        index = int(place * self._live)
        while True:
            subject, partition, texts = self._lives[index]
            for text in texts:
                return subject, partition, text
            self._lives[index] = self._birth()


def log(events: int, seed: int = 1, start_ms: int = START_MS, events_per_s: int = EVENTS_PER_S) -> Iterator[LogRecord]:
    """``events`` events in order of time: 60 % tickets, 30 % chats, 10 % subscriptions.

    The same arguments give the same bytes.
    """
    random = Random(seed)
    draw = random.random
    lives = {kind: _Lives(kind, max(20, int(events * LIVE_SHARE * share)), random) for kind, share in _TOPIC_SHARES}
    ranges: list[tuple[TopicKind, float, float, _Lives]] = []
    begin = 0.0
    for kind, share in _TOPIC_SHARES:
        ranges.append((kind, begin, share, lives[kind]))
        begin += share
    (tickets, chats, subscriptions) = ranges
    head = b""
    time_ms = -1
    for number in range(events):
        now_ms = start_ms + number * 1_000 // events_per_s
        if now_ms != time_ms:
            time_ms = now_ms
            time = datetime.fromtimestamp(time_ms // 1000, UTC)
            head = f'","source":"/bench","time":"{time:%Y-%m-%dT%H:%M:%S}.{time_ms % 1000:03}Z",'.encode()
        place = draw()
        chosen = tickets if place < chats[1] else chats if place < subscriptions[1] else subscriptions
        kind, begin, share, entities = chosen
        key, partition, text = entities.next((place - begin) / share)
        value = b'{"specversion":"1.0","id":"%d%b%b' % (number, head, text)
        yield LogRecord(kind, partition, key, value, time_ms)
