"""Which windows x cuts a publish has to evaluate: those that changed, and those whose records have other bounds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice

from stream_kpi.lifecycles.facts import TOTAL, Cut
from stream_kpi.windows.view import Window

Bounds = tuple[int | None, int]
"""Start and end of a window as a cut's records show it."""

_OUTDATED_MS = -1
"""The start of no window: unlike the bounds of any."""
_NEVER: Bounds = (None, -1)


class DueCuts:
    """Changed cuts in the order of their changes; of windows that end now, the bounds that each cut's records show."""

    def __init__(self, compared_with_total: Collection[str]) -> None:
        """``compared_with_total``: dimensions with rows whose value changes with the total's."""
        self._compared = compared_with_total
        self._changed: dict[tuple[str, Cut], None] = {}
        self._bounds: dict[str, dict[Cut, Bounds]] = {}

    def __len__(self) -> int:
        """How many have changed."""
        return len(self._changed)

    def mark(self, window: str, cut: Cut) -> None:
        """A cut has changed."""
        self._changed[window, cut] = None  # in its old place, if it waits already

    def mark_all(self, window: str, cuts: Iterable[Cut]) -> None:
        """These cuts have changed."""
        for cut in cuts:
            self._changed[window, cut] = None

    def outdate(self, window: str, cut: Cut) -> None:
        """Let a cut be evaluated again in its turn, as if its bounds had moved, even while ``now`` stands still."""
        bounds = self._bounds.get(window, {})
        if cut in bounds:
            bounds[cut] = (_OUTDATED_MS, bounds[cut][1])

    def take(self, budget: int) -> dict[str, set[Cut]]:
        """The cuts that have waited longest, by window, as many as the budget has."""
        taken: dict[str, set[Cut]] = {}
        while budget > 0 and self._changed:
            batch = list(islice(self._changed, budget))
            budget -= len(batch)
            for window_cut in batch:
                del self._changed[window_cut]
                taken.setdefault(window_cut[0], set()).add(window_cut[1])
            for window in [window for window, cut in batch if cut == TOTAL]:
                for cut in self._bounds.get(window, {}):
                    if cut and cut[0] in self._compared and cut not in taken[window]:
                        self.mark(window, cut)
        return taken

    def drop(self, window: str, cut: Cut) -> None:
        """It is evaluated now: it waits no longer."""
        self._changed.pop((window, cut), None)

    def bounds(self, window: str) -> dict[Cut, Bounds]:
        """What the records of a window that ends now show, to be written to."""
        return self._bounds.setdefault(window, {})

    def stale_in(
        self, window: Window, cuts: Iterable[Cut], published: Mapping[Cut, object], running: Collection[Cut]
    ) -> Iterator[tuple[int, Cut]]:
        """The window's cuts, and those published, whose records have other bounds, with the end that they have. Of a
        window that has not come to its end, only what runs on changes with it."""
        kind, start_ms, end_ms, _, _ = window
        bounds = self.bounds(kind)
        for cut in cuts:
            bounds.setdefault(cut, _NEVER)
        for cut in published:
            bounds.setdefault(cut, _NEVER)
        reached_ms = window.reached_ms
        return (
            (at_ms, cut)
            for cut, (from_ms, at_ms) in bounds.items()
            if from_ms != start_ms or (at_ms != reached_ms and (reached_ms == end_ms or cut in running))
        )
