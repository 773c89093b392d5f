"""Whether a value meets its target, and the alerts that follow: raised while it is missed, kept until it recovers."""

from __future__ import annotations

from collections import deque
from typing import Final, Literal

from stream_kpi.kpis.record import KpiRecord
from stream_kpi.kpis.rows import Kpi, KpiKind
from stream_kpi.lifecycles.facts import TOTAL
from stream_kpi.publish.wallboard.boards import BOARDS, Tile
from stream_kpi.publish.wallboard.index import Index

FEW_SAMPLES: Final = 10
"""Of fewer, a ratio or a mean is chance: it is shown, and raises no alert."""
TRACE_COUNT: Final = 5
"""Alerts that have recovered and are still shown, the newest first."""

Verdict = Literal["met", "missed", "no target", "no value", "nobody waits"]
_OF_ONE: Final = frozenset({KpiKind.AGE, KpiKind.LEVEL, KpiKind.LEFT})
"""One too old is one too many, however few there are."""


def verdict(kpi: Kpi, value: float | None, samples: int | None) -> Verdict:
    """Compare with the catalogue's target; exactly at the target is met. Of an empty set nothing has an age."""
    if value is None:
        return "nobody waits" if kpi.kind is KpiKind.AGE and samples == 0 else "no value"
    if kpi.target is None or kpi.direction == "none":
        return "no target"
    met = value >= kpi.target if kpi.direction == "up" else value <= kpi.target
    return "met" if met else "missed"


def figure(record: KpiRecord | None, stat: str = "value") -> float | None:
    """The number that a tile shows of a record."""
    if record is None:
        return None
    if stat == "value" or record.stats is None:
        return record.value
    found: float | None = getattr(record.stats, stat)
    return found


class Alert:
    """A target that is missed in total, since when, and how it stands."""

    def __init__(self, kpi: Kpi, window: str, since_ms: int) -> None:
        self.kpi = kpi
        self.window = window
        self.since_ms = since_ms
        self.until_ms: int | None = None
        """When it recovered."""
        self.value: float | None = None


class Alerts:
    """Every alert of the boards' numbers. As many at most as there are numbers."""

    def __init__(self, rows: dict[str, Kpi]) -> None:
        self._watched: tuple[Tile, ...] = tuple(
            dict.fromkeys(tile for board in BOARDS for tile in board.tiles if rows[tile.kpi].target is not None)
        )
        self._rows = rows
        self._open: dict[tuple[str, str], Alert] = {}
        self._recovered: deque[Alert] = deque(maxlen=TRACE_COUNT)

    def look(self, index: Index, now_ms: int) -> None:
        """Raise, keep or recover. Without a value an alert stays as it was: nothing tells that it is over."""
        for tile in self._watched:
            kpi, key = self._rows[tile.kpi], (tile.kpi, tile.window)
            found = index.at(tile.kpi, tile.window, TOTAL)
            record = found[0] if found else None
            value, alert = figure(record, tile.stat), self._open.get(key)
            judged = verdict(kpi, value, None if record is None else record.samples)
            if alert is not None and judged in {"met", "nobody waits"}:
                alert.until_ms = now_ms
                self._recovered.appendleft(self._open.pop(key))
            elif judged == "missed" and record is not None:
                if alert is None and _enough(kpi, record):
                    alert = self._open[key] = Alert(kpi, tile.window, now_ms)
                if alert is not None:
                    alert.value = value

    @property
    def open(self) -> list[Alert]:
        """Those that stand, the newest first."""
        return sorted(self._open.values(), key=lambda alert: -alert.since_ms)

    @property
    def recovered(self) -> list[Alert]:
        """The last that are over, the newest first."""
        return list(self._recovered)


def _enough(kpi: Kpi, record: KpiRecord) -> bool:
    return kpi.kind in _OF_ONE or record.samples is None or record.samples >= FEW_SAMPLES
