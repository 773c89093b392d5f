"""What numbers without windows of their own were in the last hour: a bounded ring of samples, kept in memory."""

from __future__ import annotations

from collections import deque
from typing import Final

from stream_kpi.lifecycles.facts import Cut
from stream_kpi.publish.wallboard.boards import BOARDS, FILTERS
from stream_kpi.publish.wallboard.index import Index

EVERY_S: Final = 15
KEPT_COUNT: Final = 240
"""An hour."""
MOST_SERIES: Final = 1_000
"""Of each sample: what exceeds them has no trend."""

_Key = tuple[str, str, Cut]


class Trend:
    """Samples of the boards' numbers, in total and by what viewers may filter by."""

    def __init__(self) -> None:
        self._samples: deque[dict[_Key, float]] = deque(maxlen=KEPT_COUNT)
        self._sampled_ms: int | None = None
        self._tiles = dict.fromkeys((tile.kpi, tile.window) for board in BOARDS for tile in board.tiles)

    def take(self, index: Index, now_ms: int) -> None:
        """Sample, if the last time is :data:`EVERY_S` ago."""
        if self._sampled_ms is not None and now_ms - self._sampled_ms < EVERY_S * 1_000:
            return
        self._sampled_ms = now_ms
        sample: dict[_Key, float] = {}
        for kpi, window in self._tiles:
            for cut, found in index.records.get((kpi, window), {}).items():
                value = found[0].value
                if value is not None and (not cut or cut[0] in FILTERS) and len(sample) < MOST_SERIES:
                    sample[kpi, window, cut] = value
        self._samples.append(sample)

    def of(self, kpi: str, window: str, cut: Cut) -> list[float]:
        """The samples that had a value, oldest first."""
        key = (kpi, window, cut)
        return [sample[key] for sample in self._samples if key in sample]
