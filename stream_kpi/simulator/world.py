"""The world that all processes of a simulation share: the time, the dice, what has happened."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from heapq import heappop, heappush
from itertools import accumulate
from random import Random
from typing import NamedTuple

import msgspec

from stream_kpi.events.topics import TopicKind
from stream_kpi.simulator.team import HOUR_WEIGHTS, Team, busyness

_SOURCES = {kind: f"/simulator/{kind.name.lower()}" for kind in TopicKind}


class SimulatedEvent(NamedTuple):
    """One record to produce."""

    topic: TopicKind
    key: bytes
    """The event's subject."""
    value: bytes
    """A structured-mode CloudEvent."""
    time_ms: int
    """The event's time, epoch milliseconds."""


class _CloudEvent(msgspec.Struct):
    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: str
    data: Mapping[str, object]


_encode = msgspec.json.Encoder().encode


def rfc3339(time_ms: int) -> str:
    """``2026-03-02T10:02:11.250Z``."""
    return f"{datetime.fromtimestamp(time_ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{time_ms % 1000:03}Z"


class World:
    """Schedule, random source and outbox of one simulation."""

    def __init__(self, seed: int, start_ms: int, team: Team) -> None:
        self.seed = seed
        self.start_ms = start_ms
        self.now_ms = start_ms
        self.team = team
        self.random = Random(seed)
        self.outbox: deque[SimulatedEvent] = deque()
        self.work_factor = 1.0
        """How much longer than usual agents' work takes."""
        self._schedule: list[tuple[int, int, Callable[[], None]]] = []
        self._scheduled = 0
        self._emitted = 0
        self._entities = start_ms // 1000 * 100
        self._second = -1
        self._second_text = ""
        self._cumulative: dict[int, tuple[Mapping[str, float], list[str], list[float]]] = {}

    def after(self, delay_ms: float, action: Callable[[], None]) -> None:
        """Call ``action`` in ``delay_ms`` milliseconds of simulated time, after what was already due then."""
        self._scheduled += 1
        heappush(self._schedule, (self.now_ms + max(int(delay_ms), 0), self._scheduled, action))

    def step(self, until_ms: int) -> bool:
        """Let the next thing happen that is due before ``until_ms``; False when there is none."""
        if not self._schedule or self._schedule[0][0] >= until_ms:
            return False
        self.now_ms, _, action = heappop(self._schedule)
        action()
        return True

    def emit(self, topic: TopicKind, event_type: str, subject: str, data: Mapping[str, object]) -> None:
        """State that an event happens now."""
        second, milliseconds = divmod(self.now_ms, 1000)
        if second != self._second:
            self._second, self._second_text = second, rfc3339(self.now_ms)[:-4]
        self._emitted += 1
        event = _CloudEvent(
            "1.0",
            f"{self.seed:x}-{self.start_ms:x}-{self._emitted:x}",
            _SOURCES[topic],
            event_type,
            subject,
            f"{self._second_text}{milliseconds:03}Z",
            data,
        )
        self.outbox.append(SimulatedEvent(topic, subject.encode(), _encode(event), self.now_ms))

    def entity_id(self, prefix: str) -> str:
        """A new id. The start of the simulation is in it, so that runs over different spans don't share entities."""
        self._entities += 1
        return f"{prefix}-{self._entities}"

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.random.random() < probability

    def choose(self, weights: Mapping[str, float]) -> str:
        """A key, by weight. ``weights`` must not change afterwards."""
        cached = self._cumulative.get(id(weights))
        if cached is None:  # the mapping is kept with its sums, so that its id is not used again
            cached = self._cumulative[id(weights)] = (weights, list(weights), list(accumulate(weights.values())))
        return self.random.choices(cached[1], cum_weights=cached[2])[0]

    def span_ms(self, median_ms: float, spread: float = 0.6) -> float:
        """A log-normal span with this median; ``spread`` is the deviation of its logarithm."""
        return median_ms * math.exp(self.random.gauss(0.0, spread))

    def work_ms(self, median_ms: float, spread: float = 0.5) -> float:
        """How long a piece of an agent's work takes."""
        return self.span_ms(median_ms, spread) * self.work_factor

    def customer(self) -> str:
        """A customer's id; few customers make many contacts."""
        return f"C-{int(self.team.customers * self.random.random() ** 1.7)}"

    def arrivals(self, per_day: float, action: Callable[[], None]) -> None:
        """Call ``action`` again and again, ``per_day`` times on a working day, more often in busy hours."""
        peak = max(HOUR_WEIGHTS)
        mean_gap_ms = 86_400_000 / (per_day * peak)

        def arrive() -> None:
            # Thinning: candidates come at the peak's rate, an hour keeps its share of them.
            if self.random.random() * peak < busyness(self.team, self.now_ms):
                action()
            self.after(self.random.expovariate(1.0) * mean_gap_ms, arrive)

        self.after(self.random.expovariate(1.0) * mean_gap_ms, arrive)
