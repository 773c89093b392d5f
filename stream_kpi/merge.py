"""Panes of all shards in, KPI records out: those that have changed since they were last published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from stream_kpi.kpis.catalogue import live_rows
from stream_kpi.kpis.record import KpiHistogram, KpiRecord, evaluate, histograms, record_key, timestamp
from stream_kpi.kpis.rows import Kpi, measures_read
from stream_kpi.lifecycles.facts import TOTAL, Cut
from stream_kpi.lifecycles.options import Options
from stream_kpi.windows.ages import unpack_ages
from stream_kpi.windows.dirty import DirtyTumbling
from stream_kpi.windows.kinds import ROLLING, TODAY, TUMBLING
from stream_kpi.windows.merged import LEVELS, MergedPanes, RollingSums, cohort_sums
from stream_kpi.windows.panes import AGES_KEY, unpack_key
from stream_kpi.windows.tiers import ALL_TIME
from stream_kpi.windows.views import MergedView, instant_view, rolling_view, total_view, tumbling_views

CUTS_PER_PUBLISH = 400
"""Windows x cuts evaluated at one publish, about 0.2 ms each: half of it for what has changed in windows that end now,
first come first served, a quarter for tumbling windows, the rest for what only has newer bounds, oldest first. What is
left waits for the next publish, and no window for ever, however much changes."""

_OUTDATED_MS = -1
"""The start of no window: unlike the bounds of any."""


class Publication(NamedTuple):
    """``changed``: records for the values topic, None = tombstone. ``records``: every current record by key."""

    changed: list[tuple[bytes, bytes | None]]
    records: dict[bytes, KpiRecord]
    histograms: tuple[KpiHistogram, ...]
    """Of the durations over all time: what a Prometheus histogram shows."""
    complete: bool
    """Nothing waits for the next publish: every record stands as of this one's now."""


WindowId = tuple[str, str | None]
"""Kind, and start (RFC 3339) for tumbling windows and months."""


def _window_id(kind: str, start: str | None) -> WindowId:
    return (kind, start if kind == "month" or kind.startswith("tumbling:") else None)


_ROWS: dict[str, tuple[Kpi, ...]] = {
    kind: live_rows(kind)
    for kind in ("instant", "total", TODAY.name, *(k.name for k in ROLLING), *(k.name for k in TUMBLING))
}
_COMPARE_WITH_TOTAL = frozenset(
    dimension for rows in _ROWS.values() for kpi in rows if kpi.formula.reads_total for dimension in kpi.cuts
)
"""Dimensions with rows whose value changes with the total's."""
MAX_WAITING = 20_000
"""Panes that are taken in at once: 0.2 s, in which nothing else has a turn."""


class Merge:
    """Keeps every window's sums up to date as panes arrive, and evaluates what a publish has to say.

    The panes topic is its state and the values topic its memory of what it said: both are read back at start.
    """

    def __init__(self, options: Options, *, grace_ms: int) -> None:
        """``grace_ms``: how long after its end a window is not yet final (0 when a past log is replayed)."""
        self.panes = MergedPanes(options.zone_info)
        self._grace_ms = grace_ms
        self._rolling = [
            (
                RollingSums(kind, self.panes),
                cohort_sums(kind, self.panes, options.reopen_window_ms, measures_read(_ROWS[kind.name])),
            )
            for kind in ROLLING
        ]
        self._tumbling = [DirtyTumbling(kind, options.zone_info, self._grace_ms) for kind in TUMBLING]
        self._first_tumbling = 0
        self._dirty: dict[tuple[str, Cut], None] = {}
        """Changed (window, cut), in the order of their changes."""
        self._published: dict[WindowId, dict[Cut, dict[bytes, KpiRecord]]] = {}
        self._bounds: dict[str, dict[Cut, tuple[int | None, int]]] = {}
        self._moved_levels: set[Cut] = set()
        self._records: dict[bytes, KpiRecord] = {}
        self._changed: list[tuple[bytes, bytes | None]] = []

    def apply(self, shard: int, key: bytes, value: bytes | None) -> None:
        """Take one record of the panes topic in."""
        if key == AGES_KEY:
            for cut in self.panes.put_ages(shard, unpack_ages(value) if value else {}):
                self._outdate("instant", cut)
            return
        self.panes.apply(shard, unpack_key(key), value)
        if self.panes.waiting >= MAX_WAITING:
            self._absorb()

    def _absorb(self) -> None:
        """Bring the windows' sums up to date, and mark what has changed."""
        named = self.panes.numbers.named
        for change in self.panes.absorb():
            tier, cuts = change.tier, named(change.sums.cuts())
            levels = set(named(change.sums.of_measures(LEVELS).cuts()))
            # A flush's panes may come in two reads: then the base moves now, and back with the second.
            self._moved_levels |= levels
            if tier == ALL_TIME.number:
                self._mark_all("total", cuts)
                self._mark_all("instant", cuts)
                for sums, _ in self._rolling:  # a change from before the window moves the level at its start
                    for cut in levels:
                        self._outdate(sums.kind.name, cut)
            for pair in self._rolling:
                for sums in pair:
                    if sums.kind.tier.number == tier and sums.add(change):
                        self._mark_all(sums.kind.name, cuts)
            for dirty in self._tumbling:
                if dirty.kind.tier.number == tier:
                    for cut in cuts:
                        dirty.mark(change.start_ms, cut, levels=cut in levels)
            if tier == TODAY.tier.number:
                self._mark_all(TODAY.name, cuts)

    def restore_published(self, key: bytes, value: bytes | None) -> None:
        """Take back one record of the values topic, in log order, before the first publish."""
        before = self._records.pop(key, None)
        if before is not None:
            self._published[_id_of(before)][_cut_of(before)].pop(key, None)
        if value is not None:
            record = msgspec.json.decode(value, type=KpiRecord)
            self._records[key] = record
            self._published.setdefault(_id_of(record), {}).setdefault(_cut_of(record), {})[key] = record

    def publish(self, now_ms: int, first_ms: int | None) -> Publication:
        """Evaluate what has changed, as of ``now``."""
        if first_ms is None:
            first_ms = now_ms
        self._absorb()
        for sums, cohort in self._rolling:
            self._mark_all(sums.kind.name, sums.move(now_ms))
            self._mark_all(sums.kind.name, cohort.move(now_ms))
        self.panes.expire(now_ms)  # what is gone can leave no window any more
        views = list(self._current_views(now_ms, first_ms))
        changed_cuts = self._take_dirty(CUTS_PER_PUBLISH // 2)
        for view in views:
            self._publish_cuts(view, changed_cuts.get(view.window.kind, ()), now_ms)
        self._mark_old_levels(now_ms, first_ms)
        spent = 0
        for dirty in self._tumbling_in_turn():
            spent += self._publish_tumbling(dirty, now_ms, first_ms, CUTS_PER_PUBLISH // 4 - spent)
        spent = min(spent, CUTS_PER_PUBLISH // 4) + sum(map(len, changed_cuts.values()))
        left = self._publish_stale(views, now_ms, CUTS_PER_PUBLISH - spent)
        left += len(self._dirty) + sum(len(dirty.starts()) for dirty in self._tumbling)
        changed, self._changed = self._changed, []
        durations = tuple(histograms(_ROWS["total"], views[-1]))
        return Publication(changed, dict(self._records), durations, complete=left == 0)

    def _tumbling_in_turn(self) -> list[DirtyTumbling]:
        """Every kind, another one first at each publish."""
        self._first_tumbling = (self._first_tumbling + 1) % len(self._tumbling)
        return self._tumbling[self._first_tumbling :] + self._tumbling[: self._first_tumbling]

    def _current_views(self, now_ms: int, first_ms: int) -> Iterator[MergedView]:
        """The windows that end now, those that people look at first; all time is the last."""
        yield instant_view(self.panes, now_ms)
        for sums, cohort in self._rolling:
            yield rolling_view(self.panes, sums, cohort, now_ms)
        yield next(tumbling_views(self.panes, TODAY, now_ms, now_ms, self._grace_ms))
        yield total_view(self.panes, first_ms, now_ms)

    def _mark_all(self, name: str, cuts: Iterable[Cut]) -> None:
        for cut in cuts:
            self._mark(name, cut)

    def _mark(self, name: str, cut: Cut) -> None:
        self._dirty[name, cut] = None  # in its old place, if it waits already

    def _outdate(self, name: str, cut: Cut) -> None:
        """Let a cut be evaluated again in its turn, as if its bounds had moved, even while ``now`` stands still."""
        bounds = self._bounds.get(name, {})
        if cut in bounds:
            bounds[cut] = (_OUTDATED_MS, bounds[cut][1])

    def _mark_old_levels(self, now_ms: int, first_ms: int) -> None:
        """A level's change from before a tier's oldest pane is seen at the end of every window of that tier."""
        for tier in {dirty.kind.tier for dirty in self._tumbling}:
            moved = [cut for cut in self._moved_levels if self.panes.base_moved(tier, cut)]
            for dirty in self._tumbling:
                if dirty.kind.tier == tier:
                    for cut in moved:
                        dirty.mark(dirty.oldest_ms(now_ms, first_ms), cut, levels=True)
        self._moved_levels.clear()

    def _take_dirty(self, budget: int) -> dict[str, set[Cut]]:
        """The cuts that have waited longest, by window, as many as the budget has."""
        taken: dict[str, set[Cut]] = {}
        while budget > 0 and self._dirty:
            batch = list(islice(self._dirty, budget))
            budget -= len(batch)
            for window_cut in batch:
                del self._dirty[window_cut]
                taken.setdefault(window_cut[0], set()).add(window_cut[1])
            for name in [name for name, cut in batch if cut == TOTAL]:
                for cut in self._bounds.get(name, {}):
                    if cut and cut[0] in _COMPARE_WITH_TOTAL and cut not in taken[name]:
                        self._mark(name, cut)
        return taken

    def _publish_stale(self, views: list[MergedView], now_ms: int, budget: int) -> int:
        """Evaluate cuts whose records show an earlier now, the oldest first; how many are left."""
        stale = sorted((end_ms, place, cut) for place, view in enumerate(views) for end_ms, cut in self._stale_in(view))
        chosen: dict[int, list[Cut]] = {}
        for _, place, cut in stale[:budget]:
            chosen.setdefault(place, []).append(cut)
        for place, cuts in chosen.items():
            self._publish_cuts(views[place], cuts, now_ms)
        return max(0, len(stale) - budget)

    def _stale_in(self, view: MergedView) -> Iterator[tuple[int, Cut]]:
        """The window's cuts whose records have other bounds, with the end that they have."""
        kind = view.window.kind
        published = self._bounds.setdefault(kind, {})
        for cut in view.cuts():
            published.setdefault(cut, (None, -1))
        for cut in self._published.get((kind, None), {}):
            published.setdefault(cut, (None, -1))
        bounds = (view.window.start_ms, view.window.end_ms)
        return ((end_ms, cut) for cut, (start_ms, end_ms) in published.items() if (start_ms, end_ms) != bounds)

    def _publish_tumbling(self, dirty: DirtyTumbling, now_ms: int, first_ms: int, budget: int) -> int:
        """Evaluate changed windows of a kind, newest first; take back those that are published no longer."""
        dirty.move(now_ms, first_ms)
        name = dirty.kind.name
        oldest_ms = dirty.oldest_ms(now_ms, first_ms)
        oldest = timestamp(oldest_ms)
        for window in [w for w in self._published if w[0] == name and w[1] is not None and w[1] < oldest]:
            for cut in list(self._published[window]):
                self._replace(window, cut, {})
            del self._published[window]
        wanted = dirty.starts()
        if not wanted:
            return 0
        spent = 0
        for view in tumbling_views(self.panes, dirty.kind, now_ms, min(wanted), self._grace_ms):
            start_ms = view.window.start_ms or 0
            if start_ms in wanted and spent < budget:
                published = self._published.get((name, timestamp(start_ms)), {})
                cuts = dirty.take(start_ms, view.cuts(), published)
                if TOTAL in cuts:
                    cuts.update(cut for cut in published if cut and cut[0] in _COMPARE_WITH_TOTAL)
                self._publish_cuts(view, cuts, now_ms)
                spent += len(cuts)
        return spent

    def _publish_cuts(self, view: MergedView, cuts: Iterable[Cut], now_ms: int) -> None:
        cuts = list(cuts)
        if not cuts:
            return
        kind, start_ms, end_ms, _ = view.window
        window = _window_id(kind, None if start_ms is None else timestamp(start_ms))
        known = view.cuts()
        at = self._bounds.setdefault(kind, {}) if window[1] is None else {}
        for cut in cuts:
            if cut != TOTAL:  # what compares with a total that waits must wait for it
                self._dirty.pop((kind, cut), None)
            if cut not in known:
                at.pop(cut, None)
                self._replace(window, cut, {})
                continue
            at[cut] = (start_ms, end_ms)
            records = evaluate(_ROWS[kind], view, [cut], as_of_ms=now_ms)
            self._replace(window, cut, {record_key(record): record for record in records})

    def _replace(self, window: WindowId, cut: Cut, records: dict[bytes, KpiRecord]) -> None:
        by_cut = self._published.setdefault(window, {})
        before = by_cut.get(cut, {})
        for key in before.keys() - records.keys():
            self._changed.append((key, None))
            self._records.pop(key, None)
        for key, record in records.items():
            earlier = before.get(key)
            if earlier is not None:
                if replace(record, as_of=earlier.as_of, revision=earlier.revision) == earlier:
                    records[key] = earlier
                    continue
                corrects = earlier.final and window[1] is not None
                records[key] = record = replace(record, revision=earlier.revision + corrects)  # noqa: PLW2901
            self._changed.append((key, msgspec.json.encode(record)))
            self._records[key] = record
        if records:
            by_cut[cut] = records
        else:
            by_cut.pop(cut, None)


def _id_of(record: KpiRecord) -> WindowId:
    return _window_id(record.window.kind, record.window.start)


def _cut_of(record: KpiRecord) -> Cut:
    for cut in record.cut.items():
        return cut
    return TOTAL
