"""Panes of all shards in, KPI records out: those that have changed since they were last published."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import msgspec

from stream_kpi.kpis.evaluate import evaluate
from stream_kpi.kpis.record import KpiRecord, record_key
from stream_kpi.lifecycles.facts import Cut
from stream_kpi.lifecycles.options import Options
from stream_kpi.windows.ages import unpack_ages
from stream_kpi.windows.dirty import DirtyTumbling
from stream_kpi.windows.kinds import ROLLING, TODAY, TUMBLING
from stream_kpi.windows.merged import (
    MergedPanes,
    MergedView,
    RollingSums,
    has_level,
    instant_view,
    rolling_view,
    total_view,
    tumbling_views,
)
from stream_kpi.windows.panes import AGES_KEY, unpack_key, unpack_vector
from stream_kpi.windows.tiers import ALL_TIME
from stream_kpi.windows.view import View

CUTS_PER_PUBLISH = 400
"""Windows x cuts evaluated at one publish, about 0.2 ms each. What has changed goes first; what only has newer bounds
takes the rest of the budget, oldest first; what is left waits for the next publish."""

GRACE_MS = 10 * 60_000
"""Live: how long after its end a window is not yet final (kpis.md, lateness)."""


class Publication(NamedTuple):
    """``changed``: records for the values topic, None = tombstone. ``records``: every current record by key."""

    changed: list[tuple[bytes, bytes | None]]
    records: dict[bytes, KpiRecord]
    complete: bool
    """Nothing waits for the next publish: every record stands as of this one's now."""


WindowId = tuple[str, int | None]
"""Kind, and start for tumbling windows and months."""


def _window_id(view: View) -> WindowId:
    kind = view.window.kind
    return (kind, view.window.start_ms if kind == "month" or kind.startswith("tumbling:") else None)


class Merge:
    """Keeps every window's sums up to date as panes arrive, and evaluates what a publish has to say.

    The panes topic is its state and the values topic its memory of what it said: both are read back at start.
    """

    def __init__(self, options: Options, *, event_clock: bool) -> None:
        self.panes = MergedPanes(options.zone_info)
        self._grace_ms = 0 if event_clock else GRACE_MS
        self._rolling = [
            (RollingSums(kind, self.panes), RollingSums(kind, self.panes, options.reopen_window_ms))
            for kind in ROLLING
        ]
        self._tumbling = [DirtyTumbling(kind, options.zone_info, self._grace_ms) for kind in TUMBLING]
        self._dirty: dict[str, set[Cut]] = {}
        self._published: dict[WindowId, dict[Cut, dict[bytes, KpiRecord]]] = {}
        self._bounds: dict[str, dict[Cut, tuple[int | None, int]]] = {}
        self._records: dict[bytes, KpiRecord] = {}
        self._changed: list[tuple[bytes, bytes | None]] = []

    def apply(self, shard: int, key: bytes, value: bytes | None) -> None:
        """Take one record of the panes topic in."""
        if key == AGES_KEY:
            self.panes.put_ages(shard, unpack_ages(value) if value else {})
            return
        pane = unpack_key(key)
        delta = self.panes.apply(shard, pane, unpack_vector(value))
        if not delta:
            return
        if pane.tier == ALL_TIME.number:
            self._mark("total", pane.cut)
        for pair in self._rolling:
            for sums in pair:
                if sums.kind.tier.number == pane.tier and sums.add(pane.start_ms, pane.cut, delta):
                    self._mark(sums.kind.name, pane.cut)
        levels = has_level(delta)
        for dirty in self._tumbling:
            if dirty.kind.tier.number == pane.tier:
                dirty.mark(pane.start_ms, pane.cut, levels=levels)
        if pane.tier == TODAY.tier.number:
            self._mark(TODAY.name, pane.cut)

    def restore_published(self, key: bytes, value: bytes | None) -> None:
        """Take back one record of the values topic, in log order, before the first publish."""
        before = self._records.pop(key, None)
        if before is not None:
            self._published[before.window_id][before.cut_key].pop(key, None)
        if value is not None:
            record = msgspec.json.decode(value, type=KpiRecord)
            self._records[key] = record
            self._published.setdefault(record.window_id, {}).setdefault(record.cut_key, {})[key] = record

    def publish(self, now_ms: int, first_ms: int | None) -> Publication:
        """Evaluate what has changed, as of ``now``."""
        if first_ms is None:
            first_ms = now_ms
        self.panes.expire(now_ms)
        for sums, cohort in self._rolling:
            for cut in sums.move(now_ms) | cohort.move(now_ms):
                self._mark(sums.kind.name, cut)
        budget = CUTS_PER_PUBLISH
        views = list(self._current_views(now_ms, first_ms))
        for view in views:
            budget -= self._publish_dirty(view, now_ms, budget)
        for dirty in self._tumbling:
            budget -= self._publish_tumbling(dirty, now_ms, first_ms, budget)
        for view in views:
            budget -= self._publish_stale(view, now_ms, budget)
        changed, self._changed = self._changed, []
        return Publication(changed, dict(self._records), complete=budget > 0)

    def _current_views(self, now_ms: int, first_ms: int) -> Iterator[MergedView]:
        """The windows that end now, those people look at first."""
        yield instant_view(self.panes, now_ms)
        for sums, cohort in self._rolling:
            yield rolling_view(self.panes, sums, cohort, now_ms)
        yield next(tumbling_views(self.panes, TODAY, now_ms, now_ms, self._grace_ms))
        yield total_view(self.panes, first_ms, now_ms)

    def _mark(self, name: str, cut: Cut) -> None:
        self._dirty.setdefault(name, set()).add(cut)

    def _publish_dirty(self, view: MergedView, now_ms: int, budget: int) -> int:
        """Evaluate the window's changed cuts, as many as the budget has; how many they were."""
        dirty = self._dirty.setdefault(view.window.kind, set())
        chosen = list(islice(dirty, max(budget, 0)))
        dirty.difference_update(chosen)
        self._publish_cuts(view, chosen, now_ms)
        return len(chosen)

    def _publish_stale(self, view: MergedView, now_ms: int, budget: int) -> int:
        """Evaluate cuts whose records show an earlier now, the oldest first."""
        kind = view.window.kind
        published = self._bounds.setdefault(kind, {})
        for cut in view.cuts():
            published.setdefault(cut, (None, -1))
        for cut in self._published.get((kind, None), {}):
            published.setdefault(cut, (None, -1))
        bounds = (view.window.start_ms, view.window.end_ms)
        stale = sorted((at[1], cut) for cut, at in published.items() if at != bounds)
        chosen = [cut for _, cut in stale[: max(budget, 0)]]
        self._publish_cuts(view, chosen, now_ms)
        return len(stale)

    def _publish_tumbling(self, dirty: DirtyTumbling, now_ms: int, first_ms: int, budget: int) -> int:
        """Evaluate changed windows of a kind, newest first; take back those that are published no longer."""
        dirty.move(now_ms, first_ms)
        name = dirty.kind.name
        oldest_ms = dirty.oldest_ms(now_ms, first_ms)
        for window in [w for w in self._published if w[0] == name and w[1] is not None and w[1] < oldest_ms]:
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
                cuts = dirty.take(start_ms, view.cuts(), self._published.get((name, start_ms), {}))
                self._publish_cuts(view, cuts, now_ms)
                spent += len(cuts)
        return spent + len(dirty.starts())

    def _publish_cuts(self, view: MergedView, cuts: Iterable[Cut], now_ms: int) -> None:
        cuts = list(cuts)
        if not cuts:
            return
        window, bounds = _window_id(view), (view.window.start_ms, view.window.end_ms)
        known = view.cuts()
        at = self._bounds.setdefault(view.window.kind, {}) if window[1] is None else {}
        for cut in cuts:
            at.pop(cut, None)
            if cut in known:
                at[cut] = bounds
                records = {record_key(record): record for record in evaluate(view, now_ms, [cut])}
                self._replace(window, cut, records)
            else:
                self._replace(window, cut, {})

    def _replace(self, window: WindowId, cut: Cut, records: dict[bytes, KpiRecord]) -> None:
        by_cut = self._published.setdefault(window, {})
        before = by_cut.get(cut, {})
        for key in before.keys() - records.keys():
            self._changed.append((key, None))
            self._records.pop(key, None)
        for key, record in records.items():
            earlier = before.get(key)
            if earlier is not None:
                record.revision = earlier.revision
                record.as_of, as_of = earlier.as_of, record.as_of
                if record == earlier:
                    records[key] = earlier
                    continue
                record.as_of = as_of
                if earlier.final and window[1] is not None:
                    record.revision += 1
            self._changed.append((key, msgspec.json.encode(record)))
            self._records[key] = record
        if records:
            by_cut[cut] = records
        else:
            by_cut.pop(cut, None)
