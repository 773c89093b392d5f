"""Kinds of windows: their names, the tier each is read from, and their bounds at an instant."""

from __future__ import annotations

import re
from typing import NamedTuple
from zoneinfo import ZoneInfo

from stream_kpi.windows.tiers import DAY_MS, DAYS, FINE, FIVE_MINUTES, HOUR_MS, HOURS, MINUTE_MS, QUARTER, Tier
from stream_kpi.windows.zones import floor_1h, floor_5m, floor_day, floor_month, next_day, next_month

QUARTER_MS = 90 * DAY_MS
YEAR_MS = 365 * DAY_MS
_UNIT_MS = {"m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS}


class Rolling(NamedTuple):
    """Ends at now, inclusive; starts ``length_ms`` earlier, rounded down to the grain of its tier."""

    name: str
    length_ms: int
    tier: Tier

    def start_ms(self, now_ms: int, zone: ZoneInfo) -> int:
        """The start at an instant."""
        return self.tier.start_of(now_ms - self.length_ms, zone)


class Tumbling(NamedTuple):
    """``[start, end)`` after ``[start, end)``: 5 minutes, an hour or day of the zone, a calendar month."""

    name: str
    tier: Tier
    live_ms: int
    """How far back a worker publishes these windows as values; ``stream-kpi compute`` has older ones."""

    def start_of(self, time_ms: int, zone: ZoneInfo) -> int:
        """Start of the window that holds an instant."""
        if self.name == "tumbling:5m":
            return floor_5m(time_ms)
        if self.name == "tumbling:1h":
            return floor_1h(time_ms, zone)
        return floor_month(time_ms, zone) if self.name == "month" else floor_day(time_ms, zone)

    def end_of(self, start_ms: int, zone: ZoneInfo) -> int:
        """End of the window that starts at ``start_ms``."""
        if self.name == "tumbling:5m":
            return start_ms + 5 * MINUTE_MS
        if self.name == "tumbling:1h":
            return floor_1h(start_ms + HOUR_MS, zone)
        return next_month(start_ms, zone) if self.name == "month" else next_day(start_ms, zone)


TUMBLING = (
    Tumbling("tumbling:5m", FIVE_MINUTES, 3 * HOUR_MS),
    Tumbling("tumbling:1h", FIVE_MINUTES, 25 * HOUR_MS),
    Tumbling("tumbling:1d", DAYS, 32 * DAY_MS),
    Tumbling("month", DAYS, 366 * DAY_MS),
)
TODAY = Tumbling("today", DAYS, 0)


def _rolling(duration: str) -> Rolling | None:
    match = re.fullmatch(r"([1-9][0-9]{0,4})([mhd])", duration)
    if match is None:
        return None
    length_ms = int(match[1]) * _UNIT_MS[match[2]]
    tier = FINE if length_ms <= HOUR_MS else FIVE_MINUTES if length_ms <= DAY_MS else HOURS
    if length_ms == QUARTER_MS:
        tier = QUARTER
    elif length_ms == YEAR_MS:
        tier = DAYS
    return Rolling(f"rolling:{duration}", length_ms, tier)


ROLLING: tuple[Rolling, ...] = tuple(
    kind for kind in map(_rolling, ("5m", "15m", "1h", "4h", "24h", "7d", "30d", "90d", "365d")) if kind is not None
)
"""What a worker publishes."""


HALF_HOUR = Rolling("trailing:30m", 30 * MINUTE_MS, FINE)
"""The half hour that gauges look back on; no window of its own."""


def parse(name: str) -> Rolling | Tumbling | None:
    """The kind that ``--window`` names; None: ``total``. Raises ValueError with what is allowed."""
    if name == "total":
        return None
    for kind in (*TUMBLING, TODAY):
        if kind.name == name:
            return kind
    prefix, _, duration = name.partition(":")
    rolling = _rolling(duration) if prefix == "rolling" else None
    if rolling is None:
        allowed = "total, today, rolling:<n>m|h|d, " + ", ".join(kind.name for kind in TUMBLING)
        message = f"window = {name!r}: allowed are {allowed}"
        raise ValueError(message)
    return rolling
