"""Sets that age: open tickets by creation, unanswered ones by start, waiting chats by arrival; service levels by their
deadlines, which lie ahead: their age is 0 until then.

Ages grow without events, so they fit no pane. A shard keeps the members' starts and states, for each cut, how many,
the sum and least of their starts, and the histogram of their ages at its clock; sums of those over shards are the
ages of all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import chain, pairwise

import msgspec
import numpy as np

from stream_kpi.lifecycles.facts import GROUP_BITS, Cut, CutSets
from stream_kpi.measures.histogram import EDGES_MS
from stream_kpi.windows.cut_table import CutTable
from stream_kpi.windows.sum_table import Integers, one_by_one, ranked


class AgeSummary(msgspec.Struct, frozen=True):
    """The members of a set that ages, at the window's end. Count is at least 1."""

    count: int
    age_sum_ms: int
    oldest_ms: int
    """Age of the oldest."""
    bins: Mapping[int, int]
    """``{histogram bin of the age: members}`` (measures.histogram)."""
    least_left_ms: int = 0
    """Of members whose start lies ahead: the time to the first, 0 when that has come."""


class AgeState(msgspec.Struct, frozen=True, array_like=True):
    """One shard's members of one measure and cut. ``bins`` of the ages at the shard's clock."""

    count: int
    start_sum_ms: int
    oldest_start_ms: int
    bins: dict[int, int]


ShardAges = dict[int, dict[Cut, AgeState]]
"""``{measure number: {cut: state}}``."""

AgeChange = tuple[int, int, int, int, int]
"""``(time_ms, number, cuts, start_ms, sign)``: at that time a member with these cuts (an id of CutSets) and this start
joins (+1) or leaves (-1) the set of the measure of this number."""

_EDGES = np.array(EDGES_MS, dtype=np.int64)
_BINS = len(EDGES_MS) + 1
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(dict[int, list[tuple[list[str], AgeState]]]).decode


def pack_ages(ages: ShardAges) -> bytes:
    """The record of a shard's sets."""
    return _encode({number: list(by_cut.items()) for number, by_cut in ages.items()})


def unpack_ages(value: bytes) -> ShardAges:
    """The inverse of :func:`pack_ages`."""
    return {number: {_cut(cut): state for cut, state in rows} for number, rows in _decode(value).items()}


def _cut(parts: list[str]) -> Cut:
    return (parts[0], parts[1]) if parts else ()


class AgeSets:
    """The members of all age measures of one shard."""

    def __init__(self, table: CutTable) -> None:
        self._table = table
        self._members: defaultdict[int, dict[tuple[int, int], int]] = defaultdict(dict)

    def __bool__(self) -> bool:
        return any(self._members.values())

    def take(self, changes: Iterable[AgeChange]) -> None:
        """Let members join and leave."""
        all_members = self._members
        for _, number, cuts, start_ms, sign in changes:
            members = all_members[number]
            key = (start_ms, cuts)
            count = members.pop(key, 0) + sign
            if count:
                members[key] = count

    def rekey(self, before: list[tuple[Cut, ...]], cut_sets: CutSets) -> None:
        """Keep the members under the new ids of their groups of cuts."""
        first = (1 << GROUP_BITS) - 1

        def renewed(cuts: int) -> int:
            second = cuts >> GROUP_BITS
            group = cut_sets.id_of(before[cuts & first])
            return cut_sets.pair(group, cut_sets.id_of(before[second])) if second else group

        for number, members in self._members.items():
            self._members[number] = {(start_ms, renewed(cuts)): count for (start_ms, cuts), count in members.items()}

    def state_at(self, clock_ms: int) -> ShardAges:
        """Every cut's state with ages as of the clock."""
        return {number: self._by_cut(members, clock_ms) for number, members in self._members.items() if members}

    def _by_cut(self, members: dict[tuple[int, int], int], clock_ms: int) -> dict[Cut, AgeState]:
        starts, sets = np.fromiter(chain.from_iterable(members), np.int64, 2 * len(members)).reshape(-1, 2).T
        counts = np.fromiter(members.values(), np.int64, len(members))
        ages = np.searchsorted(_EDGES, np.maximum(clock_ms - starts, 0), side="left")
        rows, cuts = one_by_one(self._table.expand(sets))
        numbers, place = ranked(cuts)
        oldest = np.full(len(numbers), np.iinfo(np.int64).max)
        np.minimum.at(oldest, place, starts[rows])
        states = map(
            AgeState,
            _added_up(place, counts[rows], len(numbers)).tolist(),
            _added_up(place, (counts * starts)[rows], len(numbers)).tolist(),
            oldest.tolist(),
            self._bins(place, ages[rows], counts[rows], len(numbers)),
        )
        return dict(zip(self._table.numbers.named(numbers), states, strict=True))

    @staticmethod
    def _bins(places: Integers, ages: Integers, counts: Integers, length: int) -> list[dict[int, int]]:
        """The histogram of each place."""
        keys, at = ranked(places * _BINS + ages)
        bounds = np.searchsorted(keys, np.arange(length + 1) * _BINS).tolist()
        bins, totals = (keys % _BINS).tolist(), _added_up(at, counts, len(keys)).tolist()
        return [dict(zip(bins[first:end], totals[first:end], strict=True)) for first, end in pairwise(bounds)]


def _added_up(places: Integers, amounts: Integers, length: int) -> Integers:
    """The amounts of each place together."""
    sums = np.zeros(length, dtype=np.int64)
    np.add.at(sums, places, amounts)
    return sums


class AgeLog(AgeSets):
    """Sets that remember how they came about, for `compute`, which tells the ages at the ends of past windows."""

    def __init__(self, table: CutTable) -> None:
        super().__init__(table)
        self._changes: list[AgeChange] = []

    def take(self, changes: Iterable[AgeChange]) -> None:
        """As of AgeSets, and remembered."""
        changes = list(changes)
        super().take(changes)
        self._changes += changes

    def rewind(self) -> AgeRewind:
        """The sets on their way back from now."""
        members = defaultdict(dict, {number: members.copy() for number, members in self._members.items()})
        return AgeRewind(self._table, members, sorted(self._changes))


class AgeRewind(AgeSets):
    """Sets that go back in time."""

    def __init__(
        self,
        table: CutTable,
        members: defaultdict[int, dict[tuple[int, int], int]],
        changes: list[AgeChange],
    ) -> None:
        super().__init__(table)
        self._members = members
        self._changes = changes

    def before(self, end_ms: int) -> ShardAges:
        """As they stood at ``end_ms``, before what happened then. Ask from the latest to the earliest."""
        while self._changes and self._changes[-1][0] >= end_ms:
            time_ms, number, cuts, start_ms, sign = self._changes.pop()
            self.take([(time_ms, number, cuts, start_ms, -sign)])
        return self.state_at(end_ms)


def _merged(a: AgeState, b: AgeState) -> AgeState:
    bins = dict(a.bins)
    for index, count in b.bins.items():
        bins[index] = bins.get(index, 0) + count
    return AgeState(a.count + b.count, a.start_sum_ms + b.start_sum_ms, min(a.oldest_start_ms, b.oldest_start_ms), bins)


def summary(states: list[AgeState], now_ms: int) -> AgeSummary | None:
    """The ages at ``now`` of the shards' states together; None without members."""
    if not states:
        return None
    total = states[0]
    for state in states[1:]:
        total = _merged(total, state)
    if total.count <= 0:
        return None
    return AgeSummary(
        count=total.count,
        age_sum_ms=max(0, total.count * now_ms - total.start_sum_ms),
        oldest_ms=max(0, now_ms - total.oldest_start_ms),
        bins=total.bins,
        least_left_ms=max(0, total.oldest_start_ms - now_ms),
    )
