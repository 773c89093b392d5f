"""The demo's input: a simulated day as fast as it can be sent, then what happens from now on."""

from __future__ import annotations

import asyncio
import time

from stream_kpi.brokers.probe import BrokerFacts
from stream_kpi.cli.producing import RecordBatches
from stream_kpi.cli.progress import WorkProgress
from stream_kpi.events.partitioner import Partitioner
from stream_kpi.settings import Settings
from stream_kpi.simulator.simulation import Simulation
from stream_kpi.simulator.team import DAY_MS, HOUR_MS, Team
from stream_kpi.topics import source_topics

HISTORY_MS = DAY_MS
LIVE_EVERY_S = 0.5
_LOOK_UP_EVERY = 500
"""Events between two looks at what else is to be done."""


def busy_team(now_ms: int) -> Team:
    """Return a team in whose place it is Wednesday, ten in the morning: whenever the demo is started, things happen."""
    thursday_to_then_ms = 6 * DAY_MS + 10 * HOUR_MS  # 1970-01-01 was a Thursday
    return Team(local_offset_ms=(thursday_to_then_ms - now_ms) % (7 * DAY_MS))


class SimulatedFeed:
    """Sends a simulation's events to their topics."""

    def __init__(self, seed: int, settings: Settings, facts: BrokerFacts, batches: RecordBatches) -> None:
        now_ms = _now_ms()
        self._start_ms = now_ms - HISTORY_MS
        self._simulation = Simulation(seed, self._start_ms, busy_team(now_ms))
        self._batches = batches
        self._places = {
            kind: (topic, Partitioner(settings.broker.partitioner, facts.topics[topic]))
            for kind, topic in source_topics(settings).items()
        }

    async def send_history(self) -> int:
        """Send everything up to now, with progress; the number of events. Raises KafkaError."""
        until_ms, sent = _now_ms(), 0
        with WorkProgress("Simulating a day", HISTORY_MS // 1000) as progress:
            for event in self._simulation.events_until(until_ms):
                topic, partitioner = self._places[event.topic]
                await self._batches.add(topic, partitioner.owner(event.key), event.key, event.value)
                sent += 1
                if sent % _LOOK_UP_EVERY == 0:
                    progress.update((event.time_ms - self._start_ms) // 1000, f"{sent:,} events")
                    await asyncio.sleep(0)
        await self._batches.flush()
        return sent

    async def send_live(self) -> None:
        """Send what happens, as it happens. Never returns; raises KafkaError."""
        while True:
            for event in self._simulation.events_until(_now_ms()):
                topic, partitioner = self._places[event.topic]
                await self._batches.add(topic, partitioner.owner(event.key), event.key, event.value)
            await self._batches.flush()
            await asyncio.sleep(LIVE_EVERY_S)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
