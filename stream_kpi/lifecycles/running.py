"""Levels whose time is measured: each start and stop is stated twice, in the level and in the sum of the starts."""

from __future__ import annotations

from typing import NamedTuple

from stream_kpi.lifecycles.facts import Fact
from stream_kpi.measures.registry import BY_NUMBER, CLOCK_EPOCH_MS, Measure


class Running(NamedTuple):
    """The slots of a level and of its starts."""

    level_slot: int
    starts_slot: int

    @classmethod
    def of(cls, level: Measure) -> Running:
        """Those of one of :data:`stream_kpi.measures.registry.RUNNING`. KeyError for another measure."""
        return cls(level.slot, BY_NUMBER[level.starts or 0].slot)

    def start(self, facts: list[Fact], time_ms: int, cuts: int) -> None:
        """Something more runs in these cuts."""
        facts += (
            (self.level_slot, time_ms, cuts, 1, 1),
            (self.starts_slot, time_ms, cuts, time_ms - CLOCK_EPOCH_MS, 1),
        )

    def stop(self, facts: list[Fact], time_ms: int, cuts: int) -> None:
        """Something less does."""
        facts += (
            (self.level_slot, time_ms, cuts, 1, -1),
            (self.starts_slot, time_ms, cuts, time_ms - CLOCK_EPOCH_MS, -1),
        )
