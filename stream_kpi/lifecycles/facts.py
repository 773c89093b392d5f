"""Facts: "this measure changed by this much at this event time for these cuts". All that leaves an entity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

Cut = tuple[str, str] | tuple[()]
"""One group of one dimension, ``("channel", "email")``; ``()`` is the total."""

TOTAL: Cut = ()
UNKNOWN = "unknown"
"""An absent dimension value (kpis.md, fine print)."""

Fact = tuple[int, int, int, int, int]
"""``(slot, time_ms, cuts, value, sign)``: slot = component 0 of the measure or its currency slot (measures.registry),
cuts = an id from :class:`CutSets`, sign = +1 or -1 (takes an earlier fact back, in that fact's own pane)."""


class CutSets:
    """Interns sets of cuts: a fact carries one small integer in place of up to seven strings. Ids are of this process
    only; they are never stored or sent."""

    def __init__(self) -> None:
        self._ids: dict[tuple[Cut, ...], int] = {}
        self._standard: dict[tuple[str | None, ...], int] = {}
        self._credited: dict[tuple[int, str], int] = {}
        self._only: dict[tuple[str, str | None], int] = {}
        self._union: dict[tuple[int, ...], int] = {}
        self.cuts: list[tuple[Cut, ...]] = []
        """The cuts of each id."""
        self.total = self.id_of((TOTAL,))
        """The total alone."""

    def renew(self) -> list[tuple[Cut, ...]]:
        """Forget every id; the sets that they stood for. Whoever keeps ids has to ask for new ones."""
        before = self.cuts
        self.__init__()  # type: ignore[misc]  # as new
        return before

    def id_of(self, cuts: tuple[Cut, ...]) -> int:
        """The id of exactly these cuts."""
        found = self._ids.get(cuts)
        if found is None:
            found = self._ids[cuts] = len(self.cuts)
            self.cuts.append(cuts)
        return found

    def standard(
        self, channel: str | None, priority: str | None, category: str | None, group: str | None, brand: str | None
    ) -> int:
        """The total and the cut of each standard dimension (absent: ``unknown``). A fold keeps the id until a
        dimension changes: to find it takes as long as to state two facts."""
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

    def credited(self, cuts: int, agent: str | None) -> int:
        """The cuts of an id, and that of the agent who is credited (None: ``unknown``)."""
        key = (cuts, agent or UNKNOWN)
        found = self._credited.get(key)
        if found is None:  # no other way leads to these cuts, so that there is no need to look for them in all
            found = self._credited[key] = len(self.cuts)
            self.cuts.append((*self.cuts[cuts], ("agent", key[1])))
        return found

    def only(self, dimension: str, value: str | None) -> int:
        """One cut without the total: for a breakdown of a measure whose total another fact carries."""
        key = (dimension, value)
        found = self._only.get(key)
        if found is None:
            found = self._only[key] = self.id_of(((dimension, value or UNKNOWN),))
        return found

    def union(self, *ids: int) -> int:
        """The cuts of several ids, which have none in common: one fact in place of several of one value. For
        combinations that come again and again; one that is new costs more than the facts that it saves."""
        found = self._union.get(ids)
        if found is None:
            found = self._union[ids] = self.id_of(tuple(cut for cuts in ids for cut in self.cuts[cuts]))
        return found


def net(facts: Iterable[Fact]) -> Counter[tuple[int, int, int, int]]:
    """Facts as a multiset ``{(slot, time_ms, cuts, value): multiplicity}`` without zeros."""
    counts: Counter[tuple[int, int, int, int]] = Counter()
    for slot, time_ms, cuts, value, sign in facts:
        counts[slot, time_ms, cuts, value] += sign
    return Counter({key: n for key, n in counts.items() if n})


def difference(after: Iterable[Fact], before: Iterable[Fact]) -> list[Fact]:
    """The facts that turn ``before`` into ``after``."""
    delta = net(after)
    delta.subtract(net(before))
    return [(*key, 1 if n > 0 else -1) for key, n in delta.items() for _ in range(abs(n))]
