"""Which windows and cuts have to be evaluated again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from zoneinfo import ZoneInfo

from stream_kpi.lifecycles.facts import Cut
from stream_kpi.windows.kinds import Tumbling


class DirtyTumbling:
    """The windows of one tumbling kind that a publish has to look at."""

    def __init__(self, kind: Tumbling, zone: ZoneInfo, grace_ms: int) -> None:
        self.kind = kind
        self.cuts: dict[int, set[Cut]] = {}
        """Changed cuts by the window's start."""
        self.whole: set[int] = set()
        """Starts of windows to be evaluated for every cut: they are new, or have just ended or become final."""
        self._zone = zone
        self._grace_ms = grace_ms
        self._not_final: dict[int, int] = {}
        self._oldest_ms = 0
        self._newest_ms: int | None = None

    def mark(self, pane_start_ms: int, cuts: Collection[Cut], levels: Collection[Cut] = ()) -> None:
        """A pane has changed in these cuts, in ``levels`` of them a level: that is seen at the end of every window from
        there on.

        Windows older than those published are left out: a shard may be years behind ``now``, and to walk through them
        took 0.8 s a pane and cut. The worker stood still, and its group put it out."""
        start_ms = self.kind.start_of(pane_start_ms, self._zone)
        if start_ms < self._oldest_ms:
            start_ms, cuts = self._oldest_ms, levels
        if cuts:
            self.cuts.setdefault(start_ms, set()).update(cuts)
        if levels and self._newest_ms is not None:
            while start_ms < self._newest_ms:
                start_ms = self.kind.end_of(start_ms, self._zone)
                self.cuts.setdefault(start_ms, set()).update(levels)

    def oldest_ms(self, now_ms: int, first_ms: int) -> int:
        """Start of the oldest window that is published as of now."""
        return self.kind.start_of(max(first_ms, now_ms - self.kind.live_ms), self._zone)

    def move(self, now_ms: int, first_ms: int) -> int:
        """Take the clock to ``now``: windows begin, become final, and fall out of what is published. A first event
        earlier than the one before brings windows from then on.

        Returns how many fell out that were never looked at after they became final: the clock moves faster than that.
        """
        unseen = 0
        newest_ms = self.kind.start_of(now_ms, self._zone)
        oldest_ms = self.oldest_ms(now_ms, first_ms)
        if self._newest_ms is None:
            self._begin(oldest_ms, newest_ms + 1)
        else:
            begins_ms = self.kind.end_of(self._newest_ms, self._zone)
            if begins_ms < oldest_ms:
                unseen = (oldest_ms - begins_ms) // (self.kind.end_of(oldest_ms, self._zone) - oldest_ms)
            self._begin(oldest_ms, self._oldest_ms)
            self._begin(max(begins_ms, oldest_ms), newest_ms + 1)
            if newest_ms > self._newest_ms:  # what ran in it has run to its end since it was last looked at
                self.whole.add(self._newest_ms)
        self._oldest_ms, self._newest_ms = oldest_ms, newest_ms
        for start_ms, end_ms in list(self._not_final.items()):
            if end_ms + self._grace_ms <= now_ms:
                del self._not_final[start_ms]
                self.whole.add(start_ms)
        unseen += sum(start < oldest_ms and start not in self._not_final for start in self.whole)
        self.whole = {start for start in self.whole if start >= oldest_ms}
        self.cuts = {start: cuts for start, cuts in self.cuts.items() if start >= oldest_ms}
        return unseen

    def _begin(self, start_ms: int, before_ms: int) -> None:
        """Windows begin, those that start before ``before_ms``."""
        while start_ms < before_ms:
            end_ms = self.kind.end_of(start_ms, self._zone)
            self.whole.add(start_ms)
            self._not_final[start_ms] = end_ms
            start_ms = end_ms

    def starts(self) -> set[int]:
        """Starts of the windows to look at; those that have not begun, as seen from ``now``, wait."""
        newest_ms = self._newest_ms
        return self.whole | {start for start in self.cuts if newest_ms is not None and start <= newest_ms}

    def take(self, start_ms: int, every_cut: Iterable[Cut], published: Mapping[Cut, object]) -> set[Cut]:
        """The cuts to evaluate in a window, and forget that they were dirty."""
        cuts = self.cuts.pop(start_ms, set())
        if start_ms in self.whole:
            self.whole.discard(start_ms)
            cuts |= {*every_cut, *published}
        return cuts
