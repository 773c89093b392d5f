"""From sums by fine start to the panes of every tier, and the sums that are not spread yet.

A fact changes a pane of each tier, and the record of a pane is its whole vector. Twice a second that is 2 MB a flush
for 2,500 events, nine tenths of all that a busy shard writes. Most flushes therefore state only the *fresh* sums, what
has come since the tiers were last written: a tenth of the bytes. See docs/decisions/0010-fresh-panes.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from stream_kpi.measures.registry import BY_NUMBER
from stream_kpi.windows.sum_table import NOTHING, SLOTS, MeasureFlags, Sums, measure_flags, summed
from stream_kpi.windows.tiers import FINE, MINUTE_MS, Tier

CUT_BITS = 22
"""Four million cuts: what a 64-bit key has room for, beside the slot and the places of two million starts."""
CUTS = 1 << CUT_BITS
PER_START = CUTS * SLOTS
_FINE_MS = FINE.grain_ms or 1
_QUARTER_MS = 15 * MINUTE_MS
"""Every zone's midnights fall on quarters of an hour, so that a slice up to this long lies within one local day."""


class StartSums(NamedTuple):
    """Sums of the panes of several starts together."""

    starts_ms: Sequence[int]
    sums: Sums
    """A key begins with the place of its start: ``place * PER_START + cut number * SLOTS + slot``."""

    @classmethod
    def of(cls, by_start: Mapping[int, Sums]) -> StartSums:
        """The sums of these starts."""
        keys = [sums.keys + place * PER_START for place, sums in enumerate(by_start.values())]
        amounts = [sums.amounts for sums in by_start.values()]
        return cls(list(by_start), Sums(np.concatenate(keys), np.concatenate(amounts)) if keys else NOTHING)

    def by_start(self) -> Iterator[tuple[int, Sums]]:
        """The inverse."""
        return zip(self.starts_ms, _by_place(self.sums, len(self.starts_ms)), strict=True)

    def joined(self, start_of: Callable[[int], int] = int) -> StartSums:
        """The sums of the starts that these become, which ascend."""
        become_ms = [start_of(start_ms) for start_ms in self.starts_ms]
        ascending_ms = sorted(set(become_ms))
        if become_ms == ascending_ms:
            return StartSums(ascending_ms, self.sums)
        place_of = {start_ms: place for place, start_ms in enumerate(ascending_ms)}
        places = np.array([place_of[start_ms] for start_ms in become_ms], dtype=np.int64)
        keys, amounts = self.sums
        return StartSums(ascending_ms, summed(places[keys // PER_START] * PER_START + keys % PER_START, amounts))


class TierChanges(NamedTuple):
    """All that changes in a tier: by the start of its panes, ascending."""

    tier: Tier
    changes: Iterator[tuple[int, Sums]]


def over_tiers(
    fine: StartSums, tiers: Sequence[Tier], expires_before: Callable[[Tier], int], zone: ZoneInfo
) -> Iterator[TierChanges]:
    """What sums by the start of fine panes, in any order, change in each tier; panes past a tier's retention are left
    out."""
    current = short = fine.joined()
    slice_ms = _FINE_MS
    for tier in tiers:
        if tier.grain_ms is None and any(
            tier.start_of(start_ms, zone) != tier.start_of(start_ms + slice_ms - 1, zone)
            for start_ms in current.starts_ms
        ):
            current = short
        current = current.joined(partial(tier.start_of, zone=zone))
        if tier.grain_ms:
            slice_ms = tier.grain_ms
            if slice_ms <= _QUARTER_MS:
                short = current
        expired_ms = expires_before(tier)
        kept = current
        if tier.measures is not None:
            kept = current._replace(sums=current.sums.of_measures(_flags(tier.measures)))
        yield TierChanges(tier, _kept(kept.by_start(), expired_ms))


def _kept(changes: Iterable[tuple[int, Sums]], expired_ms: int) -> Iterator[tuple[int, Sums]]:
    """Without those of panes that have expired, and of none."""
    return (change for change in changes if change[0] >= expired_ms and len(change[1].keys))


@lru_cache(maxsize=8)
def _flags(numbers: frozenset[int]) -> MeasureFlags:
    return measure_flags(BY_NUMBER[number] for number in numbers)


def _by_place(sums: Sums, starts: int) -> Iterator[Sums]:
    bounds = np.searchsorted(sums.keys, np.arange(starts + 1) * PER_START).tolist()
    for place, (first, end) in enumerate(pairwise(bounds)):
        yield Sums(sums.keys[first:end] - place * PER_START, sums.amounts[first:end])
