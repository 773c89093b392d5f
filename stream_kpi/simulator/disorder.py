"""What networks and producers do to an ordered log: late, out of order, twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush
from random import Random

from stream_kpi.simulator.world import SimulatedEvent


def disorder(
    events: Iterable[SimulatedEvent], seed: int, late_within_ms: int, duplicate_share: float
) -> Iterator[SimulatedEvent]:
    """The same events as they arrive when each is up to ``late_within_ms`` late and a share comes twice.

    ``events`` must be in order of time. No event comes after one that happened more than ``late_within_ms`` later;
    both copies of a duplicate keep to that. Nothing is lost. Raises ValueError when the bound is negative or the share
    is not within 0..1.
    """
    if late_within_ms < 0:
        raise ValueError(f"late_within_ms must be >= 0, not {late_within_ms}")
    if not 0 <= duplicate_share <= 1:
        raise ValueError(f"duplicate_share must be within 0..1, not {duplicate_share}")
    return _arrivals(events, Random(seed), late_within_ms, duplicate_share)


def _arrivals(
    events: Iterable[SimulatedEvent], random: Random, late_within_ms: int, duplicate_share: float
) -> Iterator[SimulatedEvent]:
    under_way: list[tuple[float, int, SimulatedEvent]] = []
    sent = 0
    for event in events:
        while under_way and under_way[0][0] < event.time_ms:
            yield heappop(under_way)[2]
        for _ in range(2 if random.random() < duplicate_share else 1):
            sent += 1
            heappush(under_way, (event.time_ms + random.random() * late_within_ms, sent, event))
    while under_way:
        yield heappop(under_way)[2]
