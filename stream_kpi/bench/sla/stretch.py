"""The stretch of time that is measured, and the tickets whose deadlines fall due in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from stream_kpi.bench.log import LogRecord
from stream_kpi.events.partitioner import Partitioner
from stream_kpi.events.topics import TopicKind
from stream_kpi.kpis.record import timestamp

HORIZON_MS: Final = 60_000
"""How long before its deadline an instance is at risk: the shortest there is."""
TARGET_MS: Final = 3_600_000
POLICY: Final = """
[[sla]]
name = "bench"
brand = "bench-sla"
at_risk = ["1m"]
resolution = { other = "1h" }
"""
"""For the tickets here alone: those of the log have other brands."""


class Stretch(NamedTuple):
    """From ``start_ms`` on, ``seconds`` long. The deadlines of ``instances`` tickets fall evenly into it and into the
    minute after it: all through the stretch some are missed, and others, due a minute later, come to be at risk."""

    start_ms: int
    seconds: int
    instances: int

    @property
    def end_ms(self) -> int:
        """Its end, which is not in it."""
        return self.start_ms + 1_000 * self.seconds

    def deadlines_ms(self) -> Iterator[int]:
        """Of each ticket, ascending."""
        due_for_ms = self.end_ms + HORIZON_MS - self.start_ms
        return (self.start_ms + number * due_for_ms // self.instances for number in range(self.instances))

    def holds(self, moment_ms: int) -> bool:
        """Whether a moment is in the stretch."""
        return self.start_ms <= moment_ms < self.end_ms

    def due(self) -> tuple[int, int]:
        """How many instances come to be at risk in the stretch, and how many are missed."""
        deadlines_ms = list(self.deadlines_ms())
        at_risk, breached = ([self.holds(ms - ahead_ms) for ms in deadlines_ms] for ahead_ms in (HORIZON_MS, 0))
        return sum(at_risk), sum(breached)

    def openings(self, partitions: int) -> Iterator[LogRecord]:
        """The tickets' creations, an hour before their deadlines."""
        owner = Partitioner("murmur2", partitions).owner
        for number, deadline_ms in enumerate(self.deadlines_ms()):
            key, time_ms = b"SLA-%d" % number, deadline_ms - TARGET_MS
            value = (
                b'{"specversion":"1.0","id":"sla-%d","source":"/bench","time":"%b","type":"ticket.created",'
                b'"subject":"%b","data":{"channel":"email","customer_id":"C-%d","brand":"bench-sla"}}'
            ) % (number, timestamp(time_ms).encode(), key, number)
            yield LogRecord(TopicKind.TICKET, owner(key), key, value, time_ms)
