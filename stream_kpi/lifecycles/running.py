"""Levels whose time is measured: one fact of a start or a stop says what becomes of the level and of its time."""

from __future__ import annotations

from typing import NamedTuple

from stream_kpi.lifecycles.facts import Fact
from stream_kpi.measures.compound import RUNS
from stream_kpi.measures.registry import Measure


class Running(NamedTuple):
    """What runs, as many of it at once as there are."""

    slot: int

    @classmethod
    def of(cls, level: Measure) -> Running:
        """That of one of :data:`stream_kpi.measures.registry.RUNNING`. KeyError for another measure."""
        return cls(RUNS[level.number].slot)

    def start(self, facts: list[Fact], time_ms: int, cuts: int) -> None:
        """Something more runs in these cuts."""
        facts.append((self.slot, time_ms, cuts, 1, 1))

    def stop(self, facts: list[Fact], time_ms: int, cuts: int) -> None:
        """Something less does."""
        facts.append((self.slot, time_ms, cuts, 1, -1))
