"""The formula of how many agents the trailing half hour's load asks for, beside those who are there (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from stream_kpi.kpis.erlang import agents_required
from stream_kpi.kpis.formulas import Formula, Result
from stream_kpi.kpis.scope import Scope
from stream_kpi.kpis.view import Trailing
from stream_kpi.measures import histogram, registry
from stream_kpi.measures.registry import Measure

_QUEUED: Final = registry.CHATS_QUEUED
_TARGET_ABOVE_OTHER_SLOT: Final = _QUEUED.part_slot("target_above_other_ms")
_HANDLED: Final = registry.HANDLE_TIME


@dataclass(frozen=True, slots=True)
class AgentsRequired(Formula):
    """Agents to answer the share ``target`` of arrivals within X, and agents present. X is the mean of the arrivals'
    targets: where a queue takes calls and chats, the commonest of the two would jump as the mix does."""

    target: float
    patience_ms: int | None
    by_class: ClassVar[bool] = True

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Those of the load: where only agents are known there is no queue."""
        return registry.TRAILING

    @property
    def text(self) -> str:
        """As in the catalogue."""
        return (
            f"{{required: least agents with {'Erlang C' if self.patience_ms is None else 'Erlang A'} service level >= "
            f"{self.target:g} at the trailing 30 min's count({_QUEUED.name}) and sum({_HANDLED.name}) / "
            f"count({_HANDLED.name}), present: level({registry.AGENTS_PRESENT.name})}}"
        )

    def results(self, scope: Scope) -> Iterator[Result]:
        """Both numbers. The samples of those required are the arrivals, 0 of which require nobody; there is no such
        number while nobody's handling has ended, as then nothing says how long it takes."""
        trailing = scope.trailing
        arrivals = 0 if trailing is None else trailing.sums.get(_QUEUED.slot, 0)
        required = None if trailing is None else self._required(trailing, arrivals, scope)
        yield Result(required, arrivals, of_class="required")
        present = scope.at_end.get(registry.AGENTS_PRESENT.slot, 0)
        yield Result(present, present, of_class="present")

    def _required(self, trailing: Trailing, arrivals: int, scope: Scope) -> int | None:
        if arrivals <= 0:
            return 0
        sums = trailing.sums
        handled, handle_ms = histogram.sample_count(sums, _HANDLED), sums.get(_HANDLED.slot, 0)
        if handled <= 0 or handle_ms <= 0:
            return None
        mean_handle_ms = handle_ms / handled
        above_other_ms = sums.get(_TARGET_ABOVE_OTHER_SLOT, 0) / arrivals
        return agents_required(
            arrivals * mean_handle_ms / trailing.length_ms,
            mean_handle_ms / 1_000,
            max(0.0, scope.options.service_level_target_other_ms + above_other_ms) / 1_000,
            self.target,
            None if self.patience_ms is None else self.patience_ms / 1_000,
        )
