"""How late what is due in the stretch is told: from the moment that it is of to the arrival of its record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from stream_kpi.bench.sla.stretch import Stretch
from stream_kpi.events.sla import SlaEvent
from stream_kpi.events.times import event_time_ms

_decode = msgspec.json.Decoder(SlaEvent).decode


class Told(NamedTuple):
    """Of one kind of records: how many were due in the stretch, how many came, how late these were."""

    due: int
    records: int
    p50_s: float | None
    p99_s: float | None
    max_s: float | None


class Lateness:
    """Takes the records of the topic of service levels in, as they arrive."""

    def __init__(self, stretch: Stretch) -> None:
        self.running = 0
        """Instances of which it was known before the stretch that they run."""
        self._stretch = stretch
        self._late_ms: dict[str, list[int]] = {"sla.at_risk": [], "sla.breached": []}
        self._due = stretch.due()

    def take(self, value: bytes, arrived_ms: int) -> None:
        """A record that has just arrived."""
        event = _decode(value)
        if event.type == "sla.started":
            self.running += arrived_ms < self._stretch.start_ms
        elif event.type in self._late_ms and event.data.deadline is not None:
            moment_ms = event_time_ms(event.data.deadline) - 1_000 * (event.data.horizon_s or 0)
            if self._stretch.holds(moment_ms):
                self._late_ms[event.type].append(arrived_ms - moment_ms)

    @property
    def complete(self) -> bool:
        """Whether everything that was due has come."""
        return all(len(late_ms) >= due for late_ms, due in zip(self._late_ms.values(), self._due, strict=True))

    def told(self) -> tuple[Told, Told]:
        """Of what is at risk, and of what is missed."""
        at_risk, breached = (_told(due, sorted(ms)) for due, ms in zip(self._due, self._late_ms.values(), strict=True))
        return at_risk, breached


def _told(due: int, late_ms: Sequence[int]) -> Told:
    if not late_ms:
        return Told(due, 0, None, None, None)
    p50_s, p99_s, max_s = (late_ms[-(-len(late_ms) * percent // 100) - 1] / 1_000 for percent in (50, 99, 100))
    return Told(due, len(late_ms), p50_s, p99_s, max_s)
