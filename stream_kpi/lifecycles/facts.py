"""Facts: "this measure changed by this much at this event time for these cuts". All that leaves an entity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from librt.strings import BytesWriter, write_i64_le

from stream_kpi.measures.compound import BY_NUMBER as COMPOUNDS
from stream_kpi.measures.registry import SLOTS_PER_MEASURE

Cut = tuple[str, str] | tuple[()]
"""One group of one dimension, ``("channel", "email")``; ``()`` is the total."""

TOTAL: Final[Cut] = ()
UNKNOWN: Final = "unknown"
"""An absent dimension value (kpis.md, fine print)."""

Fact = tuple[int, int, int, int, int]
"""``(slot, time_ms, cuts, value, sign)``: slot = component 0 of the measure or its currency slot (measures.registry),
or that of a compound (measures.compound); cuts = an id from :class:`CutSets`; sign = +1 or -1 (takes an earlier fact
back, in that fact's own pane)."""


GROUP_BITS: Final = 31
"""An id of cuts is up to two numbers of groups, the second one this many bits up."""
_FIRST: Final = (1 << GROUP_BITS) - 1


class _Agents(dict[str | None, int]):
    """The cut of each agent that was asked for."""

    def __init__(self, cut_sets: CutSets) -> None:
        super().__init__()
        self._cut_sets = cut_sets

    def __missing__(self, agent: str | None) -> int:
        found = self[agent] = self._cut_sets.only("agent", agent) << GROUP_BITS
        return found


class CutSets:
    """Sets of cuts as one small integer each: a fact carries it in place of up to nine strings. Ids are of this
    process only; they are never stored or sent.

    An id names one interned *group* of cuts or two that have none in common. Groups are few, pairs of them (a ticket's
    dimensions and an agent) are nearly as many as there are tickets: a pair is put together without a look-up.
    """

    def __init__(self) -> None:
        self.groups: list[tuple[Cut, ...]] = [()]
        """The cuts of each group; number 0 is the empty one, the second of an id that has only one."""
        self._numbers: dict[tuple[Cut, ...], int] = {}
        self._standard: dict[tuple[str | None, ...], int] = {}
        self._only: dict[tuple[str, str | None], int] = {}
        self._only_both: dict[tuple[str, str, str, str], int] = {}
        self._with_total: dict[tuple[str, str | None], int] = {}
        self._joined: dict[tuple[int, int], int] = {}
        self.agents = _Agents(self)
        """The cut of an agent (None: ``unknown``) without the total, as the second group of an id that has no first
        one: ``group | agents[agent]`` are the cuts of a group, and that of the agent who is credited."""
        self.total = self.id_of((TOTAL,))
        """The total alone."""

    def renew(self) -> list[tuple[Cut, ...]]:
        """Forget every id; the groups that they stood for. Whoever keeps ids has to ask for new ones."""
        before = self.groups
        self.__init__()  # type: ignore[misc]  # as new
        return before

    def cuts_of(self, cuts: int) -> tuple[Cut, ...]:
        """The cuts that an id names."""
        return (*self.groups[cuts & _FIRST], *self.groups[cuts >> GROUP_BITS])

    def id_of(self, cuts: tuple[Cut, ...]) -> int:
        """The id of exactly these cuts, as one group."""
        found = self._numbers.get(cuts)
        if found is None:
            found = self._numbers[cuts] = len(self.groups)
            self.groups.append(cuts)
        return found

    def standard(
        self, channel: str | None, priority: str | None, category: str | None, group: str | None, brand: str | None
    ) -> int:
        """The total and the cut of each standard dimension (absent: ``unknown``), as one group. A fold keeps the id
        until a dimension changes: to find it takes as long as to state two facts."""
        key = (channel, priority, category, group, brand)
        found = self._standard.get(key)
        if found is None:
            cuts: tuple[Cut, ...] = (
                TOTAL,
                ("channel", channel or UNKNOWN),
                ("priority", priority or UNKNOWN),
                ("category", category or UNKNOWN),
                ("group", group or UNKNOWN),
                ("brand", brand or UNKNOWN),
            )
            found = self._standard[key] = self.id_of(cuts)
        return found

    def credited(self, group: int, agent: str | None) -> int:
        """The cuts of a group, and that of the agent who is credited (None: ``unknown``)."""
        return group | self.agents[agent]

    def only(self, dimension: str, value: str | None) -> int:
        """One cut without the total, as a group: for a breakdown of a measure whose total another fact carries."""
        key = (dimension, value)
        found = self._only.get(key)
        if found is None:
            found = self._only[key] = self.id_of(((dimension, value or UNKNOWN),))
        return found

    def only_both(self, dimension: str, value: str, other_dimension: str, other_value: str) -> int:
        """Two cuts without the total, as one group."""
        key = (dimension, value, other_dimension, other_value)
        found = self._only_both.get(key)
        if found is None:
            found = self._only_both[key] = self.id_of(((dimension, value), (other_dimension, other_value)))
        return found

    def with_total(self, dimension: str, value: str | None) -> int:
        """The total and one cut, as one group."""
        key = (dimension, value)
        found = self._with_total.get(key)
        if found is None:
            found = self._with_total[key] = self.id_of((TOTAL, (dimension, value or UNKNOWN)))
        return found

    def pair(self, group: int, other: int) -> int:
        """The cuts of two groups, which have none in common: one fact in place of two."""
        return group | other << GROUP_BITS

    def joined(self, group: int, other: int) -> int:
        """As :meth:`pair`, as one group: for combinations that are few."""
        found = self._joined.get((group, other))
        if found is None:
            found = self._joined[group, other] = self.id_of((*self.groups[group], *self.groups[other]))
        return found

    def with_group(self, cuts: int, group: int) -> int:
        """The cuts of an id and those of a group, which have none in common; the id's first group is replaced by the
        two as one: for groups that are few."""
        first = cuts & _FIRST
        return self.joined(first, group) | (cuts - first)

    def within(self, cuts: int, dimensions: frozenset[str]) -> int:
        """The total and those cuts of an id that are of some dimensions, as one group."""
        return self.id_of(tuple(cut for cut in self.cuts_of(cuts) if not cut or cut[0] in dimensions))


def rows_of(facts: list[Fact]) -> bytes:
    """The facts as rows of five little-endian integers of 64 bits: for numpy, which takes four times as long to read
    them one by one (92 and 23 ns a fact, measured)."""
    rows = BytesWriter()
    for slot, time_ms, cuts, value, sign in facts:
        write_i64_le(rows, slot)
        write_i64_le(rows, time_ms)
        write_i64_le(rows, cuts)
        write_i64_le(rows, value)
        write_i64_le(rows, sign)
    return rows.getvalue()


def net(facts: Iterable[Fact]) -> Counter[tuple[int, int, int, int]]:
    """Facts as a multiset ``{(slot, time_ms, cuts, value): multiplicity}`` without zeros."""
    counts: Counter[tuple[int, int, int, int]] = Counter()
    for slot, time_ms, cuts, value, sign in facts:
        counts[slot, time_ms, cuts, value] += sign
    return Counter({key: n for key, n in counts.items() if n})


def spelled_out(facts: Iterable[Fact]) -> list[Fact]:
    """The same facts, of measures alone: in place of each of a compound those that it stands for."""
    plain: list[Fact] = []
    for fact in facts:
        slot, time_ms, cuts, value, sign = fact
        compound = COMPOUNDS.get(slot // SLOTS_PER_MEASURE)
        if compound is None:
            plain.append(fact)
            continue
        component = slot % SLOTS_PER_MEASURE
        plain += [
            (part.measure.slot + component, time_ms, cuts, part.amount(time_ms, value), sign) for part in compound.parts
        ]
    return plain


def difference(after: Iterable[Fact], before: Iterable[Fact]) -> list[Fact]:
    """The facts that turn ``before`` into ``after``."""
    delta = net(after)
    delta.subtract(net(before))
    return [(*key, 1 if n > 0 else -1) for key, n in delta.items() for _ in range(abs(n))]
