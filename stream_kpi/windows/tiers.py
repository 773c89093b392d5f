"""Tiers: the grains of event time at which panes are kept, each with its own retention.

Every fact goes to every tier that still keeps its time, and a window reads exactly one tier. The alternative, folding
fine panes into coarse ones as they age, makes a window's value depend on when the folding ran, and costs an explicit
zero for each fine pane; here expiry is a pure function of a pane's start and the clock.
"""

from __future__ import annotations

from typing import NamedTuple
from zoneinfo import ZoneInfo

from stream_kpi.measures.registry import OF_A_QUARTER
from stream_kpi.windows.zones import floor_day

SECOND_MS = 1_000
MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
NEVER_EXPIRED = -(1 << 62)
"""Nothing starts before this."""


class Tier(NamedTuple):
    """``grain_ms`` 0: one pane for all time; None: the local day. ``retention_ms`` None: for ever. ``measures``: the
    numbers of those that it keeps; None: all."""

    number: int
    grain_ms: int | None
    retention_ms: int | None
    measures: frozenset[int] | None = None

    def start_of(self, time_ms: int, zone: ZoneInfo) -> int:
        """Start of the pane that holds an instant."""
        if self.grain_ms is None:
            return floor_day(time_ms, zone)
        return time_ms - time_ms % self.grain_ms if self.grain_ms else 0

    def expires_before(self, clock_ms: int) -> int:
        """Panes that start before this are gone once the clock stands at ``clock_ms``."""
        return NEVER_EXPIRED if self.retention_ms is None else clock_ms - self.retention_ms

    def due(self, clock_ms: int, expired_before: dict[int, int]) -> bool:
        """Whether panes may have expired since it was last asked, which ``expired_before`` remembers by tier: at most
        once a grain, since looking for them takes a walk over all starts."""
        before = self.expires_before(clock_ms)
        if self.retention_ms is None or before - expired_before.get(self.number, NEVER_EXPIRED) < (
            self.grain_ms or DAY_MS
        ):
            return False
        expired_before[self.number] = before
        return True


# Each retention is the longest window read from the tier, plus the 10 min of live grace and one grain, rounded up.
FINE = Tier(0, 15 * SECOND_MS, 105 * MINUTE_MS)
"""1 h, and the 30 min by which the window of bounces is shifted."""
FIVE_MINUTES = Tier(1, 5 * MINUTE_MS, 26 * HOUR_MS)
HOURS = Tier(2, HOUR_MS, 38 * DAY_MS)
"""30 d, and the 7 d by which a cohort's window is shifted."""
QUARTER = Tier(5, HOUR_MS, 91 * DAY_MS, frozenset(measure.number for measure in OF_A_QUARTER))
"""90 d. All measures by the hour for so long would be two and a half times the panes; few are read in such a window."""
DAYS = Tier(3, None, 400 * DAY_MS)
"""The months of a year, and 365 d."""
ALL_TIME = Tier(4, 0, None)

TIERS = (FINE, FIVE_MINUTES, HOURS, QUARTER, DAYS, ALL_TIME)
BY_NUMBER = {tier.number: tier for tier in TIERS}

FRESH = 9
"""In the place of a tier's number: what the tiers do not hold yet, by the start of fine panes (windows.spread)."""
