"""When a shard states what costs too much to be stated at every flush."""

from __future__ import annotations

from typing import Final, NamedTuple

from stream_kpi.lifecycles.history import NEVER_MS
from stream_kpi.windows.ages import AgeSets, pack_ages

AGES_EVERY_MS: Final = 5_000
"""An idle shard states its sets anew so often; only their quantiles need it."""
BUSY_AGES_EVERY_MS: Final = 2_000
"""So often does one that events come to. To state them goes through all members, however few have changed: with 50,000
service levels it took a tenth of a worker's time at two flushes a second. The first flush without new records states
them as they stand."""


class Rota(NamedTuple):
    """The shards' turns follow each other: were all of them busy with it at once, what falls due would wait for all."""

    number: int
    shards: int

    def has_come(self, clock_ms: int, since_ms: int, every_ms: int) -> bool:
        """Whether the clock has passed the beginning of a period since then; always where there are no periods."""
        ahead_ms = self.number * every_ms // self.shards
        return every_ms == 0 or (clock_ms + ahead_ms) // every_ms > (since_ms + ahead_ms) // every_ms


class StatedAges:
    """What a shard has said of its sets that age."""

    def __init__(self, ages: AgeSets, every_ms: int) -> None:
        """``every_ms``: as AGES_EVERY_MS."""
        self._ages = ages
        self._every_ms = every_ms
        self._stated = False
        self._stated_ms = -2 * NEVER_MS
        self._moved = True
        """Whether they may have changed since they were stated."""

    def restore(self) -> None:
        """An earlier owner of the shard has stated some."""
        self._stated = True

    def is_due(self, clock_ms: int, rota: Rota, *, changed: bool, busy: bool) -> bool:
        """Whether a flush is to state them. ``changed``: the shard since its last flush; ``busy``: by new records."""
        self._moved |= changed
        if not self._ages and not self._stated:
            return False
        if self._moved:
            return not busy or rota.has_come(clock_ms, self._stated_ms, BUSY_AGES_EVERY_MS)
        return clock_ms - self._stated_ms >= self._every_ms

    def state(self, clock_ms: int) -> bytes:
        """They as of then, which are stated now."""
        self._stated_ms = clock_ms
        self._stated = bool(self._ages)
        self._moved = False
        return pack_ages(self._ages.state_at(clock_ms))
