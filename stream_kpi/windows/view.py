"""What a formula sees: one window's merged facts, levels and ages, by cut."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from stream_kpi.lifecycles.facts import Cut
from stream_kpi.lifecycles.history import NEVER_MS
from stream_kpi.measures.registry import Measure
from stream_kpi.windows.ages import AgeSummary


class Window(NamedTuple):
    """``kind``: total, rolling:5m .. rolling:365d, today, tumbling:5m|1h|1d, month, instant. Bounds in epoch ms."""

    kind: str
    start_ms: int | None
    end_ms: int
    final: bool
    """True for a tumbling window or month that has ended and is past the live grace, always for what can't change by
    time passing in `compute` (total, rolling, today and instant at --at)."""
    now_ms: int = NEVER_MS
    """The moment that the window is seen from."""

    @property
    def reached_ms(self) -> int:
        """How far the window has come: to its end, or to the moment that it is seen from if that is earlier."""
        return min(self.end_ms, self.now_ms)


class Trailing(NamedTuple):
    """What the half hour up to a window's end has seen."""

    length_ms: int
    """A little over half an hour: its start is that of the pane that holds it."""
    sums: Mapping[int, int]
    """Of the measures of registry.TRAILING only."""


class View(Protocol):
    """One window of everything. Vectors are never to be changed by the caller."""

    window: Window

    def cuts(self) -> Iterable[Cut]:
        """Every cut that has facts, levels or ages in this window; the total is always among them."""

    def inside(self, cut: Cut) -> Mapping[int, int]:
        """Sum of the facts inside the window."""

    def cohort(self, cut: Cut) -> Mapping[int, int]:
        """As inside, of the cohort measures: for rolling windows the one of the same length that ended x ago."""

    def at_start(self, cut: Cut) -> Mapping[int, int]:
        """Levels just before the window's start (empty for total)."""

    def at_end(self, cut: Cut) -> Mapping[int, int]:
        """Levels at the window's end."""

    def trailing(self, cut: Cut) -> Trailing | None:
        """The half hour up to the window's end; None when it is not kept for that moment."""

    def ages(self, cut: Cut, measure: Measure) -> AgeSummary | None:
        """The set at the window's end; None when it has no member, or when it is not kept for that moment."""
